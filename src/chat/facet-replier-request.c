#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-replier-private.h"

#include "modes/facet-mode.h"
#include "modes/facet-policy.h"
#include "settings/facet-settings.h"

static gboolean
is_summary (const FacetStoreMessage *record)
{
  return g_str_equal (facet_mode_find (record->mode)->id, "summarise");
}

gboolean
_facet_replier_is_transcription (const char *mode, FacetStoreRole role, GPtrArray *attachments)
{
  const char *id = facet_mode_find (mode)->id;
  gboolean sounds = FALSE;

  if (role != FACET_STORE_ROLE_USER
      || (!g_str_equal (id, "transcribe") && !g_str_equal (id, "translate") && !g_str_equal (id, "summarise")))
    return FALSE;
  for (guint i = 0; attachments != NULL && i < attachments->len; i++) {
    const FacetStoreAttachment *attachment = attachments->pdata[i];

    if (attachment->kind != FACET_ATTACHMENT_AUDIO)
      return FALSE;
    sounds = TRUE;
  }
  return sounds;
}

/* ---- questions ---------------------------------------------------------- */

/* @files takes what text files say, as it stands in the request. */
static void
add_attachment (FacetRequest *request, FacetStore *store, const FacetStoreAttachment *attachment, gboolean heard, GString *files)
{
  g_autofree char *path = facet_store_attachment_path (store, attachment);
  g_autofree char *contents = NULL;

  switch (attachment->kind) {
  case FACET_ATTACHMENT_IMAGE:
    facet_request_add_picture (request, path);
    break;
  case FACET_ATTACHMENT_AUDIO:
    if (heard)
      facet_request_add_sound (request, path);
    break;
  case FACET_ATTACHMENT_TEXT:
  default:
    if (g_file_get_contents (path, &contents, NULL, NULL)) {
      g_autofree char *quoted = facet_mode_quote_file (attachment->name, contents, -1);

      facet_request_add_text (request, quoted);
      g_string_append (files, quoted);
    } else {
      facet_request_set_missing (request, path);
    }
    break;
  }
}

static void
ask_for_transcript (FacetReplier *self, FacetRequest *request, const FacetStoreMessage *record, const char *rendered)
{
  g_autofree char *plain = facet_mode_render_spoken ("transcribe", "", self->settings);
  g_autofree char *before = g_strconcat (rendered, "\n\n", NULL);

  facet_request_transcribe (request, is_summary (record) ? plain : rendered);
  if (is_summary (record))
    facet_request_summarise (request, before, "", NULL);
}

static void
ask_for_summary (FacetReplier *self, FacetRequest *request, const FacetStoreMessage *record, const char *text)
{
  g_autofree char *before = NULL, *after = NULL;

  facet_mode_render_around (record->mode, self->settings, &before, &after);
  facet_request_summarise (request, before, after, text);
}

static gboolean
is_text_only (const FacetStoreMessage *record)
{
  for (guint i = 0; record->attachments != NULL && i < record->attachments->len; i++)
    if (((const FacetStoreAttachment *) record->attachments->pdata[i])->kind != FACET_ATTACHMENT_TEXT)
      return FALSE;
  return TRUE;
}

/* Earlier recordings that were written down are left out: the answer to them,
 * which the person may have corrected (facet_conversation_correct()), is their
 * text. */
static void
add_question (FacetReplier *self, FacetRequest *request, FacetStore *store, const FacetStoreMessage *record,
              const char *text, gboolean last)
{
  gboolean transcription = _facet_replier_is_transcription (record->mode, record->role, record->attachments);
  g_autoptr (GString) files = g_string_new (NULL);
  g_autofree char *rendered = NULL;

  facet_request_begin_turn (request, FACET_ROLE_USER);
  for (guint i = 0; record->attachments != NULL && i < record->attachments->len; i++)
    add_attachment (request, store, record->attachments->pdata[i], last || !transcription, files);
  if (transcription)
    rendered = facet_mode_render_spoken (record->mode, text, self->settings);
  else
    rendered = facet_mode_render (record->mode, text, self->settings);
  if (transcription && last)
    ask_for_transcript (self, request, record, rendered);
  else if (is_summary (record) && last && is_text_only (record))
    ask_for_summary (self, request, record, g_string_append (files, text)->str);
  facet_request_add_text (request, rendered);
}

/* ---- answers ------------------------------------------------------------ */

/* What the model is told. */
static char *
result_text (const FacetCallRecord *call)
{
  switch (call->state) {
  case FACET_CALL_DONE:
    return g_strdup (call->result);
  case FACET_CALL_FAILED:
    return g_strconcat ("Error: ", call->result, NULL);
  case FACET_CALL_DENIED:
    return g_strdup (FACET_TOOLBOX_DENIED);
  case FACET_CALL_OPEN:
  case FACET_CALL_STOPPED:
  default:
    return g_strdup ("The person stopped this.");
  }
}

static void
add_text (FacetRequest *request, const char *text, gsize length)
{
  g_autofree char *part = g_strndup (text, length);

  if (length > 0)
    facet_request_add_text (request, part);
}

