#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

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

/* A chat that is changed, perhaps a while later. */
typedef struct {
  gint64   id;
  gboolean on;
} Change;

static void
change_soon (FacetWindow *self, FacetWindowChange change, Change values)
{
  _facet_window_change (self, change, values.id, g_memdup2 (&values, sizeof values), g_free);
}

static gboolean
set_pinned (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;

  return facet_store_set_chat_pinned (self->store, change->id, change->on, error);
}

static gboolean
delete (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;

  if (!_facet_window_check_free (self, change->id, error) || !facet_store_set_chat_deleted (self->store, change->id, TRUE, error))
    return FALSE;
  _facet_window_offer_undo (self, _("Chat deleted"), "win.undelete-chat", g_variant_new_int64 (change->id));
  return TRUE;
}

static gboolean
undelete (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;

  if (!facet_store_set_chat_deleted (self->store, change->id, FALSE, error))
    return FALSE;
  facet_window_open_chat (self, change->id);
  return TRUE;
}

static void
pin_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);
  FacetChat *chat = _facet_window_get_chat (self);

  if (chat != NULL)
    change_soon (self, set_pinned, (Change){ facet_chat_get_id (chat), !facet_chat_get_pinned (chat) });
}

static void
delete_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  FacetWindow *self = FACET_WINDOW (widget);
  gint64 id = facet_conversation_get_chat_id (self->conversation);

  if (id != 0)
    change_soon (self, delete, (Change){ .id = id });
}

static void
undelete_chat (GtkWidget *widget, const char *name, GVariant *parameter)
{
  change_soon (FACET_WINDOW (widget), undelete, (Change){ .id = g_variant_get_int64 (parameter) });
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
