/* facet-recorder.h - recording voice notes to disk
 *
 * A recording is a WAV file (16 bit, the device's own rate, one or two
 * channels) that is valid at any moment while it grows: after a crash at most
 * the last half second is missing. If the device goes away, what was captured
 * stays and the recorder reports LOST.
 *
 * Knows nothing of GTK. Thread-safety: a recorder belongs to one thread at a
 * time; the sound callback and the writer are its own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FACET_VOICE_ERROR (facet_voice_error_quark ())
GQuark facet_voice_error_quark (void);

typedef enum {
  FACET_VOICE_ERROR_NO_DEVICE, /* none there, or not the one that was chosen */
  FACET_VOICE_ERROR_BUSY,      /* another program has it, or it refuses */
  FACET_VOICE_ERROR_LOST,      /* pulled out while recording */
  FACET_VOICE_ERROR_DISK,      /* the file cannot be written */
  FACET_VOICE_ERROR_NO_OUTPUT, /* no loudspeaker, or it refuses */
  FACET_VOICE_ERROR_FILE,      /* a sound file that cannot be played */
} FacetVoiceErrorCode;

/* One translated sentence for people. */
const char *facet_voice_error_text (FacetVoiceErrorCode code);

typedef struct {
  char    *id;         /* for facet_recorder_start() and settings */
  char    *name;
  gboolean is_default;
} FacetVoiceDevice;

typedef enum {
  FACET_VOICE_INPUT,
  FACET_VOICE_OUTPUT,
} FacetVoiceDirection;

/* May take half a second: call it in a thread. Any thread.
 * Returns: (transfer full): FacetVoiceDevice pointers; empty without any. */
GPtrArray *facet_voice_devices (FacetVoiceDirection direction);

typedef enum {
  FACET_RECORDER_RECORDING,
  FACET_RECORDER_PAUSED,
  FACET_RECORDER_STOPPED,
  FACET_RECORDER_FAILED,   /* see facet_recorder_error(); the captured part is kept */
} FacetRecorderState;

typedef struct FacetRecorder FacetRecorder;

/* Records into a new file at @path. Opening and closing a device may take half
 * a second: a window calls start, stop, discard and free in a thread, one at a
 * time. @device: an id from facet_voice_devices(),
 * NULL: the default one, "file:PATH": a sound file played in real time and
 * then silence, "unplug:PATH": the same, but the device vanishes at its end. */
FacetRecorder     *facet_recorder_start   (const char *device, const char *path, GError **error);
void               facet_recorder_pause   (FacetRecorder *recorder);
void               facet_recorder_resume  (FacetRecorder *recorder);
/* Writes what is left and closes the file. */
void               facet_recorder_stop    (FacetRecorder *recorder);
/* Stops and removes the file. */
void               facet_recorder_discard (FacetRecorder *recorder);
/* Stops if need be; the file stays. */
void               facet_recorder_free    (FacetRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetRecorder, facet_recorder_free)

FacetRecorderState facet_recorder_state   (FacetRecorder *recorder);
/* NULL unless FAILED. Owned by the recorder. */
const GError      *facet_recorder_error   (FacetRecorder *recorder);
const char        *facet_recorder_path    (FacetRecorder *recorder);
double             facet_recorder_seconds (FacetRecorder *recorder); /* on disk, pauses left out */
float              facet_recorder_level   (FacetRecorder *recorder); /* peak of the last 50 ms, 0 .. 1 */
/* The latest @n peaks, one per 50 ms, oldest first; zeros before the start. */
void               facet_recorder_peaks   (FacetRecorder *recorder, float *peaks, gsize n);

G_END_DECLS
