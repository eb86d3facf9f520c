#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

#include "chat/facet-message-row.h"

static void
report (FacetWindow *self, const GError *error)
{
  if (error != NULL)
    facet_window_say (self, error->message);
}

/* ---- one message -------------------------------------------------------- */

static FacetMessage *
find_message (FacetWindow *self, gint64 id, FacetMessage **before)
{
  guint n = facet_conversation_get_length (self->conversation);

  for (guint i = 0; i < n; i++) {
    FacetMessage *message = facet_conversation_get_message (self->conversation, i);

    if (facet_message_get_id (message) == id) {
      if (before != NULL)
        *before = i > 0 ? facet_conversation_get_message (self->conversation, i - 1) : NULL;
      return message;
    }
  }
  return NULL;
}

static void
copy_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  FacetMessage *message = find_message (self, g_variant_get_int64 (parameter), NULL);

  if (message == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), facet_message_get_text (message));
  facet_window_say (self, _("Copied"));
}

static void
regenerate_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  FacetMessage *question = NULL;
  g_autoptr (GError) error = NULL;

  if (find_message (self, g_variant_get_int64 (parameter), &question) == NULL || question == NULL)
    return;
  facet_chat_view_scroll_to_end (FACET_CHAT_VIEW (self->view));
  facet_replier_answer (self->replier, self->conversation, question, &error);
  report (self, error);
}

static void
continue_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  FacetMessage *message = find_message (self, g_variant_get_int64 (parameter), NULL);
  g_autoptr (GError) error = NULL;

  if (message == NULL)
    return;
  facet_replier_continue (self->replier, self->conversation, message, &error);
  report (self, error);
}

static void
edit_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  FacetMessage *message = find_message (self, g_variant_get_int64 (parameter), NULL);

  if (message != NULL)
    _facet_window_set_editing (self, message);
}

/* Says why nothing that changes the shown branch can be done now. */
static gboolean
is_answered (FacetWindow *self)
{
  gboolean answered = facet_replier_is_running (self->replier) &&
                      facet_replier_get_conversation (self->replier) == self->conversation;

  if (answered)
    facet_window_say (self, _("Stop the answer first."));
  return answered;
}

static void
offer_undo (FacetWindow *self, const char *sentence, const char *action, GVariant *target)
{
  AdwToast *toast = adw_toast_new (sentence);

  adw_toast_set_button_label (toast, _("_Undo"));
  adw_toast_set_action_name (toast, action);
  adw_toast_set_action_target_value (toast, target);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
correct_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  g_autoptr (GError) error = NULL;
  FacetMessage *message, *correction;
  const char *text;
  gint64 id;

  g_variant_get (parameter, "(x&s)", &id, &text);
  message = find_message (self, id, NULL);
  if (message == NULL || is_answered (self))
    return;
  correction = facet_conversation_correct (self->conversation, message, text, &error);
  if (correction == NULL) {
    report (self, error);
    return;
  }
  facet_chat_view_focus_message (FACET_CHAT_VIEW (self->view), correction);
  offer_undo (self, _("Answer corrected"), "chat.uncorrect",
              g_variant_new ("(xxx)", facet_conversation_get_chat_id (self->conversation), facet_message_get_id (correction), id));
}

static void
revised_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  _facet_window_save_draft_soon (data);
}

static void
uncorrect_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  g_autoptr (GError) error = NULL;
  gint64 chat_id, correction, original;

  g_variant_get (parameter, "(xxx)", &chat_id, &correction, &original);
  facet_window_open_chat (self, chat_id);
  if (is_answered (self))
    return;
  facet_conversation_uncorrect (self->conversation, correction, original, &error);
  report (self, error);
  facet_composer_focus (self->composer);
}

static void
delete_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  gint64 id = g_variant_get_int64 (parameter);
  g_autoptr (GError) error = NULL;

  if (is_answered (self))
    return;
  if (!facet_conversation_set_deleted (self->conversation, id, TRUE, &error)) {
    report (self, error);
    return;
  }
  offer_undo (self, _("Message deleted"), "chat.undelete",
              g_variant_new ("(xx)", facet_conversation_get_chat_id (self->conversation), id));
}

static void
undelete_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  g_autoptr (GError) error = NULL;
  gint64 chat_id;
  gint64 id;

  g_variant_get (parameter, "(xx)", &chat_id, &id);
  facet_window_open_chat (self, chat_id);
  facet_conversation_set_deleted (self->conversation, id, FALSE, &error);
  report (self, error);
}

static void
branch_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetWindow *self = data;
  g_autoptr (GError) error = NULL;
  FacetMessage *message;
  gint64 id;
  guint index;

  if (is_answered (self))
    return;
  g_variant_get (parameter, "(xu)", &id, &index);
  message = find_message (self, id, NULL);
  if (message != NULL)
    facet_conversation_show_sibling (self->conversation, message, index, &error);
  report (self, error);
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

/* ---- the window --------------------------------------------------------- */

