#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-sound-view.h"

#include "facet-activity-log.h"
#include "facet-player.h"
#include "facet-waveform.h"

#define TICK_MS 50

struct _FacetSoundView {
  GtkBox parent_instance;

  GtkWidget     *button;
  FacetWaveform *waveform;
  GtkLabel      *time;

  GSettings     *settings;
  FacetPlayer   *player; /* NULL until something was asked of it */
  char          *path;
  double         seconds;
  guint          timer;
};

/* The one that is heard. */
static FacetSoundView *heard;

G_DEFINE_FINAL_TYPE (FacetSoundView, facet_sound_view, GTK_TYPE_BOX)

static void
show_button (FacetSoundView *self, gboolean playing)
{
  const char *name = playing ? _("Pause") : _("Play");

  gtk_button_set_icon_name (GTK_BUTTON (self->button),
                            playing ? "media-playback-pause-symbolic" : "media-playback-start-symbolic");
  gtk_widget_set_tooltip_text (self->button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

/* The length, or while there is a place in it, that place. */
static void
show_time (FacetSoundView *self)
{
  double position = facet_sound_view_get_position (self);
  g_autofree char *text = facet_waveform_format_time (position > 0 ? position : self->seconds);

  facet_waveform_set_position (self->waveform, position);
  gtk_label_set_text (self->time, text);
  gtk_widget_remove_css_class (GTK_WIDGET (self->time), "error");
}

static void
show_failure (FacetSoundView *self)
{
  g_autoptr (GError) error = facet_player_error (self->player);

  if (error == NULL)
    return;
  g_message ("a sound cannot be played: %s", error->message);
  gtk_label_set_text (self->time, facet_voice_error_text (error->code));
  gtk_widget_add_css_class (GTK_WIDGET (self->time), "error");
}

static gboolean
tick_cb (gpointer data)
{
  FacetSoundView *self = data;
  FacetPlayerState state = facet_player_state (self->player);

  show_time (self);
  if (state == FACET_PLAYER_PLAYING)
    return G_SOURCE_CONTINUE;
  show_button (self, FALSE);
  if (state == FACET_PLAYER_FAILED)
    show_failure (self);
  self->timer = 0;
  return G_SOURCE_REMOVE;
}

static void
need_player (FacetSoundView *self)
{
  g_autofree char *device = NULL;

  if (self->player != NULL)
    return;
  device = g_settings_get_string (self->settings, "speaker");
  facet_activity_log_add (FACET_ACTIVITY_READ, self->path);
  self->player = facet_player_new (*device != '\0' ? device : NULL, self->path);
}

void
facet_sound_view_set_playing (FacetSoundView *self, gboolean playing)
{
  if (self->path == NULL || playing == facet_sound_view_get_playing (self))
    return;
  if (playing) {
    if (heard != NULL)
      facet_sound_view_set_playing (heard, FALSE);
    heard = self;
    need_player (self);
    facet_player_play (self->player);
    if (self->timer == 0)
      self->timer = g_timeout_add (TICK_MS, tick_cb, self);
  } else {
    facet_player_pause (self->player);
  }
  show_button (self, playing);
}

gboolean
facet_sound_view_get_playing (FacetSoundView *self)
{
  return self->player != NULL && facet_player_state (self->player) == FACET_PLAYER_PLAYING;
}

double
facet_sound_view_get_position (FacetSoundView *self)
{
  return self->player != NULL ? MIN (facet_player_position (self->player), self->seconds) : 0;
}

void
facet_sound_view_seek (FacetSoundView *self, double seconds)
{
  if (self->path == NULL)
    return;
  need_player (self);
  facet_player_seek (self->player, CLAMP (seconds, 0, self->seconds));
  show_time (self);
}

void
facet_sound_view_set_sound (FacetSoundView *self, const char *path, double seconds, const float *peaks, gsize n)
{
  facet_sound_view_set_playing (self, FALSE);
  g_clear_pointer (&self->player, facet_player_free);
  g_free (self->path);
  self->path = g_strdup (path);
  self->seconds = seconds;
  gtk_widget_set_sensitive (self->button, path != NULL);
  facet_waveform_set_sound (self->waveform, peaks, n, seconds);
  show_time (self);
}

/* ---- construction ------------------------------------------------------- */

static void
clicked_cb (FacetSoundView *self)
{
  facet_sound_view_set_playing (self, !facet_sound_view_get_playing (self));
}

static void
seek_cb (FacetSoundView *self, double fraction)
{
  facet_sound_view_seek (self, fraction * self->seconds);
}

/* Out of sight is out of hearing. */
static void
facet_sound_view_unmap (GtkWidget *widget)
{
  facet_sound_view_set_playing (FACET_SOUND_VIEW (widget), FALSE);
  GTK_WIDGET_CLASS (facet_sound_view_parent_class)->unmap (widget);
}

static void
facet_sound_view_dispose (GObject *object)
{
  FacetSoundView *self = FACET_SOUND_VIEW (object);

  if (heard == self)
    heard = NULL;
  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_pointer (&self->player, facet_player_free);
  g_clear_pointer (&self->path, g_free);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (facet_sound_view_parent_class)->dispose (object);
}

static void
facet_sound_view_class_init (FacetSoundViewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = facet_sound_view_dispose;
  GTK_WIDGET_CLASS (klass)->unmap = facet_sound_view_unmap;
}

static void
facet_sound_view_init (FacetSoundView *self)
{
  self->button = gtk_button_new ();
  self->waveform = FACET_WAVEFORM (facet_waveform_new ());
  self->time = GTK_LABEL (gtk_label_new (NULL));
  gtk_box_set_spacing (GTK_BOX (self), 6);
  gtk_widget_add_css_class (GTK_WIDGET (self), "sound");
  gtk_widget_add_css_class (self->button, "circular");
  gtk_widget_set_valign (self->button, GTK_ALIGN_CENTER);
  gtk_widget_set_sensitive (self->button, FALSE);
  gtk_widget_set_hexpand (GTK_WIDGET (self->waveform), TRUE);
  gtk_widget_set_valign (GTK_WIDGET (self->waveform), GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (GTK_WIDGET (self->time), "caption");
  gtk_widget_add_css_class (GTK_WIDGET (self->time), "numeric");
  gtk_label_set_wrap (self->time, TRUE);
  gtk_label_set_max_width_chars (self->time, 24);
  gtk_box_append (GTK_BOX (self), self->button);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->waveform));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->time));
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (clicked_cb), self);
  g_signal_connect_swapped (self->waveform, "seek", G_CALLBACK (seek_cb), self);
  show_button (self, FALSE);
}

GtkWidget *
facet_sound_view_new (GSettings *settings)
{
  FacetSoundView *self = g_object_new (FACET_TYPE_SOUND_VIEW, NULL);

  self->settings = g_object_ref (settings);
  return GTK_WIDGET (self);
}
