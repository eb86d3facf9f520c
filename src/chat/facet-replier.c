#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#include "facet-replier.h"
#include "modes/facet-mode.h"
#include "service/facet-error-text.h"
#include "settings/facet-settings.h"

#define SAVE_INTERVAL_MS 500

struct _FacetReplier {
  GObject parent_instance;

  FacetEngineService *service;
  GSettings          *settings;

  /* set while running */
  FacetConversation *conversation;
  FacetMessage      *message;
  guint64            job;
  guint              save_timer;
  gboolean           unsaved;
  char              *phase;
};

enum {
  PROP_RUNNING = 1,
  PROP_PHASE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];
static guint finished_signal;

G_DEFINE_FINAL_TYPE (FacetReplier, facet_replier, G_TYPE_OBJECT)

static void
set_phase (FacetReplier *self, const char *phase)
{
  if (g_strcmp0 (self->phase, phase) == 0)
    return;
  g_free (self->phase);
  self->phase = g_strdup (phase);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PHASE]);
}

static gboolean
save_cb (gpointer data)
{
  FacetReplier *self = data;
  g_autoptr (GError) error = NULL;

  if (self->unsaved && !facet_store_save_running (facet_conversation_get_store (self->conversation),
                                                  facet_message_get_id (self->message),
                                                  facet_message_get_text (self->message),
                                                  facet_message_get_thoughts (self->message), &error))
    g_warning ("the running answer could not be saved: %s", error->message);
  self->unsaved = FALSE;
  return G_SOURCE_CONTINUE;
}

static void
text_cb (const char *text, gsize length, gpointer user_data)
{
  FacetReplier *self = user_data;

  set_phase (self, C_("engine phase", "Answering…"));
  self->unsaved = TRUE;
  facet_message_append (self->message, text, length);
}

static void
set_listening (FacetReplier *self, guint64 done, guint64 total)
{
  g_autofree char *share = NULL;

  if (total == 0) {
    set_phase (self, C_("engine phase", "Listening…"));
    return;
  }
  /* Translators: how much of a recording has been heard. */
  share = g_strdup_printf (C_("engine phase", "Listening… %d %%"), (int) (done * 100 / total));
  set_phase (self, share);
}

static void
progress_cb (FacetPhase phase, guint64 done, guint64 total, gpointer user_data)
{
  FacetReplier *self = user_data;

  switch (phase) {
  case FACET_PHASE_ENCODE_IMAGE:
    set_phase (self, C_("engine phase", "Looking at the picture…"));
    break;
  case FACET_PHASE_ENCODE_AUDIO:
    set_listening (self, done, total);
    break;
  case FACET_PHASE_PREFILL:
    set_phase (self, C_("engine phase", "Reading…"));
    break;
  case FACET_PHASE_LOAD:
  case FACET_PHASE_DECODE:
  default:
    break;
  }
}

static char *
stats_to_json (FacetReplier *self, const FacetAnswer *answer)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  const FacetStats *stats = &answer->stats;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
#define ADD(name, type, value) \
  json_builder_set_member_name (builder, name); \
  json_builder_add_##type##_value (builder, value)
  ADD ("prompt_tokens", int, stats->prompt_tokens);
  ADD ("cached_tokens", int, stats->cached_tokens);
  ADD ("generated_tokens", int, stats->generated_tokens);
  ADD ("first_token_seconds", double, stats->first_token_seconds);
  ADD ("prefill_seconds", double, stats->prefill_seconds);
  ADD ("decode_seconds", double, stats->decode_seconds);
  ADD ("stop_reason", int, answer->stop_reason);
  if (loaded != NULL) {
    ADD ("backend", string, loaded->backend);
    ADD ("quantization", string, loaded->quantization);
  }
#undef ADD
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* What went wrong in the engine's own words, for the details of a failure. */
static char *
failure_to_json (const GError *failure)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "error");
  json_builder_add_string_value (builder, failure->message);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static void
reset (FacetReplier *self)
{
  self->job = 0;
  g_clear_handle_id (&self->save_timer, g_source_remove);
  g_clear_object (&self->message);
  g_clear_object (&self->conversation);
  set_phase (self, "");
}

