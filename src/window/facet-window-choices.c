#define G_LOG_DOMAIN "facet"

#include "config.h"

#include "facet-window-private.h"

/* Mode, tools, thinking and the unsent draft belong to the chat: the composer
 * shows those of the conversation that is shown. */

#define DRAFT_MS 400

static void
report (FacetWindow *self, gboolean stored, const GError *error)
{
  if (!stored)
    facet_window_say (self, error->message);
}

/* ---- choices ------------------------------------------------------------ */

static void
show_choices (FacetWindow *self)
{
  const FacetChatOptions *options = facet_conversation_get_options (self->conversation);
  g_autofree char *usual = g_settings_get_string (self->settings, "assistant-mode");
  const FacetMode *mode = facet_mode_find (*options->mode != '\0' ? options->mode : usual);

  /* what the model cannot do now is chosen again with one that can */
  if (!facet_composer_offers (self->composer, mode))
    mode = facet_composer_get_usual_mode (self->composer);
  if (facet_composer_get_mode (self->composer) != mode)
    facet_composer_set_mode (self->composer, mode);
  facet_composer_set_choices (self->composer, options);
  _facet_window_update_meter (self);
}

static void
mode_chosen_cb (FacetWindow *self, const char *mode)
{
  g_autoptr (GError) error = NULL;
  gboolean stored = facet_conversation_set_mode (self->conversation, mode, &error);

  report (self, stored, error);
}

static void
choice_cb (FacetWindow *self, const char *name, gboolean on)
{
  g_autoptr (GError) error = NULL;
  gboolean stored;

  if (g_str_equal (name, "tools"))
    stored = facet_conversation_set_tools (self->conversation, on, &error);
  else if (g_str_equal (name, "thinking"))
    stored = facet_conversation_set_thinking (self->conversation, on, &error);
  else
    stored = facet_conversation_allow_tool (self->conversation, NULL, &error);
  report (self, stored, error);
}

void
_facet_window_choose_mode (FacetWindow *self, const FacetMode *mode)
{
  facet_composer_set_mode (self->composer, mode);
  mode_chosen_cb (self, mode->id);
}

/* ---- the draft ---------------------------------------------------------- */

/* Attachments are kept while the program runs; recordings lie on disk. */
static void
stash_attachments (FacetWindow *self)
{
  gint64 chat = facet_conversation_get_chat_id (self->conversation);
  GPtrArray *attachments = facet_composer_take_attachments (self->composer);

  if (attachments->len > 0)
    g_hash_table_insert (self->unsent, g_memdup2 (&chat, sizeof chat), attachments);
  else
    g_ptr_array_unref (attachments);
}

/* Into a chat that is not shown. */
void
_facet_window_stash_attachment (FacetWindow *self, gint64 chat, FacetAttachment *attachment)
{
  GPtrArray *attachments = g_hash_table_lookup (self->unsent, &chat);

  if (attachments == NULL) {
    attachments = g_ptr_array_new_with_free_func (g_object_unref);
    g_hash_table_insert (self->unsent, g_memdup2 (&chat, sizeof chat), attachments);
  }
  g_ptr_array_add (attachments, g_object_ref (attachment));
}

static void
unstash_attachments (FacetWindow *self)
{
  gint64 chat = facet_conversation_get_chat_id (self->conversation);
  GPtrArray *attachments = g_hash_table_lookup (self->unsent, &chat);

  for (guint i = 0; attachments != NULL && i < attachments->len; i++)
    facet_composer_put_attachment (self->composer, attachments->pdata[i]);
  g_hash_table_remove (self->unsent, &chat);
}

/* An edited message is no draft. */
static gboolean
save_draft (FacetWindow *self, GError **error)
{
  g_autofree char *text = facet_composer_get_text (self->composer);

  if (self->editing == NULL)
    return facet_conversation_set_draft (self->conversation, text, error);
  facet_message_set_revision (self->editing, text);
  return TRUE;
}

void
_facet_window_save_draft (FacetWindow *self)
{
  g_autoptr (GError) error = NULL;

  g_clear_handle_id (&self->draft_timer, g_source_remove);
  if (self->conversation == NULL)
    return;
  if (!save_draft (self, &error) || !facet_conversation_save_revisions (self->conversation, &error))
    g_warning ("the draft could not be stored: %s", error->message);
}

void
_facet_window_show_draft (FacetWindow *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *draft = facet_conversation_get_draft (self->conversation, &error);

  if (draft == NULL)
    g_warning ("the draft cannot be read: %s", error->message);
  facet_composer_set_text (self->composer, draft != NULL ? draft : "");
}

static gboolean
draft_cb (gpointer data)
{
  FacetWindow *self = data;

  self->draft_timer = 0;
  _facet_window_save_draft (self);
  return G_SOURCE_REMOVE;
}

void
_facet_window_save_draft_soon (FacetWindow *self)
{
  if (self->draft_timer == 0)
    self->draft_timer = g_timeout_add (DRAFT_MS, draft_cb, self);
}

void
_facet_window_forget_draft (FacetWindow *self, FacetConversation *conversation)
{
  gint64 chat = facet_conversation_get_chat_id (conversation);
  g_autoptr (GError) error = NULL;

  g_hash_table_remove (self->unsent, &chat);
  if (!facet_conversation_set_draft (conversation, "", &error))
    g_warning ("the draft could not be removed: %s", error->message);
}

/* ---- messages that are being rewritten ---------------------------------- */

void
_facet_window_forget_revision (FacetWindow *self, FacetMessage *message)
{
  g_autoptr (GError) error = NULL;

  facet_message_set_revision (message, NULL);
  if (!facet_message_save_revision (message, self->store, &error))
    g_warning ("what was written in place of a message could not be removed: %s", error->message);
}

/* A question is rewritten in the composer, an answer in its row. */
static void
show_revisions (FacetWindow *self)
{
  for (guint i = 0; i < facet_conversation_get_length (self->conversation); i++) {
    FacetMessage *message = facet_conversation_get_message (self->conversation, i);
    g_autofree char *text = g_strdup (facet_message_get_revision (message));

    if (text == NULL || facet_message_is_answer (message))
      continue;
    _facet_window_set_editing (self, message);
    facet_composer_set_text (self->composer, text);
  }
}

/* ---- one conversation after the other ----------------------------------- */

void
_facet_window_leave_conversation (FacetWindow *self)
{
  if (self->conversation == NULL)
    return;
  _facet_window_save_draft (self);
  stash_attachments (self);
}

void
_facet_window_enter_conversation (FacetWindow *self)
{
  g_signal_connect_object (self->conversation, "notify::options", G_CALLBACK (show_choices), self, G_CONNECT_SWAPPED);
  _facet_window_show_draft (self);
  unstash_attachments (self);
  show_revisions (self);
  show_choices (self);
}

void
_facet_window_update_choices (FacetWindow *self)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);

  facet_composer_set_thinks (self->composer, loaded != NULL && loaded->thinks);
  show_choices (self);
}

void
_facet_window_setup_choices (FacetWindow *self)
{
  self->unsent = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  g_signal_connect_swapped (self->composer, "mode-chosen", G_CALLBACK (mode_chosen_cb), self);
  g_signal_connect_swapped (self->composer, "choice", G_CALLBACK (choice_cb), self);
  g_signal_connect_swapped (self->composer, "changed", G_CALLBACK (_facet_window_save_draft_soon), self);
}
