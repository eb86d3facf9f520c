#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#include "composer/facet-attachment.h"
#include "facet-message-details.h"
#include "facet-text-widgets.h"
#include "settings/facet-settings.h"
#include "sound/facet-sound-view.h"

GtkWidget *
facet_message_details_new (void)
{
  GtkWidget *button = gtk_menu_button_new ();
  GtkWidget *popover = gtk_popover_new ();
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "numeric");
  gtk_popover_set_child (GTK_POPOVER (popover), label);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (button), popover);
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "help-about-symbolic");
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, _("Details"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Details"), -1);
  g_object_set_data (G_OBJECT (button), "label", label);
  return button;
}

void
facet_message_details_update (GtkWidget *details, const FacetStoreMessage *record)
{
  g_autoptr (JsonNode) root = json_from_string (record->stats, NULL);
  GString *text = g_string_new (NULL);
  JsonObject *stats;
  double tokens;
  double seconds;

  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_string_free (text, TRUE);
    return;
  }
  stats = json_node_get_object (root);
  tokens = json_object_get_double_member_with_default (stats, "generated_tokens", 0);
  seconds = json_object_get_double_member_with_default (stats, "decode_seconds", 0);

  if (*record->model != '\0')
    g_string_append_printf (text, _("Model: %s\n"), record->model);
  g_string_append_printf (text, _("Backend: %s\n"),
                          json_object_get_string_member_with_default (stats, "backend", "–"));
  /* the first token falls into the time before decode_seconds */
  if (seconds > 0 && tokens > 1)
    g_string_append_printf (text, _("Speed: %.1f tokens per second\n"), (tokens - 1) / seconds);
  g_string_append_printf (text, _("First token after %.2f s\n"),
                          json_object_get_double_member_with_default (stats, "first_token_seconds", 0));
  g_string_append_printf (text, _("Prompt: %d tokens, %d of them reused\n"),
                          (int) json_object_get_int_member_with_default (stats, "prompt_tokens", 0),
                          (int) json_object_get_int_member_with_default (stats, "cached_tokens", 0));
  g_string_append_printf (text, ngettext ("Answer: %d token", "Answer: %d tokens", (gulong) tokens), (int) tokens);
  gtk_label_set_text (g_object_get_data (G_OBJECT (details), "label"), text->str);
  g_string_free (text, TRUE);
}

const char *
facet_message_end_text (FacetMessageStatus status)
{
  switch (status) {
  case FACET_MESSAGE_DONE:
    return _("The answer is complete.");
  case FACET_MESSAGE_STOPPED:
    return _("The answer was stopped.");
  case FACET_MESSAGE_FAILED:
    return _("The answer failed.");
  case FACET_MESSAGE_RUNNING:
  default:
    return "";
  }
}

const char *
facet_message_cut_text (const FacetStoreMessage *record)
{
  g_autoptr (JsonNode) root = record->status == FACET_MESSAGE_DONE ? json_from_string (record->stats, NULL) : NULL;

  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  switch ((FacetStopReason) json_object_get_int_member_with_default (json_node_get_object (root), "stop_reason", FACET_STOP_EOS)) {
  case FACET_STOP_CONTEXT:
    return _("The answer ends here because the context is full. Start a new chat or, if the model allows more, raise the context length in "
             "the preferences.");
  case FACET_STOP_LOOP:
    return _("The text was cut where it began to repeat itself.");
  case FACET_STOP_EOS:
  case FACET_STOP_LENGTH:
  case FACET_STOP_CANCELLED:
  default:
    return NULL;
  }
}

static GtkWidget *
fold (const char *title)
{
  GtkWidget *expander = gtk_expander_new (title);
  GtkWidget *label = facet_text_label_new ();

  gtk_widget_add_css_class (label, "foldaway");
  gtk_expander_set_child (GTK_EXPANDER (expander), label);
  g_object_set_data (G_OBJECT (expander), "label", label);
  return expander;
}

GtkWidget *
facet_message_failure_new (void)
{
  return fold (_("Details"));
}

void
facet_message_failure_update (GtkWidget *failure, const FacetStoreMessage *record)
{
  g_autoptr (JsonNode) root = record->status == FACET_MESSAGE_FAILED ? json_from_string (record->stats, NULL) : NULL;
  const char *words = "";

  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    words = json_object_get_string_member_with_default (json_node_get_object (root), "error", "");
  facet_widget_set_shown (failure, *words != '\0');
  gtk_label_set_text (g_object_get_data (G_OBJECT (failure), "label"), words);
}

GtkWidget *
facet_message_thoughts_new (void)
{
  return fold (NULL);
}

void
facet_message_thoughts_update (GtkWidget *thoughts, const char *text, gboolean thinking)
{
  GtkWidget *label = g_object_get_data (G_OBJECT (thoughts), "label");

  facet_widget_set_shown (thoughts, *text != '\0');
  gtk_expander_set_label (GTK_EXPANDER (thoughts), thinking ? _("Thinking…") : _("Thoughts"));
  /* long thoughts are laid out only where somebody looks */
  if (*text == '\0' || gtk_expander_get_expanded (GTK_EXPANDER (thoughts))) {
    gtk_label_set_text (GTK_LABEL (label), text);
    facet_widget_follow_text (label, text);
  }
}

static void
loaded_cb (FacetAttachment *attachment, GParamSpec *pspec, GtkPicture *picture)
{
  GdkTexture *texture = facet_attachment_get_thumbnail (attachment);

  if (texture == NULL)
    return;
  gtk_picture_set_paintable (picture, GDK_PAINTABLE (texture));
  gtk_widget_set_size_request (GTK_WIDGET (picture), gdk_texture_get_width (texture),
                               gdk_texture_get_height (texture));
}

GtkWidget *
facet_message_picture_new (const char *path, const char *name)
{
  GtkWidget *picture = gtk_picture_new ();
  g_autoptr (FacetAttachment) attachment = facet_attachment_new_for_own (path, name);

  gtk_picture_set_alternative_text (GTK_PICTURE (picture), name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (picture), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_set_tooltip_text (picture, name);
  gtk_widget_set_halign (picture, GTK_ALIGN_END);
  gtk_widget_add_css_class (picture, "thumbnail");
  g_signal_connect_object (attachment, "notify::state", G_CALLBACK (loaded_cb), picture, 0);
  g_object_set_data_full (G_OBJECT (picture), "attachment", g_object_ref (attachment), g_object_unref);
  return picture;
}

static void
heard_cb (FacetAttachment *attachment, GParamSpec *pspec, FacetSoundView *view)
{
  gsize n;
  const float *peaks = facet_attachment_get_peaks (attachment, &n);

  if (peaks != NULL)
    facet_sound_view_set_sound (view, facet_attachment_get_path (attachment),
                                facet_attachment_get_seconds (attachment), peaks, n);
}

GtkWidget *
facet_message_sound_new (const char *path, const char *name)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *label = gtk_label_new (name);
  GtkWidget *view = facet_sound_view_new (facet_settings_get_default ());
  g_autoptr (FacetAttachment) attachment = facet_attachment_new_for_own (path, name);

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "caption");
  gtk_widget_set_size_request (view, 220, -1);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), view);
  gtk_widget_add_css_class (box, "chip");
  g_signal_connect_object (attachment, "notify::state", G_CALLBACK (heard_cb), view, 0);
  g_object_set_data_full (G_OBJECT (view), "attachment", g_object_ref (attachment), g_object_unref);
  return box;
}