static void
done_cb (const FacetAnswer *answer, const GError *failure, gpointer user_data)
{
  FacetReplier *self = user_data;
  g_autoptr (FacetMessage) message = g_object_ref (self->message);
  g_autofree char *stats = answer != NULL ? stats_to_json (self, answer) : failure_to_json (failure);
  const char *sentence = failure != NULL ? facet_error_text (failure) : NULL;
  FacetMessageStatus status = FACET_MESSAGE_DONE;
  g_autoptr (GError) error = NULL;

  if (failure != NULL) {
    g_message ("the answer failed: %s", failure->message);
    status = FACET_MESSAGE_FAILED;
  } else if (answer->stop_reason == FACET_STOP_CANCELLED) {
    status = FACET_MESSAGE_STOPPED;
  }

  if (!facet_store_finish_message (facet_conversation_get_store (self->conversation), facet_message_get_id (message),
                                   status, facet_message_get_text (message), facet_message_get_thoughts (message),
                                   stats, sentence, &error))
    g_warning ("the answer could not be stored: %s", error->message);
  facet_message_finish (message, status, stats, sentence);
  reset (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_RUNNING]);
  g_signal_emit (self, finished_signal, 0, message);
}

/* Recordings to be written down, in their language or another: nothing else
 * is asked about them. */
static gboolean
is_transcription (const FacetStoreMessage *record)
{
  const char *mode = facet_mode_find (record->mode)->id;
  gboolean sounds = FALSE;

  if (record->role != FACET_STORE_ROLE_USER || (!g_str_equal (mode, "transcribe") && !g_str_equal (mode, "translate")))
    return FALSE;
  for (guint i = 0; record->attachments != NULL && i < record->attachments->len; i++) {
    const FacetStoreAttachment *attachment = record->attachments->pdata[i];

    if (attachment->kind != FACET_ATTACHMENT_AUDIO)
      return FALSE;
    sounds = TRUE;
  }
  return sounds;
}

/* Earlier recordings that were written down are left out: their text follows,
 * as the person may have corrected it. */
static void
add_message (FacetReplier *self, FacetRequest *request, FacetStore *store, const FacetStoreMessage *record,
             const char *text, gboolean last)
{
  gboolean transcription = is_transcription (record);
  g_autofree char *rendered = NULL;

  facet_request_begin_turn (request, record->role == FACET_STORE_ROLE_MODEL ? FACET_ROLE_MODEL : FACET_ROLE_USER);
  for (guint i = 0; record->attachments != NULL && i < record->attachments->len; i++) {
    const FacetStoreAttachment *attachment = record->attachments->pdata[i];
    g_autofree char *path = facet_store_attachment_path (store, attachment);
    g_autofree char *contents = NULL;

    switch (attachment->kind) {
    case FACET_ATTACHMENT_IMAGE:
      facet_request_add_picture (request, path);
      break;
    case FACET_ATTACHMENT_AUDIO:
      if (last || !transcription)
        facet_request_add_sound (request, path);
      break;
    case FACET_ATTACHMENT_TEXT:
    default:
      if (g_file_get_contents (path, &contents, NULL, NULL))
        facet_request_add_file (request, attachment->name, contents, -1);
      break;
    }
  }
  if (transcription)
    rendered = facet_mode_render_spoken (record->mode, text, self->settings);
  else
    rendered = record->role == FACET_STORE_ROLE_USER ? facet_mode_render (record->mode, text, self->settings) : g_strdup (text);
  if (transcription && last)
    facet_request_transcribe (request, rendered);
  facet_request_add_text (request, rendered);
}

FacetRequest *
facet_replier_build_request (FacetReplier      *self,
                             FacetConversation *conversation,
                             FacetMessage      *last,
                             const char        *draft,
                             const char        *draft_mode,
                             GPtrArray         *draft_attachments)
{
  FacetStore *store = facet_conversation_get_store (conversation);
  FacetRequest *request = facet_request_new ();
  g_autofree char *system = g_settings_get_string (self->settings, "system-prompt");
  int end = last != NULL ? facet_conversation_find (conversation, last) : -1;

  if (*system != '\0') {
    facet_request_begin_turn (request, FACET_ROLE_SYSTEM);
    facet_request_add_text (request, system);
  }
  for (int i = 0; i <= end; i++) {
    FacetMessage *message = facet_conversation_get_message (conversation, i);

    /* an answer that failed before its first word would end the prompt oddly */
    if (facet_message_is_answer (message) && *facet_message_get_text (message) == '\0')
      continue;
    add_message (self, request, store, facet_message_get_record (message), facet_message_get_text (message),
                 i == end && draft == NULL);
  }
  if (draft != NULL) {
    FacetStoreMessage record = {
      .role = FACET_STORE_ROLE_USER,
      .mode = (char *) draft_mode,
      .attachments = draft_attachments,
    };

    add_message (self, request, store, &record, draft, TRUE);
  }
  request->own_sampling = !g_settings_get_boolean (self->settings, "model-sampling");
  if (request->own_sampling) {
    const FacetSampling unused = { 0 };

    request->sampling = facet_settings_get_sampling (self->settings, &unused);
  }
  return request;
}

