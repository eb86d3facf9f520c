#define G_LOG_DOMAIN "facet"

#include "facet-engine-check.h"
#include "facet-engine-transcribe.h"
#include "facet-machine.h"
#include "facet-media-cache.h"

/* Some twenty photos of a telephone, or two hours of speech. */
#define MEDIA_BUDGET ((gsize) 512 << 20)

/* The engine thread's own; nothing here is touched by another thread. */
typedef struct {
  FacetModel      *model;
  FacetSession    *session;
  char            *projector;
  FacetMediaCache *media;
} Native;

static void
native_unload (gpointer data)
{
  Native *self = data;

  g_clear_pointer (&self->session, facet_session_free);
  g_clear_pointer (&self->model, facet_model_unref);
  g_clear_pointer (&self->projector, g_free);
}

static gpointer
native_create (gpointer config)
{
  Native *self = g_new0 (Native, 1);

  self->media = facet_media_cache_new (MEDIA_BUDGET);
  return self;
}

static void
native_destroy (gpointer data)
{
  Native *self = data;

  native_unload (self);
  facet_media_cache_free (self->media);
  g_free (self);
}

/* A device that is not there is told of; the engine chooses instead. */
static int
find_device (const FacetLoadSpec *spec, FacetLoaded *loaded)
{
  g_autoptr (GPtrArray) devices = NULL;
  int number;

  if (spec->device == NULL || *spec->device == '\0' || spec->backend == FACET_BACKEND_CPU)
    return 0;
  devices = facet_machine_graphics ();
  number = facet_machine_find_graphics (devices, spec->device);
  if (number == 0)
    loaded->missing_device = g_strdup (spec->device);
  return number;
}

static gboolean
native_load (gpointer             data,
             const FacetLoadSpec *spec,
             FacetCancel         *cancel,
             FacetProgress        progress,
             gpointer             user_data,
             FacetLoaded         *loaded,
             GError             **error)
{
  Native *self = data;
  FacetModelParams params = {
    .projector = spec->projector,
    .backend = spec->backend,
    .device = find_device (spec, loaded),
    .threads = spec->threads,
    .cancel = cancel,
    .progress = progress,
    .user_data = user_data,
  };
  FacetSessionParams session_params = {
    .kv_type = spec->kv_type,
    .cancel = cancel,
    .progress = progress,
    .user_data = user_data,
  };
  const FacetModelInfo *info;

  native_unload (self);
  self->model = facet_model_load (spec->path, &params, error);
  if (self->model == NULL)
    return FALSE;
  info = facet_model_get_info (self->model);
  /* the settings are for all models; the meter says how far this one sees */
  session_params.context = MIN (spec->context, (int) info->context_length);
  self->session = facet_session_new (self->model, &session_params, error);
  if (self->session == NULL) {
    native_unload (self);
    return FALSE;
  }

  self->projector = g_strdup (spec->projector);
  loaded->path = g_strdup (spec->path);
  loaded->name = *info->name != '\0' ? g_strdup (info->name) : g_path_get_basename (spec->path);
  loaded->quantization = g_strdup (info->quantization);
  loaded->backend = g_strdup (facet_model_backend_name (self->model));
  loaded->parameters = info->parameters;
  loaded->context = facet_session_context (self->session);
  loaded->most_context = (int) info->context_length;
  loaded->sees = facet_model_accepts_images (self->model);
  loaded->hears = facet_model_accepts_audio (self->model);
  loaded->judges = info->is_safety;
  loaded->thinks = info->family == FACET_FAMILY_GEMMA4 && info->has_chat_template;
  return TRUE;
}

static gboolean
add_picture (Native *self, FacetPrompt *prompt, const FacetPart *part, GError **error)
{
  g_autoptr (FacetImage) image = facet_media_cache_picture (self->media, part, error);

  if (image != NULL)
    facet_prompt_add_image (prompt, image);
  return image != NULL;
}

static gboolean
add_sound (Native *self, FacetPrompt *prompt, const FacetPart *part, FacetCancel *cancel, GError **error)
{
  g_autoptr (GPtrArray) clips = facet_media_cache_sound (self->media, part, cancel, error);

  if (clips == NULL)
    return FALSE;
  if (clips->len == 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: no speech is heard in it", part->path);
    return FALSE;
  }
  for (guint i = 0; i < clips->len; i++)
    facet_prompt_add_audio (prompt, g_ptr_array_index (clips, i));
  return TRUE;
}

