#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-composer.h"

#include "facet-attachment-chip.h"

struct _FacetComposer {
  AdwBin parent_instance;

  GtkWidget     *banner;
  GtkWidget     *cancel_edit;
  GtkWidget     *chips;
  GtkTextView   *view;
  GtkWidget     *placeholder;
  GtkWidget     *attach;
  GtkMenuButton *mode_button;
  GtkLabel      *meter;
  GtkWidget     *stop;
  GtkWidget     *send;

  GSettings            *settings;
  GListStore           *attachments;
  GtkFileChooserNative *chooser;
  const FacetMode      *mode;
  gboolean              running;
  gboolean              ready;
  gboolean              sees;
  gboolean              hears;
};

enum {
  SIGNAL_SEND,
  SIGNAL_STOP,
  SIGNAL_CANCEL_EDIT,
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FacetComposer, facet_composer, ADW_TYPE_BIN)

char *
facet_composer_get_text (FacetComposer *self)
{
  GtkTextIter start;
  GtkTextIter end;

  gtk_text_buffer_get_bounds (gtk_text_view_get_buffer (self->view), &start, &end);
  return g_strstrip (gtk_text_buffer_get_text (gtk_text_view_get_buffer (self->view), &start, &end, FALSE));
}

/* Why the next message cannot be sent, or NULL. */
static const char *
objection (FacetComposer *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->attachments));
  g_autofree char *text = facet_composer_get_text (self);

  if (!self->ready)
    return _("Choose a model first");
  for (guint i = 0; i < n; i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (G_LIST_MODEL (self->attachments), i);
    FacetAttachmentState state = facet_attachment_get_state (attachment);
    FacetAttachmentKind kind = facet_attachment_get_kind (attachment);

    if (state == FACET_ATTACHMENT_LOOKING)
      return _("An attachment is still being read");
    if (state == FACET_ATTACHMENT_REFUSED)
      return _("Remove the attachment that cannot be read");
    if (kind == FACET_ATTACHMENT_IMAGE && !self->sees)
      return _("This model cannot see pictures: choose one that can, or remove them");
    if (kind == FACET_ATTACHMENT_AUDIO && !self->hears)
      return _("This model cannot hear sound: choose one that can, or remove it");
  }
  return *text == '\0' && n == 0 ? _("Write a message first") : NULL;
}

static void
update (FacetComposer *self)
{
  const char *why_not = objection (self);
  gboolean empty = gtk_text_buffer_get_char_count (gtk_text_view_get_buffer (self->view)) == 0;

  gtk_widget_set_visible (self->placeholder, empty);
  gtk_widget_set_visible (self->stop, self->running);
  gtk_widget_set_visible (self->send, !self->running);
  gtk_widget_set_sensitive (self->send, why_not == NULL);
  gtk_widget_set_tooltip_text (self->send, why_not != NULL ? why_not : _("Send"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->send), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  why_not != NULL ? why_not : "", -1);
}

static void
changed (FacetComposer *self)
{
  update (self);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
send (FacetComposer *self)
{
  if (!self->running && objection (self) == NULL)
    g_signal_emit (self, signals[SIGNAL_SEND], 0);
}

static gboolean
key_cb (GtkEventControllerKey *keys, guint key, guint code, GdkModifierType state, FacetComposer *self)
{
  gboolean enter = key == GDK_KEY_Return || key == GDK_KEY_KP_Enter || key == GDK_KEY_ISO_Enter;
  gboolean enter_sends = g_settings_get_boolean (self->settings, "enter-sends");
  gboolean wants;

  if (!enter)
    return GDK_EVENT_PROPAGATE;
  if ((state & GDK_CONTROL_MASK) != 0)
    wants = TRUE;
  else
    wants = enter_sends && (state & GDK_SHIFT_MASK) == 0;
  if (!wants)
    return GDK_EVENT_PROPAGATE;
  /* an input method that is composing takes its Enter */
  if (gtk_text_view_im_context_filter_keypress (self->view,
                                                gtk_event_controller_get_current_event (GTK_EVENT_CONTROLLER (keys))))
    return GDK_EVENT_STOP;
  send (self);
  return GDK_EVENT_STOP;
}

/* ---- attachments -------------------------------------------------------- */

static void
removed_cb (FacetAttachment *attachment, gpointer data)
{
  FacetComposer *self = data;
  guint position;

  if (g_list_store_find (self->attachments, attachment, &position))
    g_list_store_remove (self->attachments, position);
}

static GtkWidget *
create_chip_cb (gpointer item, gpointer data)
{
  return facet_attachment_chip_new (item, removed_cb, data);
}

static void
attachments_changed_cb (FacetComposer *self)
{
  gtk_widget_set_visible (self->chips, g_list_model_get_n_items (G_LIST_MODEL (self->attachments)) > 0);
  changed (self);
}

static void
add (FacetComposer *self, FacetAttachment *attachment)
{
  g_signal_connect_object (attachment, "notify::state", G_CALLBACK (changed), self, G_CONNECT_SWAPPED);
  g_list_store_append (self->attachments, attachment);
  g_object_unref (attachment);
}

void
facet_composer_add_file (FacetComposer *self, GFile *file)
{
  add (self, facet_attachment_new_for_file (file));
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, FacetComposer *self)
{
  g_autoptr (GListModel) files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));

  for (guint i = 0; response == GTK_RESPONSE_ACCEPT && i < g_list_model_get_n_items (files); i++) {
    g_autoptr (GFile) file = g_list_model_get_item (files, i);

    facet_composer_add_file (self, file);
  }
  g_clear_object (&self->chooser);
}

