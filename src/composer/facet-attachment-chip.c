#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-attachment-chip.h"

#include "sound/facet-sound-view.h"

typedef struct {
  FacetAttachment *attachment;
  void (*removed) (FacetAttachment *attachment, gpointer user_data);
  gpointer   user_data;
  GtkWidget *chip;
  GtkWidget *image;
  GtkWidget *details;
  GtkWidget *sound;
} Chip;

static void
chip_free (gpointer data)
{
  Chip *self = data;

  g_object_unref (self->attachment);
  g_free (self);
}

static void
remove_cb (GtkButton *button, Chip *self)
{
  self->removed (self->attachment, self->user_data);
}

static void
show_sound (Chip *self)
{
  gsize n;
  const float *peaks = facet_attachment_get_peaks (self->attachment, &n);

  gtk_widget_set_visible (self->sound, peaks != NULL);
  gtk_widget_set_visible (self->image, peaks == NULL);
  if (peaks != NULL)
    facet_sound_view_set_sound (FACET_SOUND_VIEW (self->sound), facet_attachment_get_path (self->attachment),
                                facet_attachment_get_seconds (self->attachment), peaks, n);
}

static void
show_details (Chip *self)
{
  const char *details = facet_attachment_get_details (self->attachment);
  int tokens = facet_attachment_get_tokens (self->attachment);
  g_autofree char *text = NULL;

  if (facet_attachment_get_state (self->attachment) == FACET_ATTACHMENT_LOOKING)
    text = g_strdup (_("Reading…"));
  else if (tokens >= 0)
    /* Translators: facts about a file such as "640 × 480 · 1.2 MB", and what it costs */
    text = g_strdup_printf (ngettext ("%s · %d token", "%s · %d tokens", tokens), details, tokens);
  gtk_label_set_text (GTK_LABEL (self->details), text != NULL ? text : details);
}

static void
show_state (Chip *self)
{
  FacetAttachmentState state = facet_attachment_get_state (self->attachment);
  GdkTexture *thumbnail = facet_attachment_get_thumbnail (self->attachment);
  static const char *const icons[] = { "image-x-generic-symbolic", "audio-x-generic-symbolic",
                                       "text-x-generic-symbolic" };

  if (thumbnail != NULL)
    gtk_image_set_from_paintable (GTK_IMAGE (self->image), GDK_PAINTABLE (thumbnail));
  else
    gtk_image_set_from_icon_name (GTK_IMAGE (self->image),
                                  state == FACET_ATTACHMENT_REFUSED
                                    ? "dialog-warning-symbolic"
                                    : icons[facet_attachment_get_kind (self->attachment)]);
  show_details (self);
  gtk_widget_set_tooltip_text (self->chip, gtk_label_get_text (GTK_LABEL (self->details)));
  if (state == FACET_ATTACHMENT_REFUSED)
    gtk_widget_add_css_class (self->details, "error");
  show_sound (self);
}

static void
state_cb (FacetAttachment *attachment, GParamSpec *pspec, GtkWidget *chip)
{
  show_state (g_object_get_data (G_OBJECT (chip), "chip"));
}

static void
tokens_cb (FacetAttachment *attachment, GParamSpec *pspec, GtkWidget *chip)
{
  show_details (g_object_get_data (G_OBJECT (chip), "chip"));
}

static GtkWidget *
line (const char *text, const char *class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 30);
  gtk_widget_add_css_class (label, class);
  return label;
}

GtkWidget *
facet_attachment_chip_new (FacetAttachment *attachment,
                           GSettings       *settings,
                           void (*removed) (FacetAttachment *attachment, gpointer user_data),
                           gpointer         user_data)
{
  Chip *self = g_new0 (Chip, 1);
  GtkWidget *lines = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *button = gtk_button_new_from_icon_name ("window-close-symbolic");
  const char *name = facet_attachment_get_name (attachment);
  /* Translators: %s is the name of a file */
  g_autofree char *remove = g_strdup_printf (_("Remove “%s”"), name);

  self->attachment = g_object_ref (attachment);
  self->removed = removed;
  self->user_data = user_data;
  self->chip = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->image = gtk_image_new ();
  self->details = line ("", "caption");
  gtk_label_set_wrap (GTK_LABEL (self->details), TRUE);
  gtk_label_set_ellipsize (GTK_LABEL (self->details), PANGO_ELLIPSIZE_NONE);
  gtk_image_set_pixel_size (GTK_IMAGE (self->image), 36);
  gtk_widget_set_hexpand (lines, TRUE);
  gtk_box_append (GTK_BOX (lines), line (name, "heading"));
  gtk_box_append (GTK_BOX (lines), self->details);
  self->sound = facet_sound_view_new (settings);
  gtk_box_append (GTK_BOX (lines), self->sound);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_add_css_class (button, "circular");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, remove);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, remove, -1);
  g_signal_connect (button, "clicked", G_CALLBACK (remove_cb), self);
  gtk_box_append (GTK_BOX (self->chip), self->image);
  gtk_box_append (GTK_BOX (self->chip), lines);
  gtk_box_append (GTK_BOX (self->chip), button);
  gtk_widget_add_css_class (self->chip, "chip");
  g_object_set_data_full (G_OBJECT (self->chip), "chip", self, chip_free);
  g_signal_connect_object (attachment, "notify::state", G_CALLBACK (state_cb), self->chip, 0);
  g_signal_connect_object (attachment, "notify::tokens", G_CALLBACK (tokens_cb), self->chip, 0);
  show_state (self);
  return self->chip;
}
