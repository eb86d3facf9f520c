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
  g_clear_pointer (&((Script *) self)->spec, facet_load_spec_free);
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
  g_clear_pointer (&script->spec, facet_load_spec_free);
  script->spec = facet_load_spec_copy (spec);
  loaded->path = g_strdup (spec->path);
  loaded->name = g_strdup ("Scripted 270M");
  loaded->quantization = g_strdup ("Q4_K_M");
  loaded->backend = g_strdup ("script");
  loaded->parameters = 270000000;
  loaded->context = 4096;
  loaded->most_context = script->at_limit ? 4096 : 32768;
  loaded->sees = script->sees;
  loaded->hears = script->hears;
  loaded->judges = script->judges;
  loaded->thinks = script->thinks;
  return TRUE;
}

static int
script_count (gpointer data, const FacetRequest *request, FacetCancel *cancel, int *cached, GError **error)
{
  const Script *script = data;
  int prompts = request->policies != NULL ? (int) request->policies->len : 1;
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
  return prompts * tokens;
}

static void
append_part (GString *asked, const FacetPart *part)
{
  switch (part->kind) {
  case FACET_PART_TEXT:
    g_string_append_printf (asked, " %s", part->text);
    break;
  case FACET_PART_CALL:
    g_string_append_printf (asked, " <call %s %s>", part->tool, part->text);
    break;
  case FACET_PART_RESULT:
    g_string_append_printf (asked, " <result %s %s>", part->tool, part->text);
    break;
  default:
    g_string_append (asked, " <file>");
    break;
  }
}

static void
remember (Script *script, const FacetRequest *request)
{
  static const char *const roles[] = { "system", "user", "model" };

  script->own_sampling = request->own_sampling;
  script->sampling = request->sampling;
  if (script->asked == NULL)
    return;
  g_string_truncate (script->asked, 0);
  if (request->instruction != NULL)
    g_string_append_printf (script->asked, "instruction: %s\n", request->instruction);
  if (request->before != NULL)
    g_string_append_printf (script->asked, "summary: [%s][%s][%s]\n", request->before, request->after,
                            request->text != NULL ? request->text : "");
  if (request->missing != NULL)
    g_string_append_printf (script->asked, "missing: %s\n", request->missing);
  if (request->thinking)
    g_string_append (script->asked, "thinking\n");
  for (guint i = 0; request->policies != NULL && i < request->policies->len; i++) {
    const FacetRequestPolicy *policy = request->policies->pdata[i];

    g_string_append_printf (script->asked, "policy: [%s][%s]\n", policy->title, policy->text);
  }
  if (request->tools != NULL)
    g_string_append_printf (script->asked, "tools: %u\n", request->tools->len);
  for (guint i = 0; i < request->turns->len; i++) {
    const FacetTurn *turn = request->turns->pdata[i];

    g_string_append_printf (script->asked, "%s:", roles[turn->role]);
    for (guint k = 0; k < turn->parts->len; k++) {
      const FacetPart *part = turn->parts->pdata[k];

      append_part (script->asked, part);
    }
    g_string_append_c (script->asked, '\n');
  }
}

static GPtrArray *
make_call (const ScriptCall *made)
{
  GPtrArray *calls = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_call_free);
  FacetCall *call = g_new (FacetCall, 1);

  *call = (FacetCall){ g_strdup (made->tool), g_strdup (made->arguments) };
  g_ptr_array_add (calls, call);
  return calls;
}

static gboolean
script_reply (gpointer                data,
              const FacetRequest     *request,
              const FacetReplyParams *params,
              FacetReplySummary      *summary,
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
  summary->stop_reason = script->end;
  if (request->thinking && script->thoughts != NULL)
    params->on_thought (script->thoughts, strlen (script->thoughts), params->user_data);
  if (request->tools != NULL && script->n_called < script->n_calls) {
    summary->calls = make_call (&script->calls[script->n_called++]);
    return TRUE;
  }
  while (*at != '\0') {
    gsize length = strcspn (at, " ");

    if (at[length] == ' ')
      length++;
    if (facet_is_cancelled (params->cancel)) {
      summary->stop_reason = FACET_STOP_CANCELLED;
      break;
    }
    g_usleep (script->delay_usec);
    params->on_text (at, length, params->user_data);
    summary->stats.generated_tokens++;
    at += length;
  }
  summary->stats.prompt_tokens = 12;
  summary->stats.first_token_seconds = 0.1;
  summary->stats.decode_seconds = 1;
  return TRUE;
}

static FacetNotice
script_take_notice (gpointer data)
{
  Script *script = data;
  FacetNotice notice = script->notice;

  script->notice = FACET_NOTICE_NONE;
  return notice;
}

const FacetEngineBackend script_backend = {
  .create = script_create,
  .destroy = script_destroy,
  .load = script_load,
  .count = script_count,
  .reply = script_reply,
  .take_notice = script_take_notice,
};