static void
new_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_new_chat (FACET_WINDOW (widget));
}

static void
show_chats (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);

  adw_leaflet_set_visible_child (self->leaflet, self->sidebar);
}

static void
search (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);

  adw_leaflet_set_visible_child (self->leaflet, self->sidebar);
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

static void
try_sample (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_try_sample (FACET_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

static void
jump_to_end (GtkWidget *widget, const char *name, GVariant *parameter)
{
  facet_chat_view_jump_to_end (FACET_CHAT_VIEW (FACET_WINDOW (widget)->view));
}

static void
record (GtkWidget *widget, const char *name, GVariant *parameter)
{
  facet_composer_record (FACET_WINDOW (widget)->composer);
}

static void
restore_attachment (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_restore_attachment (FACET_WINDOW (widget), g_variant_get_uint32 (parameter));
}

static void
stop (GtkWidget *widget, const char *name, GVariant *parameter)
{
  facet_replier_stop (FACET_WINDOW (widget)->replier);
}

static void
copy_last (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);
  FacetMessage *last = facet_conversation_get_last (self->conversation);

  if (last != NULL)
    gtk_widget_activate_action (widget, "chat.copy", "x", facet_message_get_id (last));
}

static void
rename_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_rename_chat (FACET_WINDOW (widget));
}

static void
suggest_title (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_suggest_title (FACET_WINDOW (widget));
}

static void
pin_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);
  FacetChat *chat = _facet_window_get_chat (self);
  g_autoptr (GError) error = NULL;

  if (chat != NULL)
    facet_store_set_chat_pinned (self->store, facet_chat_get_id (chat), !facet_chat_get_pinned (chat), &error);
  report (self, error);
}

static void
delete_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);
  gint64 id = facet_conversation_get_chat_id (self->conversation);
  g_autoptr (GError) error = NULL;

  if (id == 0 || is_answered (self))
    return;
  if (!facet_store_set_chat_deleted (self->store, id, TRUE, &error)) {
    report (self, error);
    return;
  }
  offer_undo (self, _("Chat deleted"), "win.undelete-chat", g_variant_new_int64 (id));
}

static void
undelete_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);
  gint64 id = g_variant_get_int64 (parameter);
  g_autoptr (GError) error = NULL;

  if (facet_store_set_chat_deleted (self->store, id, FALSE, &error))
    facet_window_open_chat (self, id);
  report (self, error);
}

static void
export_markdown (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_export (FACET_WINDOW (widget), FACET_EXPORT_MARKDOWN);
}

static void
export_json (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_export (FACET_WINDOW (widget), FACET_EXPORT_JSON);
}

static void
import (GtkWidget *widget, const char *name, GVariant *parameter)
{
  _facet_window_import (FACET_WINDOW (widget));
}

static gboolean
stop_key_cb (GtkWidget *widget, GVariant *args, gpointer data)
{
  FacetWindow *self = data;

  if (!facet_replier_is_running (self->replier))
    return FALSE;
  facet_replier_stop (self->replier);
  return TRUE;
}

/* A toast that is shown takes Escape before the window's own binding does; nobody shall have to press it twice to stop. */
void
_facet_window_add_stop_key (FacetWindow *self)
{
  GtkEventController *keys = gtk_shortcut_controller_new ();

  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys),
                                        gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                                                          gtk_callback_action_new (stop_key_cb, self, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self->leaflet), keys);
}

void
_facet_window_install_actions (FacetWindowClass *klass)
{
  static const struct {
    const char *name;
    const char *type;
    GtkWidgetActionActivateFunc func;
  } actions[] = {
    { "win.new-chat", NULL, new_chat },           { "win.show-chats", NULL, show_chats },
    { "win.search", NULL, search },               { "win.stop", NULL, stop },
    { "win.copy-last", NULL, copy_last },         { "win.rename-chat", NULL, rename_chat },
    { "win.suggest-title", NULL, suggest_title }, { "win.pin-chat", NULL, pin_chat },
    { "win.delete-chat", NULL, delete_chat },     { "win.undelete-chat", "x", undelete_chat },
    { "win.export-markdown", NULL, export_markdown }, { "win.export-json", NULL, export_json },
    { "win.import", NULL, import },               { "win.record", NULL, record },
    { "win.restore-attachment", "u", restore_attachment }, { "win.jump-to-end", NULL, jump_to_end },
    { "win.try-sample", "s", try_sample },
  };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (widget_class, actions[i].name, actions[i].type, actions[i].func);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_n, GDK_CONTROL_MASK, "win.new-chat", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_f, GDK_CONTROL_MASK, "win.search", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "win.stop", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F2, 0, "win.rename-chat", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_End, GDK_CONTROL_MASK, "win.jump-to-end", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_r, GDK_CONTROL_MASK, "win.record", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_c, GDK_CONTROL_MASK | GDK_SHIFT_MASK, "win.copy-last",
                                       NULL);
}
