#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-composer-private.h"

#include "chat/facet-text-widgets.h"
#include "facet-two-line-layout.h"
#include "modes/facet-mode-options.h"

enum {
  SIGNAL_SEND,
  SIGNAL_STOP,
  SIGNAL_CANCEL_EDIT,
  SIGNAL_CHANGED,
  SIGNAL_REMOVED,
  SIGNAL_MODE_CHOSEN,
  SIGNAL_CHOICE,
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
  if (facet_recorder_bar_is_recording (self->recorder))
    return _("Finish the recording first, or discard it");
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
  if (self->mode->judges)
    return _facet_composer_object_to_check (self, text);
  if (gtk_widget_get_visible (GTK_WIDGET (self->notice)))
    return _("The message no longer fits the model’s context");
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
  _facet_composer_update_recorder (self);
}

/* An empty line runs as the keyboard does; its caret stands where lines begin
 * in this window all the same. */
static GdkDevice *
find_keyboard (FacetComposer *self)
{
  GdkSeat *seat = gdk_display_get_default_seat (gtk_widget_get_display (GTK_WIDGET (self)));

  return seat != NULL ? gdk_seat_get_keyboard (seat) : NULL;
}

static void
place_caret (FacetComposer *self)
{
  GdkDevice *keyboard = find_keyboard (self);
  gboolean empty = gtk_text_buffer_get_char_count (gtk_text_view_get_buffer (self->view)) == 0;
  gboolean window = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  gboolean typing = keyboard != NULL && gdk_device_get_direction (keyboard) == PANGO_DIRECTION_RTL;

  gtk_text_view_set_justification (self->view, empty && window != typing ? GTK_JUSTIFY_RIGHT : GTK_JUSTIFY_LEFT);
}

void
_facet_composer_changed (FacetComposer *self)
{
  place_caret (self);
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
  GdkEvent *event;
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
  event = gtk_event_controller_get_current_event (GTK_EVENT_CONTROLLER (keys));
  if (event != NULL && gtk_text_view_im_context_filter_keypress (self->view, event))
    return GDK_EVENT_STOP;
  send (self);
  return GDK_EVENT_STOP;
}

/* ---- what the window sets ----------------------------------------------- */

GListModel *
facet_composer_get_attachments (FacetComposer *self)
{
  return G_LIST_MODEL (self->attachments);
}

void
facet_composer_clear (FacetComposer *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->attachments));

  facet_composer_set_text (self, "");
  for (guint i = 0; i < n; i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (G_LIST_MODEL (self->attachments), i);

    facet_attachment_discard (attachment);
  }
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
facet_composer_set_senses (FacetComposer *self, gboolean sees, gboolean hears, gboolean judges)
{
  self->sees = sees;
  self->hears = hears;
  self->judges = judges;
  gtk_widget_set_visible (GTK_WIDGET (self->choices_button), !judges);
  _facet_composer_build_modes (self);
  if (!facet_composer_offers (self, self->mode))
    facet_composer_set_mode (self, facet_composer_get_usual_mode (self));
  update (self);
}

void
facet_composer_set_editing (FacetComposer *self, gboolean editing)
{
  gtk_widget_set_visible (self->banner, editing);
}

void
facet_composer_set_meter (FacetComposer *self, const char *text, const char *brief, const char *too_much)
{
  GtkWidget *const meters[] = { GTK_WIDGET (self->meter), GTK_WIDGET (self->brief_meter) };

  gtk_label_set_text (self->meter, text);
  gtk_label_set_text (self->brief_meter, brief);
  gtk_widget_set_tooltip_text (meters[1], text);
  facet_widget_set_shown (GTK_WIDGET (self->notice), too_much != NULL);
  gtk_label_set_text (self->notice, too_much != NULL ? too_much : "");
  for (gsize i = 0; i < G_N_ELEMENTS (meters); i++)
    (too_much != NULL ? gtk_widget_add_css_class : gtk_widget_remove_css_class) (meters[i], "error");
  update (self);
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
facet_composer_new (GSettings *settings, const char *recordings)
{
  FacetComposer *self = g_object_new (FACET_TYPE_COMPOSER, NULL);
  g_autofree char *mode = g_settings_get_string (settings, "assistant-mode");

  self->settings = g_object_ref (settings);
  self->recorder = facet_recorder_bar_new (settings, recordings);
  _facet_composer_setup_recorder (self);
  _facet_composer_setup_screenshot (self);
  self->options = facet_mode_options_new (settings);
  adw_bin_set_child (self->options_bin, self->options);
  self->mode = facet_mode_find (mode);
  if (self->mode->needs_eyes || self->mode->needs_ears)
    self->mode = &facet_modes[0];
  _facet_composer_build_modes (self);
  facet_composer_set_mode (self, self->mode);
  g_signal_connect_object (settings, "changed::policies", G_CALLBACK (_facet_composer_changed), self, G_CONNECT_SWAPPED);
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
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    signals[i] = g_signal_new (names[i], FACET_TYPE_COMPOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_REMOVED] = g_signal_new ("removed", FACET_TYPE_COMPOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, FACET_TYPE_ATTACHMENT);
  signals[SIGNAL_MODE_CHOSEN] = g_signal_new ("mode-chosen", FACET_TYPE_COMPOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                              G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_CHOICE] = g_signal_new ("choice", FACET_TYPE_COMPOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);

  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-composer.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, banner);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, cancel_edit);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, chips_pane);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, chips);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, view);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, placeholder);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, bar);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, attach);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, screenshot);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, record);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, recorder_bin);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, mode_button);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, options_bin);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, choices_button);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, meter);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, brief_meter);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, notice);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, stop);
  gtk_widget_class_bind_template_child (widget_class, FacetComposer, send);
}

static void
facet_composer_init (FacetComposer *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_layout_manager (self->bar, facet_two_line_layout_new (4));
  _facet_composer_setup_modes (self);
  _facet_composer_setup_choices (self);
  _facet_composer_setup_attachments (self);
  if (find_keyboard (self) != NULL)
    g_signal_connect_object (find_keyboard (self), "notify::direction", G_CALLBACK (place_caret), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped (gtk_text_view_get_buffer (self->view), "changed", G_CALLBACK (_facet_composer_changed),
                            self);
  g_signal_connect_swapped (self->send, "clicked", G_CALLBACK (send), self);
  g_signal_connect_swapped (self->stop, "clicked", G_CALLBACK (stop_cb), self);
  g_signal_connect_swapped (self->cancel_edit, "clicked", G_CALLBACK (cancel_edit_cb), self);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
}
