#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "facet-replier-private.h"

#include "service/facet-error-text.h"

#define SAVE_INTERVAL_MS 500

enum {
  PROP_RUNNING = 1,
  PROP_PHASE,
  PROP_QUESTION,
  N_PROPS
};

static GParamSpec *props[N_PROPS];
static guint finished_signal;

G_DEFINE_FINAL_TYPE (FacetReplier, facet_replier, G_TYPE_OBJECT)

void
_facet_replier_set_phase (FacetReplier *self, const char *phase)
{
  if (g_strcmp0 (self->phase, phase) == 0)
    return;
  g_free (self->phase);
  self->phase = g_strdup (phase);
  if (self->message != NULL)
    facet_message_set_phase (self->message, phase);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PHASE]);
}

void
_facet_replier_set_question (FacetReplier *self, int index, char *question)
{
  if (self->asked == index)
    return;
  self->asked = index;
  g_free (self->question);
  self->question = question;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_QUESTION]);
}

/* While another program has the chats locked, the next time is soon enough. */
static gboolean
save_cb (gpointer data)
{
  FacetReplier *self = data;
  g_autoptr (GError) error = NULL;

  if (self->unsaved && !facet_store_save_running (facet_conversation_get_store (self->conversation),
                                                  facet_message_get_id (self->message),
                                                  facet_message_get_text (self->message),
                                                  facet_message_get_thoughts (self->message), &error)) {
    if (g_error_matches (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY))
      return G_SOURCE_CONTINUE;
    g_warning ("the running answer could not be saved: %s", error->message);
  }
  self->unsaved = FALSE;
  return G_SOURCE_CONTINUE;
}

static gboolean
needs_break (const char *text)
{
  return *text != '\0' && text[strlen (text) - 1] != '\n';
}

static void
text_cb (const char *text, gsize length, gpointer user_data)
{
  FacetReplier *self = user_data;

  _facet_replier_set_phase (self, C_("engine phase", "Answering…"));
  self->unsaved = TRUE;
  /* what comes after the result of a call is a paragraph of its own */
  if (!self->text_begun && self->round > 0 && needs_break (facet_message_get_text (self->message)))
    facet_message_append (self->message, "\n\n", 2);
  self->text_begun = TRUE;
  facet_message_append (self->message, text, length);
}

static void
thought_cb (const char *text, gsize length, gpointer user_data)
{
  FacetReplier *self = user_data;

  _facet_replier_set_phase (self, C_("engine phase", "Thinking…"));
  self->unsaved = TRUE;
  if (!self->thought_begun && needs_break (facet_message_get_thoughts (self->message)))
    facet_message_append_thought (self->message, "\n\n", 2);
  self->thought_begun = TRUE;
  facet_message_append_thought (self->message, text, length);
}

static void
set_listening (FacetReplier *self, guint64 done, guint64 total)
{
  g_autofree char *share = NULL;

  if (total == 0) {
    _facet_replier_set_phase (self, C_("engine phase", "Listening…"));
    return;
  }
  /* Translators: how much of a recording has been heard. */
  share = g_strdup_printf (C_("engine phase", "Listening… %d %%"), (int) (done * 100 / total));
  _facet_replier_set_phase (self, share);
}

static void
progress_cb (FacetPhase phase, guint64 done, guint64 total, gpointer user_data)
{
  FacetReplier *self = user_data;

  switch (phase) {
  case FACET_PHASE_ENCODE_IMAGE:
    _facet_replier_set_phase (self, C_("engine phase", "Looking at the picture…"));
    break;
  case FACET_PHASE_ENCODE_AUDIO:
    set_listening (self, done, total);
    break;
  case FACET_PHASE_PREFILL:
    _facet_replier_set_phase (self, C_("engine phase", "Reading…"));
    break;
  case FACET_PHASE_LOAD:
  case FACET_PHASE_DECODE:
  case FACET_PHASE_WRITE:
  default:
    break;
  }
}

static char *
stats_to_json (FacetReplier *self)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  const FacetStats *stats = &self->total.stats;
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
  ADD ("stop_reason", int, self->total.stop_reason);
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
  g_clear_pointer (&self->offered, facet_toolbox_unref);
  g_clear_object (&self->message);
  g_clear_object (&self->conversation);
  _facet_replier_set_phase (self, "");
}

static const char *
failure_sentence (FacetReplier *self, const GError *failure)
{
  if (self->hears && g_error_matches (failure, FACET_ERROR, FACET_ERROR_CONTEXT_FULL))
    return _("The conversation and its recordings do not fit the context. Transcribe a long recording first, then ask about its text.");
  return facet_error_text (failure);
}