static void
attach_cb (FacetComposer *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_("Attach Files"), GTK_WINDOW (root), GTK_FILE_CHOOSER_ACTION_OPEN,
                                               _("_Attach"), _("_Cancel"));
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static gboolean
drop_cb (GtkDropTarget *target, const GValue *value, double x, double y, FacetComposer *self)
{
  if (G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST)) {
    g_autoptr (GSList) files = gdk_file_list_get_files (g_value_get_boxed (value));

    for (GSList *link = files; link != NULL; link = link->next)
      facet_composer_add_file (self, link->data);
    return TRUE;
  }
  if (G_VALUE_HOLDS (value, GDK_TYPE_TEXTURE)) {
    add (self, facet_attachment_new_for_texture (g_value_get_object (value)));
    return TRUE;
  }
  return FALSE;
}

static void
texture_cb (GObject *clipboard, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  g_autoptr (GdkTexture) texture = gdk_clipboard_read_texture_finish (GDK_CLIPBOARD (clipboard), result, NULL);

  if (texture != NULL)
    add (self, facet_attachment_new_for_texture (texture));
}

static void
files_cb (GObject *clipboard, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  const GValue *value = gdk_clipboard_read_value_finish (GDK_CLIPBOARD (clipboard), result, NULL);

  if (value != NULL)
    drop_cb (NULL, value, 0, 0, self);
}

static void
paste_cb (GtkTextView *view, FacetComposer *self)
{
  GdkClipboard *clipboard = gtk_widget_get_clipboard (GTK_WIDGET (view));
  GdkContentFormats *formats = gdk_clipboard_get_formats (clipboard);

  if (gdk_content_formats_contain_gtype (formats, GDK_TYPE_FILE_LIST))
    gdk_clipboard_read_value_async (clipboard, GDK_TYPE_FILE_LIST, G_PRIORITY_DEFAULT, NULL, files_cb,
                                    g_object_ref (self));
  else if (gdk_content_formats_contain_gtype (formats, GDK_TYPE_TEXTURE))
    gdk_clipboard_read_texture_async (clipboard, NULL, texture_cb, g_object_ref (self));
  else
    return;
  g_signal_stop_emission_by_name (view, "paste-clipboard");
}

/* ---- modes -------------------------------------------------------------- */

static void
mode_action_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetComposer *self = data;

  facet_composer_set_mode (self, facet_mode_find (g_variant_get_string (parameter, NULL)));
}

static gboolean
mode_offered (FacetComposer *self, const FacetMode *mode)
{
  return (!mode->needs_eyes || self->sees) && (!mode->needs_ears || self->hears);
}

static void
build_modes (FacetComposer *self)
{
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) modes = g_menu_new ();

  for (const FacetMode *mode = facet_modes; mode->id != NULL; mode++) {
    const char *title = g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title);
    g_autofree char *label = NULL;
    g_autoptr (GMenuItem) item = NULL;

    if (mode_offered (self, mode))
      label = g_strdup (title);
    else
      /* Translators: %s is an assistant mode such as "Describe Picture" */
      label = g_strdup_printf (mode->needs_eyes ? _("%s (needs a model that sees)") : _("%s (needs a model that hears)"),
                               title);
    item = g_menu_item_new (label, NULL);
    g_menu_item_set_action_and_target (item, mode_offered (self, mode) ? "composer.mode" : "composer.lacking", "s",
                                       mode->id);
    g_menu_append_item (modes, item);
  }
  g_menu_append_section (menu, NULL, G_MENU_MODEL (modes));
  gtk_menu_button_set_menu_model (self->mode_button, G_MENU_MODEL (menu));
}

const FacetMode *
facet_composer_get_mode (FacetComposer *self)
{
  return self->mode;
}

void
facet_composer_set_mode (FacetComposer *self, const FacetMode *mode)
{
  self->mode = mode;
  gtk_menu_button_set_label (self->mode_button, g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title));
  changed (self);
}

/* ---- what the window sets ----------------------------------------------- */

void
facet_composer_set_text (FacetComposer *self, const char *text)
{
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->view), text, -1);
}

GListModel *
facet_composer_get_attachments (FacetComposer *self)
{
  return G_LIST_MODEL (self->attachments);
}