/* The results of a round follow all of its calls. */
static void
add_answer (FacetRequest *request, const char *text, const GPtrArray *calls)
{
  gsize at = 0;

  facet_request_begin_turn (request, FACET_ROLE_MODEL);
  for (guint i = 0, first = 0; i < calls->len; i++) {
    const FacetCallRecord *call = calls->pdata[i];
    gboolean last = i + 1 == calls->len || ((const FacetCallRecord *) calls->pdata[i + 1])->round != call->round;

    add_text (request, text + at, call->offset - at);
    at = call->offset;
    facet_request_add_call (request, call->tool, call->arguments);
    for (; last && first <= i; first++) {
      const FacetCallRecord *done = calls->pdata[first];
      g_autofree char *result = result_text (done);

      facet_request_add_result (request, done->tool, result);
    }
  }
  add_text (request, text + at, strlen (text + at));
}

/* ---- checks of pictures ------------------------------------------------- */

gboolean
_facet_replier_judges (FacetMessage *question)
{
  return !facet_message_is_answer (question) && facet_mode_find (facet_message_get_record (question)->mode)->judges;
}

/* Pictures are judged by themselves, whatever else the chat holds. @own: a
 * policy of the person's own, or "". */
static FacetRequest *
ask_for_check (FacetStore *store, const FacetStoreMessage *record, const char *own)
{
  FacetRequest *request = facet_request_new ();

  facet_request_begin_turn (request, FACET_ROLE_USER);
  for (guint i = 0; record->attachments != NULL && i < record->attachments->len; i++) {
    const FacetStoreAttachment *attachment = record->attachments->pdata[i];
    g_autofree char *path = facet_store_attachment_path (store, attachment);

    if (attachment->kind == FACET_ATTACHMENT_IMAGE)
      facet_request_add_picture (request, path);
  }
  facet_request_check (request);
  for (const FacetPolicy *policy = facet_policies; policy->name != NULL; policy++)
    if (facet_policy_is_chosen (policy, record->mode))
      facet_request_add_policy (request, _(policy->title), facet_policy_text (policy->name));
  if (*own != '\0')
    facet_request_add_policy (request, _("Your policy"), own);
  return request;
}

/* ---- the whole ---------------------------------------------------------- */

static void
add_messages (FacetReplier *self, FacetRequest *request, FacetConversation *conversation, FacetMessage *last, gboolean asks_last)
{
  FacetStore *store = facet_conversation_get_store (conversation);
  int end = last != NULL ? facet_conversation_find (conversation, last) : -1;

  for (int i = 0; i <= end; i++) {
    FacetMessage *message = facet_conversation_get_message (conversation, i);
    const char *text = facet_message_get_text (message);
    const GPtrArray *calls = facet_message_get_calls (message);

    if (!facet_message_is_answer (message))
      add_question (self, request, store, facet_message_get_record (message), text, i == end && asks_last);
    else if (*text != '\0' || calls->len > 0) /* what failed before its first word would end the prompt oddly */
      add_answer (request, text, calls);
  }
}

static FacetRequest *
begin (FacetReplier *self, FacetConversation *conversation)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  FacetRequest *request = facet_request_new ();
  g_autofree char *system = g_settings_get_string (self->settings, "system-prompt");

  if (*system != '\0') {
    facet_request_begin_turn (request, FACET_ROLE_SYSTEM);
    facet_request_add_text (request, system);
  }
  request->thinking = loaded != NULL && loaded->thinks && facet_conversation_get_options (conversation)->thinking;
  request->own_sampling = !g_settings_get_boolean (self->settings, "model-sampling");
  if (request->own_sampling) {
    const FacetSampling unused = { 0 };

    request->sampling = facet_settings_get_sampling (self->settings, &unused);
  }
  return request;
}

FacetRequest *
_facet_replier_build_request (FacetReplier *self, FacetConversation *conversation, FacetMessage *last, FacetToolbox *toolbox)
{
  FacetRequest *request;

  if (last != NULL && _facet_replier_judges (last))
    return ask_for_check (facet_conversation_get_store (conversation), facet_message_get_record (last), facet_message_get_text (last));
  request = begin (self, conversation);
  if (toolbox != NULL)
    request->tools = g_ptr_array_ref (facet_toolbox_tools (toolbox));
  add_messages (self, request, conversation, last, TRUE);
  return request;
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
  const FacetStoreMessage question = {
    .role = FACET_STORE_ROLE_USER,
    .mode = (char *) draft_mode,
    .attachments = draft_attachments,
  };
  FacetToolbox *toolbox = NULL;
  FacetRequest *request;

  if (draft != NULL && facet_mode_find (draft_mode)->judges)
    return ask_for_check (store, &question, draft);
  request = begin (self, conversation);
  if (facet_conversation_get_options (conversation)->tools)
    toolbox = _facet_replier_get_toolbox (self, NULL);
  if (toolbox != NULL)
    request->tools = g_ptr_array_ref (facet_toolbox_tools (toolbox));
  add_messages (self, request, conversation, last, draft == NULL);
  if (draft != NULL)
    add_question (self, request, store, &question, draft, TRUE);
  return request;
}