void
_facet_replier_finish (FacetReplier *self, const GError *failure)
{
  g_autoptr (FacetMessage) message = g_object_ref (self->message);
  g_autofree char *stats = failure == NULL ? stats_to_json (self) : failure_to_json (failure);
  const char *sentence = failure != NULL ? failure_sentence (self, failure) : NULL;
  FacetMessageStatus status = FACET_MESSAGE_DONE;
  g_autoptr (GError) error = NULL;

  if (failure != NULL) {
    g_message ("the answer failed: %s", failure->message);
    status = FACET_MESSAGE_FAILED;
  } else if (self->total.stop_reason == FACET_STOP_CANCELLED) {
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

/* The prompt of the last round holds those before it. */
static void
add_round (FacetReplier *self, const FacetReplySummary *summary)
{
  FacetStats *total = &self->total.stats;
  FacetStats so_far = *total;

  self->total.stop_reason = summary->stop_reason;
  *total = summary->stats;
  if (self->round == 0)
    return;
  total->generated_tokens += so_far.generated_tokens;
  total->decode_seconds += so_far.decode_seconds;
  total->prefill_seconds += so_far.prefill_seconds;
  total->first_token_seconds = so_far.first_token_seconds;
}

static void
done_cb (const FacetReplySummary *summary, const GError *failure, gpointer user_data)
{
  FacetReplier *self = user_data;

  self->job = 0;
  if (summary != NULL)
    add_round (self, summary);
  if (summary != NULL && summary->stop_reason != FACET_STOP_CANCELLED && summary->calls != NULL && summary->calls->len > 0)
    _facet_replier_take_calls (self, summary->calls);
  else
    _facet_replier_finish (self, failure);
}

/* ---- rounds ------------------------------------------------------------- */

static gboolean
holds_sound (const FacetRequest *request)
{
  for (guint i = 0; i < request->turns->len; i++) {
    const FacetTurn *turn = request->turns->pdata[i];

    for (guint k = 0; k < turn->parts->len; k++)
      if (((const FacetPart *) turn->parts->pdata[k])->kind == FACET_PART_SOUND)
        return TRUE;
  }
  return FALSE;
}

void
_facet_replier_begin_round (FacetReplier *self)
{
  const FacetReplyEvents events = { .text = text_cb, .thought = thought_cb, .progress = progress_cb, .done = done_cb };
  gboolean may_call = self->round + 1 < FACET_TOOLBOX_MAX_ROUNDS;
  g_autoptr (FacetRequest) request = NULL;
  FacetMessage *last = self->message;

  /* an answer that nothing is known of yet is no part of its own prompt */
  if (*facet_message_get_text (last) == '\0' && facet_message_get_calls (last)->len == 0)
    last = facet_conversation_get_message (self->conversation, (guint) facet_conversation_find (self->conversation, last) - 1);
  request = _facet_replier_build_request (self, self->conversation, last, may_call ? self->offered : NULL);
  self->hears = holds_sound (request) && request->instruction == NULL;
  self->text_begun = self->thought_begun = FALSE;
  _facet_replier_set_phase (self, C_("engine phase", "Reading…"));
  self->job = facet_engine_service_reply (self->service, request, &events, self);
}

static guint
next_round (FacetMessage *message)
{
  const GPtrArray *calls = facet_message_get_calls (message);

  return calls->len > 0 ? ((const FacetCallRecord *) calls->pdata[calls->len - 1])->round + 1 : 0;
}

static void
start (FacetReplier *self, FacetConversation *conversation, FacetMessage *message, FacetToolbox *offered)
{
  self->conversation = g_object_ref (conversation);
  self->message = g_object_ref (message);
  self->offered = offered != NULL ? facet_toolbox_ref (offered) : NULL;
  self->round = 0;
  self->first_round = next_round (message);
  self->total = (FacetReplySummary){ .stop_reason = FACET_STOP_CANCELLED };
  self->unsaved = FALSE;
  self->save_timer = g_timeout_add (SAVE_INTERVAL_MS, save_cb, self);
  _facet_replier_begin_round (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_RUNNING]);
}

/* A safety model only judges pictures, and no other model does. */
static gboolean
check_kind (FacetReplier *self, gboolean judging, GError **error)
{
  gboolean judges = facet_engine_service_get_loaded (self->service)->judges;

  if (judges && !judging)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, _("This model only checks pictures. Choose another one to chat."));
  else if (judging && !judges)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                         _("Only a safety model such as ShieldGemma 2 checks pictures. Choose one first."));
  return judges == judging;
}