static gboolean
add_part (Native *self, FacetPrompt *prompt, const FacetPart *part, FacetCancel *cancel, GError **error)
{
  switch (part->kind) {
  case FACET_PART_PICTURE:
    return add_picture (self, prompt, part, error);
  case FACET_PART_SOUND:
    return add_sound (self, prompt, part, cancel, error);
  case FACET_PART_CALL:
    return facet_prompt_add_call (prompt, part->tool, part->text, error);
  case FACET_PART_RESULT:
    facet_prompt_add_result (prompt, part->tool, part->text, -1);
    return TRUE;
  case FACET_PART_TEXT:
  default:
    facet_prompt_add_text (prompt, part->text, -1);
    return TRUE;
  }
}

static FacetPrompt *
build_prompt (Native *self, const FacetRequest *request, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_AUTO);

  if (request->tools != NULL)
    facet_prompt_set_tools (prompt, request->tools, FACET_TOOLS_OFFERED, FACET_CALLS_FAMILY);
  facet_prompt_set_thinking (prompt, request->thinking);
  for (guint i = 0; i < request->turns->len; i++) {
    const FacetTurn *turn = request->turns->pdata[i];

    facet_prompt_begin_turn (prompt, turn->role);
    for (guint k = 0; k < turn->parts->len; k++) {
      const FacetPart *part = turn->parts->pdata[k];

      /* a transcription hears recordings piece by piece, whatever their length */
      if (part->kind == FACET_PART_SOUND && request->instruction != NULL)
        continue;
      if (facet_is_cancelled (cancel)) {
        g_set_error_literal (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled before the prompt was whole");
        return NULL;
      }
      if (!add_part (self, prompt, part, cancel, error))
        return NULL;
    }
  }
  return g_steal_pointer (&prompt);
}

static gboolean
check_request (Native *self, const FacetRequest *request, GError **error)
{
  if (self->session == NULL)
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_INVALID, "no model is loaded");
  else if (request->missing != NULL)
    g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: cannot be read", request->missing);
  return self->session != NULL && request->missing == NULL;
}

static int
native_count (gpointer data, const FacetRequest *request, FacetCancel *cancel, int *cached, GError **error)
{
  Native *self = data;
  g_autoptr (FacetPrompt) prompt = NULL;
  const FacetEngineWork work = { self->model, self->projector, self->session, self->media, request, NULL, NULL };

  if (!check_request (self, request, error))
    return -1;
  if (request->policies != NULL)
    return facet_engine_check_count (&work, cancel, error);
  prompt = build_prompt (self, request, cancel, error);
  return prompt != NULL ? facet_session_count (self->session, prompt, cached, error) : -1;
}

/* A summary that has more to read than the context holds beside an answer. */
static gboolean
must_condense (Native *self, FacetPrompt *prompt, const FacetRequest *request)
{
  int context = facet_session_context (self->session);

  return request->before != NULL && facet_session_count (self->session, prompt, NULL, NULL) > context - context / 4;
}

static gboolean
native_reply (gpointer                data,
              const FacetRequest     *request,
              const FacetReplyParams *params,
              FacetReplySummary      *summary,
              GError                **error)
{
  Native *self = data;
  FacetReplyParams own = *params;
  g_autoptr (FacetPrompt) prompt = NULL;
  g_auto (FacetReply) reply = { 0 };
  const FacetEngineWork work = { self->model, self->projector, self->session, self->media, request, &own, summary };

  if (!check_request (self, request, error))
    return FALSE;
  if (!request->own_sampling)
    own.sampling = facet_model_default_sampling (self->model);
  if (request->policies != NULL)
    return facet_engine_check (&work, error);
  if (request->instruction != NULL && request->before == NULL)
    return facet_engine_transcribe (&work, error);
  if (request->instruction != NULL)
    return facet_engine_summarise (&work, error);
  prompt = build_prompt (self, request, params->cancel, error);
  if (prompt == NULL)
    return FALSE;
  if (must_condense (self, prompt, request))
    return facet_engine_summarise (&work, error);
  if (!facet_session_reply (self->session, prompt, &own, &reply, error))
    return FALSE;
  summary->stop_reason = reply.stop_reason;
  summary->stats = reply.stats;
  summary->calls = g_steal_pointer (&reply.calls);
  return TRUE;
}

static FacetNotice
native_take_notice (gpointer data)
{
  Native *self = data;

  return self->model != NULL ? facet_model_take_notice (self->model) : FACET_NOTICE_NONE;
}

const FacetEngineBackend facet_engine_backend_native = {
  .create = native_create,
  .destroy = native_destroy,
  .load = native_load,
  .count = native_count,
  .reply = native_reply,
  .take_notice = native_take_notice,
};