static void
start (FacetReplier *self, FacetConversation *conversation, FacetMessage *message, FacetRequest *request)
{
  const FacetReplyEvents events = { .text = text_cb, .progress = progress_cb, .done = done_cb };

  self->conversation = g_object_ref (conversation);
  self->message = g_object_ref (message);
  self->unsaved = FALSE;
  self->save_timer = g_timeout_add (SAVE_INTERVAL_MS, save_cb, self);
  set_phase (self, C_("engine phase", "Reading…"));
  self->job = facet_engine_service_reply (self->service, request, &events, self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_RUNNING]);
}

static gboolean
check_ready (FacetReplier *self, GError **error)
{
  if (self->job != 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, _("Another answer is being written."));
    return FALSE;
  }
  if (facet_engine_service_get_loaded (self->service) == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED, _("Choose a model first."));
    return FALSE;
  }
  return TRUE;
}

gboolean
facet_replier_answer (FacetReplier *self, FacetConversation *conversation, FacetMessage *question, GError **error)
{
  g_autoptr (FacetRequest) request = NULL;
  FacetMessage *message;

  if (!check_ready (self, error))
    return FALSE;
  request = facet_replier_build_request (self, conversation, question, NULL, NULL, NULL);
  message = facet_conversation_begin_answer (conversation, question,
                                             facet_engine_service_get_loaded (self->service)->name, error);
  if (message == NULL)
    return FALSE;
  start (self, conversation, message, request);
  return TRUE;
}

gboolean
facet_replier_continue (FacetReplier *self, FacetConversation *conversation, FacetMessage *answer, GError **error)
{
  g_autoptr (FacetRequest) request = NULL;
  int index = facet_conversation_find (conversation, answer);
  FacetMessage *question = index > 0 ? facet_conversation_get_message (conversation, index - 1) : NULL;

  if (!check_ready (self, error))
    return FALSE;
  /* its journal gives what there was, as a new answer */
  if (question != NULL && is_transcription (facet_message_get_record (question)))
    return facet_replier_answer (self, conversation, question, error);
  if (!facet_store_resume_message (facet_conversation_get_store (conversation), facet_message_get_id (answer), error))
    return FALSE;
  request = facet_replier_build_request (self, conversation, answer, NULL, NULL, NULL);
  facet_message_resume (answer);
  start (self, conversation, answer, request);
  return TRUE;
}

void
facet_replier_stop (FacetReplier *self)
{
  if (self->job != 0)
    facet_engine_service_stop (self->service, self->job);
}

gboolean
facet_replier_is_running (FacetReplier *self)
{
  return self->job != 0;
}

FacetConversation *
facet_replier_get_conversation (FacetReplier *self)
{
  return self->conversation;
}

FacetReplier *
facet_replier_new (FacetEngineService *service, GSettings *settings)
{
  FacetReplier *self = g_object_new (FACET_TYPE_REPLIER, NULL);

  self->service = g_object_ref (service);
  self->settings = g_object_ref (settings);
  return self;
}

/* The window may go while an answer runs: what there is becomes a stopped
 * answer, the engine is not waited for. */
static void
facet_replier_dispose (GObject *object)
{
  FacetReplier *self = FACET_REPLIER (object);

  if (self->job != 0) {
    facet_engine_service_forget (self->service, self->job);
    facet_store_finish_message (facet_conversation_get_store (self->conversation),
                                facet_message_get_id (self->message), FACET_MESSAGE_STOPPED,
                                facet_message_get_text (self->message), facet_message_get_thoughts (self->message),
                                NULL, NULL, NULL);
    facet_message_finish (self->message, FACET_MESSAGE_STOPPED, NULL, NULL);
    reset (self);
  }
  g_clear_object (&self->service);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (facet_replier_parent_class)->dispose (object);
}

static void
facet_replier_finalize (GObject *object)
{
  g_free (FACET_REPLIER (object)->phase);
  G_OBJECT_CLASS (facet_replier_parent_class)->finalize (object);
}

static void
facet_replier_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetReplier *self = FACET_REPLIER (object);

  switch (id) {
  case PROP_RUNNING:
    g_value_set_boolean (value, self->job != 0);
    break;
  case PROP_PHASE:
    g_value_set_string (value, self->phase);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_replier_class_init (FacetReplierClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->dispose = facet_replier_dispose;
  object_class->finalize = facet_replier_finalize;
  object_class->get_property = facet_replier_get_property;

  props[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  props[PROP_PHASE] = g_param_spec_string ("phase", NULL, NULL, "", flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  finished_signal = g_signal_new ("finished", FACET_TYPE_REPLIER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, FACET_TYPE_MESSAGE);
}

static void
facet_replier_init (FacetReplier *self)
{
  self->phase = g_strdup ("");
}