/* @question may be NULL; @offered: the tools that the chat offers, NULL if none. */
static gboolean
check_ready (FacetReplier *self, FacetConversation *conversation, FacetMessage *question, FacetToolbox **offered, GError **error)
{
  gboolean judging = question != NULL && _facet_replier_judges (question);
  gboolean tools = facet_conversation_get_options (conversation)->tools && !judging;

  if (facet_replier_is_running (self)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, _("Another answer is being written."));
    return FALSE;
  }
  if (facet_engine_service_get_loaded (self->service) == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED, _("Choose a model first."));
    return FALSE;
  }
  *offered = NULL;
  if (!check_kind (self, judging, error))
    return FALSE;
  if (tools)
    *offered = _facet_replier_get_toolbox (self, error);
  return *offered != NULL || !tools;
}

static gboolean
is_transcription (const FacetStoreMessage *record)
{
  return _facet_replier_is_transcription (record->mode, record->role, record->attachments);
}

gboolean
facet_replier_answer (FacetReplier *self, FacetConversation *conversation, FacetMessage *question, GError **error)
{
  FacetToolbox *offered;
  FacetMessage *message;

  if (!check_ready (self, conversation, question, &offered, error))
    return FALSE;
  message = facet_conversation_begin_answer (conversation, question,
                                             facet_engine_service_get_loaded (self->service)->name, error);
  if (message == NULL)
    return FALSE;
  start (self, conversation, message, offered);
  return TRUE;
}

gboolean
facet_replier_continue (FacetReplier *self, FacetConversation *conversation, FacetMessage *answer, GError **error)
{
  int index = facet_conversation_find (conversation, answer);
  FacetMessage *question = index > 0 ? facet_conversation_get_message (conversation, index - 1) : NULL;
  FacetToolbox *offered;

  if (!check_ready (self, conversation, question, &offered, error))
    return FALSE;
  /* its journal gives what there was, as a new answer; a check is quick */
  if (question != NULL && (is_transcription (facet_message_get_record (question)) || _facet_replier_judges (question)))
    return facet_replier_answer (self, conversation, question, error);
  if (!facet_store_resume_message (facet_conversation_get_store (conversation), facet_message_get_id (answer), error))
    return FALSE;
  facet_message_resume (answer);
  start (self, conversation, answer, offered);
  return TRUE;
}

/* Between two rounds the engine has nothing to stop. */
void
facet_replier_stop (FacetReplier *self)
{
  if (self->job != 0) {
    facet_engine_service_stop (self->service, self->job);
  } else if (self->message != NULL) {
    _facet_replier_drop_calls (self);
    self->total.stop_reason = FACET_STOP_CANCELLED;
    _facet_replier_finish (self, NULL);
  }
}

gboolean
facet_replier_is_running (FacetReplier *self)
{
  return self->message != NULL;
}

FacetMessage *
facet_replier_get_message (FacetReplier *self)
{
  return self->message;
}

const FacetCallRecord *
facet_replier_get_asked (FacetReplier *self)
{
  return self->asked >= 0 ? facet_message_get_calls (self->message)->pdata[self->asked] : NULL;
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

  if (self->message != NULL) {
    if (self->job != 0)
      facet_engine_service_forget (self->service, self->job);
    _facet_replier_drop_calls (self);
    facet_store_finish_message (facet_conversation_get_store (self->conversation),
                                facet_message_get_id (self->message), FACET_MESSAGE_STOPPED,
                                facet_message_get_text (self->message), facet_message_get_thoughts (self->message),
                                NULL, NULL, NULL);
    facet_message_finish (self->message, FACET_MESSAGE_STOPPED, NULL, NULL);
    reset (self);
  }
  g_clear_object (&self->service);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->toolbox, facet_toolbox_unref);
  G_OBJECT_CLASS (facet_replier_parent_class)->dispose (object);
}

static void
facet_replier_finalize (GObject *object)
{
  FacetReplier *self = FACET_REPLIER (object);

  g_free (self->phase);
  g_free (self->question);
  g_free (self->toolbox_key);
  G_OBJECT_CLASS (facet_replier_parent_class)->finalize (object);
}

static void
facet_replier_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetReplier *self = FACET_REPLIER (object);

  switch (id) {
  case PROP_RUNNING:
    g_value_set_boolean (value, self->message != NULL);
    break;
  case PROP_PHASE:
    g_value_set_string (value, self->phase);
    break;
  case PROP_QUESTION:
    g_value_set_string (value, self->question);
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
  props[PROP_QUESTION] = g_param_spec_string ("question", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  finished_signal = g_signal_new ("finished", FACET_TYPE_REPLIER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, FACET_TYPE_MESSAGE);
}

static void
facet_replier_init (FacetReplier *self)
{
  self->phase = g_strdup ("");
  self->asked = -1;
}
