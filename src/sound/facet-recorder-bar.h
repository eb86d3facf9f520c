/* facet-recorder-bar.h - recording a voice note
 *
 * Shows time, level and waveform of what is being recorded; pause, resume,
 * discard, keep, and the choice of the device (key "microphone"). The device
 * is opened and closed in a thread. A device that is missing, busy or pulled
 * out is told in a sentence; what had been captured by then is kept.
 *
 * Recordings grow as files in a folder of their own, and stay there until
 * what became of them is settled: after a crash they are found again by
 * facet_recorder_bar_find_left().
 *
 * Signals: "recorded" (string: path of a whole recording) and "closed" (the
 * bar has nothing more to show). Property "recording" (boolean, notify: from
 * the moment a device is asked for until the file is closed).
 *
 * # Accessibility: every button is named; a problem is an alert.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define FACET_TYPE_RECORDER_BAR (facet_recorder_bar_get_type ())
G_DECLARE_FINAL_TYPE (FacetRecorderBar, facet_recorder_bar, FACET, RECORDER_BAR, AdwBin)

/* @folder is made when it is needed. */
FacetRecorderBar *facet_recorder_bar_new          (GSettings *settings, const char *folder);

gboolean          facet_recorder_bar_is_recording (FacetRecorderBar *self);
void              facet_recorder_bar_start        (FacetRecorderBar *self);
void              facet_recorder_bar_pause        (FacetRecorderBar *self, gboolean pause);
void              facet_recorder_bar_keep         (FacetRecorderBar *self);
void              facet_recorder_bar_discard      (FacetRecorderBar *self);

/* The sentence that is shown in place of a recording, or NULL. */
const char       *facet_recorder_bar_get_problem  (FacetRecorderBar *self);

/* Recordings in @folder, left by a crash or never sent, oldest first; files
 * that hold no sound are removed. Returns: (transfer full). */
GStrv             facet_recorder_bar_find_left    (const char *folder);

G_END_DECLS
