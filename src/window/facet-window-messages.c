#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

/* What can be done with one message. What changes the chat may have to wait
 * (_facet_window_change()); by then another chat may be shown. */

static FacetMessage *
find_message (FacetConversation *conversation, gint64 id, FacetMessage **before)
{
  guint n = facet_conversation_get_length (conversation);

  for (guint i = 0; i < n; i++) {
    FacetMessage *message = facet_conversation_get_message (conversation, i);

    if (facet_message_get_id (message) == id) {
      if (before != NULL)
        *before = i > 0 ? facet_conversation_get_message (conversation, i - 1) : NULL;
      return message;
    }
  }
  return NULL;
}

static void
copy_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  FacetMessage *message = find_message (self->conversation, g_variant_get_int64 (parameter), NULL);

  if (message == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), facet_message_get_text (message));
  facet_window_say (self, _("Copied"));
}

static void
edit_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  FacetMessage *message = find_message (self->conversation, g_variant_get_int64 (parameter), NULL);

  if (message != NULL)
    _facet_window_set_editing (self, message);
}

static void
revised_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  _facet_window_save_draft_soon (data);
}

/* ---- changes ------------------------------------------------------------ */

/* One message of one chat. */
typedef struct {
  gint64 chat;
  gint64 message;
  gint64 other; /* id of another one, or number of a branch */
  char  *text;
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->text);
  g_free (change);
}

static void
change_soon (FacetWindow *self, FacetWindowChange change, Change values)
{
  _facet_window_change (self, change, values.message, g_memdup2 (&values, sizeof values), change_free);
}

/* An answer that nobody would see is not begun. */
static gboolean
regenerate (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);
  FacetMessage *question = NULL;

  if (conversation == NULL)
    return FALSE;
  if (self->closing || find_message (conversation, change->message, &question) == NULL || question == NULL)
    return TRUE;
  if (conversation == self->conversation)
    facet_chat_view_scroll_to_end (FACET_CHAT_VIEW (self->view));
  return facet_replier_answer (self->replier, conversation, question, error);
}

static gboolean
go_on (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);
  FacetMessage *message = conversation != NULL ? find_message (conversation, change->message, NULL) : NULL;

  if (conversation == NULL)
    return FALSE;
  return self->closing || message == NULL || facet_replier_continue (self->replier, conversation, message, error);
}

static gboolean
correct (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);
  FacetMessage *message = conversation != NULL ? find_message (conversation, change->message, NULL) : NULL;
  FacetMessage *correction;

  if (conversation == NULL || !_facet_window_check_free (self, change->chat, error))
    return FALSE;
  if (message == NULL)
    return TRUE;
  correction = facet_conversation_correct (conversation, message, change->text, error);
  if (correction == NULL)
    return FALSE;
  if (conversation == self->conversation)
    facet_chat_view_focus_message (FACET_CHAT_VIEW (self->view), correction);
  _facet_window_offer_undo (self, _("Answer corrected"), "chat.uncorrect",
                            g_variant_new ("(xxx)", change->chat, facet_message_get_id (correction), change->message));
  return TRUE;
}

static gboolean
uncorrect (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);

  return conversation != NULL && _facet_window_check_free (self, change->chat, error)
         && facet_conversation_uncorrect (conversation, change->message, change->other, error);
}

static gboolean
delete (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);

  if (conversation == NULL || !_facet_window_check_free (self, change->chat, error)
      || !facet_conversation_set_deleted (conversation, change->message, TRUE, error))
    return FALSE;
  _facet_window_offer_undo (self, _("Message deleted"), "chat.undelete",
                            g_variant_new ("(xx)", change->chat, change->message));
  return TRUE;
}

static gboolean
undelete (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);

  return conversation != NULL && facet_conversation_set_deleted (conversation, change->message, FALSE, error);
}

static gboolean
show_branch (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;
  g_autoptr (FacetConversation) conversation = _facet_window_find_conversation (self, change->chat, error);
  FacetMessage *message = conversation != NULL ? find_message (conversation, change->message, NULL) : NULL;

  if (conversation == NULL || !_facet_window_check_free (self, change->chat, error))
    return FALSE;
  return message == NULL || facet_conversation_show_sibling (conversation, message, change->other, error);
}

/* ---- actions ------------------------------------------------------------ */

static void
regenerate_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;

  change_soon (self, regenerate, (Change){ facet_conversation_get_chat_id (self->conversation), g_variant_get_int64 (parameter) });
}

static void
continue_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;

  change_soon (self, go_on, (Change){ facet_conversation_get_chat_id (self->conversation), g_variant_get_int64 (parameter) });
}

static void
correct_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  Change change = { .chat = facet_conversation_get_chat_id (self->conversation) };

  g_variant_get (parameter, "(xs)", &change.message, &change.text);
  change_soon (self, correct, change);
}

static void
uncorrect_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  Change change = { 0 };

  g_variant_get (parameter, "(xxx)", &change.chat, &change.message, &change.other);
  facet_window_open_chat (self, change.chat);
  change_soon (self, uncorrect, change);
  facet_composer_focus (self->composer);
}

static void
delete_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;

  change_soon (self, delete, (Change){ facet_conversation_get_chat_id (self->conversation), g_variant_get_int64 (parameter) });
}

static void
undelete_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  Change change = { 0 };

  g_variant_get (parameter, "(xx)", &change.chat, &change.message);
  facet_window_open_chat (self, change.chat);
  change_soon (self, undelete, change);
}

static void
branch_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  Change change = { .chat = facet_conversation_get_chat_id (self->conversation) };
  guint index;

  g_variant_get (parameter, "(xu)", &change.message, &index);
  change.other = index;
  change_soon (self, show_branch, change);
}

void
_facet_window_add_chat_actions (FacetWindow *self)
{
  const GActionEntry entries[] = {
    { "copy", copy_cb, "x" },
    { "regenerate", regenerate_cb, "x" },
    { "continue", continue_cb, "x" },
    { "edit", edit_cb, "x" },
    { "correct", correct_cb, "(xs)" },
    { "revised", revised_cb },
    { "uncorrect", uncorrect_cb, "(xxx)" },
    { "delete", delete_cb, "x" },
    { "undelete", undelete_cb, "(xx)" },
    { "branch", branch_cb, "(xu)" },
  };
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (group), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "chat", G_ACTION_GROUP (group));
}