void
facet_composer_clear (FacetComposer *self)
{
  facet_composer_set_text (self, "");
  g_list_store_remove_all (self->attachments);
}

void
facet_composer_set_running (FacetComposer *self, gboolean running)
{
  self->running = running;
  update (self);
}

void
facet_composer_set_ready (FacetComposer *self, gboolean ready)
{
  self->ready = ready;
  update (self);
}

void
facet_composer_set_senses (FacetComposer *self, gboolean sees, gboolean hears)
{
  self->sees = sees;
  self->hears = hears;
  build_modes (self);
  if (!mode_offered (self, self->mode))
    facet_composer_set_mode (self, &facet_modes[0]);
  update (self);
}

void
facet_composer_set_editing (FacetComposer *self, gboolean editing)
{
  gtk_widget_set_visible (self->banner, editing);
}

void
facet_composer_set_meter (FacetComposer *self, const char *text, gboolean too_much)
{
  gtk_label_set_text (self->meter, text);
  if (too_much)
    gtk_widget_add_css_class (GTK_WIDGET (self->meter), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->meter), "error");
}

void
facet_composer_focus (FacetComposer *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

/* ---- construction ------------------------------------------------------- */

static void
stop_cb (FacetComposer *self)
{
  g_signal_emit (self, signals[SIGNAL_STOP], 0);
}

static void
cancel_edit_cb (FacetComposer *self)
{
  g_signal_emit (self, signals[SIGNAL_CANCEL_EDIT], 0);
}

FacetComposer *
facet_composer_new (GSettings *settings)
{
  FacetComposer *self = g_object_new (FACET_TYPE_COMPOSER, NULL);
  g_autofree char *mode = g_settings_get_string (settings, "assistant-mode");

  self->settings = g_object_ref (settings);
  self->mode = facet_mode_find (mode);
  if (self->mode->needs_eyes || self->mode->needs_ears)
    self->mode = &facet_modes[0];
  build_modes (self);
  facet_composer_set_mode (self, self->mode);
  return self;
}

static void
facet_composer_dispose (GObject *object)
{
  FacetComposer *self = FACET_COMPOSER (object);

  g_clear_object (&self->chooser);
  g_clear_object (&self->settings);
  gtk_widget_dispose_template (GTK_WIDGET (self), FACET_TYPE_COMPOSER);
  G_OBJECT_CLASS (facet_composer_parent_class)->dispose (object);
}

static void
facet_composer_finalize (GObject *object)
{
  g_clear_object (&FACET_COMPOSER (object)->attachments);
  G_OBJECT_CLASS (facet_composer_parent_class)->finalize (object);
}

static void
facet_composer_class_init (FacetComposerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  static const char *const names[] = { "send", "stop", "cancel-edit", "changed" };

  G_OBJECT_CLASS (klass)->dispose = facet_composer_dispose;
  G_OBJECT_CLASS (klass)->finalize = facet_composer_finalize;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], FACET_TYPE_COMPOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-composer.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, banner);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, cancel_edit);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, chips);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, view);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, placeholder);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, attach);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, mode_button);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, meter);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, stop);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, send);
}

static void
facet_composer_init (FacetComposer *self)
{
  const GActionEntry entries[] = { { "mode", mode_action_cb, "s" } };
  g_autoptr (GSimpleActionGroup) actions = g_simple_action_group_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkDropTarget *target = gtk_drop_target_new (G_TYPE_INVALID, GDK_ACTION_COPY);
  GType types[] = { GDK_TYPE_FILE_LIST, GDK_TYPE_TEXTURE };

  gtk_widget_init_template (GTK_WIDGET (self));
  g_action_map_add_action_entries (G_ACTION_MAP (actions), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "composer", G_ACTION_GROUP (actions));

  self->attachments = g_list_store_new (FACET_TYPE_ATTACHMENT);
  gtk_flow_box_bind_model (GTK_FLOW_BOX (self->chips), G_LIST_MODEL (self->attachments), create_chip_cb, self, NULL);
  g_signal_connect_object (self->attachments, "items-changed", G_CALLBACK (attachments_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_swapped (gtk_text_view_get_buffer (self->view), "changed", G_CALLBACK (changed), self);
  g_signal_connect (self->view, "paste-clipboard", G_CALLBACK (paste_cb), self);
  g_signal_connect_swapped (self->attach, "clicked", G_CALLBACK (attach_cb), self);
  g_signal_connect_swapped (self->send, "clicked", G_CALLBACK (send), self);
  g_signal_connect_swapped (self->stop, "clicked", G_CALLBACK (stop_cb), self);
  g_signal_connect_swapped (self->cancel_edit, "clicked", G_CALLBACK (cancel_edit_cb), self);

  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
  gtk_drop_target_set_gtypes (target, types, G_N_ELEMENTS (types));
  g_signal_connect (target, "drop", G_CALLBACK (drop_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}
