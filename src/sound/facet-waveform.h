/* facet-waveform.h - a sound as a row of bars
 *
 * A whole sound is drawn over the whole width, what was played in the accent
 * colour; a click or drag, or the arrow keys, ask for another place. A growing
 * one is drawn with its newest bar at the end. Time runs from left to right in
 * every language.
 *
 * Signal "seek" (double: 0..1), of a whole sound only.
 *
 * # Accessibility: role SLIDER; the value is the second that is heard.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FACET_TYPE_WAVEFORM (facet_waveform_get_type ())
G_DECLARE_FINAL_TYPE (FacetWaveform, facet_waveform, FACET, WAVEFORM, GtkWidget)

GtkWidget *facet_waveform_new          (void);

/* Copies @n peaks, 0..1, of a sound of @seconds. */
void       facet_waveform_set_sound    (FacetWaveform *self, const float *peaks, gsize n, double seconds);

/* Copies the newest @n peaks of a growing sound, oldest first. */
void       facet_waveform_set_growing  (FacetWaveform *self, const float *peaks, gsize n);

/* How many bars fit, for facet_waveform_set_growing(). */
gsize      facet_waveform_get_bars     (FacetWaveform *self);

/* @seconds from the beginning. */
void       facet_waveform_set_position (FacetWaveform *self, double seconds);

/* Returns: (transfer full): "1:05", "1:02:03". */
char      *facet_waveform_format_time  (double seconds);

G_END_DECLS
