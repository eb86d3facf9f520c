#include "script-backend.h"

#include <string.h>

static gpointer
script_create (gpointer config)
{
  return config;
}

static void
script_destroy (gpointer self)
{
}

static gboolean
script_load (gpointer             data,
             const FacetLoadSpec *spec,
             FacetCancel         *cancel,
             FacetProgress        progress,
             gpointer             user_data,
             FacetLoaded         *loaded,
             GError             **error)
{
  Script *script = data;

  progress (FACET_PHASE_LOAD, 1, 2, user_data);
  if (script->fail_load != 0) {
    g_set_error (error, FACET_ERROR, script->fail_load - 1, "%s: told to fail", spec->path);
    return FALSE;
  }
  loaded->path = g_strdup (spec->path);
  loaded->name = g_strdup ("Scripted 270M");
  loaded->quantization = g_strdup ("Q4_K_M");
  loaded->backend = g_strdup ("script");
  loaded->parameters = 270000000;
  loaded->context = 4096;
  loaded->sees = script->sees;
  loaded->hears = script->hears;
  return TRUE;
}

static int
script_count (gpointer data, const FacetRequest *request, int *cached, GError **error)
{
  const Script *script = data;
  int tokens = 1;

  for (guint i = 0; i < request->turns->len; i++) {
    const FacetTurn *turn = request->turns->pdata[i];

    for (guint k = 0; k < turn->parts->len; k++) {
      const FacetPart *part = turn->parts->pdata[k];

      tokens += part->kind != FACET_PART_TEXT && script->file_tokens > 0 ? script->file_tokens : 1;
      for (const char *at = part->text; at != NULL && *at != '\0'; at++)
        tokens += *at == ' ';
    }
  }
  *cached = 0;
  return tokens;
}

static void
remember (Script *script, const FacetRequest *request)
{
  static const char *const roles[] = { "system", "user", "model" };

  if (script->asked == NULL)
    return;
  g_string_truncate (script->asked, 0);
  if (request->instruction != NULL)
    g_string_append_printf (script->asked, "instruction: %s\n", request->instruction);
  for (guint i = 0; i < request->turns->len; i++) {
    const FacetTurn *turn = request->turns->pdata[i];

    g_string_append_printf (script->asked, "%s:", roles[turn->role]);
    for (guint k = 0; k < turn->parts->len; k++) {
      const FacetPart *part = turn->parts->pdata[k];

      g_string_append_printf (script->asked, " %s", part->kind == FACET_PART_TEXT ? part->text : "<file>");
    }
    g_string_append_c (script->asked, '\n');
  }
}

static gboolean
script_reply (gpointer                data,
              const FacetRequest     *request,
              const FacetReplyParams *params,
              FacetAnswer            *answer,
              GError                **error)
{
  Script *script = data;
  const char *at = script->answer;

  remember (script, request);
  params->on_progress (FACET_PHASE_PREFILL, 1, 1, params->user_data);
  if (script->fail != 0) {
    g_set_error_literal (error, FACET_ERROR, script->fail - 1, "told to fail");
    return FALSE;
  }
  answer->stop_reason = FACET_STOP_EOS;
  while (*at != '\0') {
    gsize length = strcspn (at, " ");

    if (at[length] == ' ')
      length++;
    if (facet_is_cancelled (params->cancel)) {
      answer->stop_reason = FACET_STOP_CANCELLED;
      break;
    }
    g_usleep (script->delay_usec);
    params->on_text (at, length, params->user_data);
    answer->stats.generated_tokens++;
    at += length;
  }
  answer->stats.prompt_tokens = 12;
  answer->stats.first_token_seconds = 0.1;
  answer->stats.decode_seconds = 1;
  return TRUE;
}

const FacetEngineBackend script_backend = {
  .create = script_create,
  .destroy = script_destroy,
  .load = script_load,
  .count = script_count,
  .reply = script_reply,
};
