/* facet-sound-view.h - a sound that can be seen and heard
 *
 * Play or pause, waveform, time. One sound is heard at a time: starting one
 * pauses the others. What cannot be played says why in place of the time.
 *
 * # Accessibility: the button says what it does next; the waveform is a
 * slider.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define FACET_TYPE_SOUND_VIEW (facet_sound_view_get_type ())
G_DECLARE_FINAL_TYPE (FacetSoundView, facet_sound_view, FACET, SOUND_VIEW, GtkBox)

/* Heard through the device of the key "speaker" of @settings. */
GtkWidget *facet_sound_view_new       (GSettings *settings);

/* @path: a file that stays where it is; @peaks: @n of them, 0..1. */
void       facet_sound_view_set_sound (FacetSoundView *self,
                                       const char     *path,
                                       double          seconds,
                                       const float    *peaks,
                                       gsize           n);

void       facet_sound_view_set_playing  (FacetSoundView *self, gboolean playing);
gboolean   facet_sound_view_get_playing  (FacetSoundView *self);
double     facet_sound_view_get_position (FacetSoundView *self); /* seconds */
void       facet_sound_view_seek         (FacetSoundView *self, double seconds);

G_END_DECLS
