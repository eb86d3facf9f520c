#include "config.h"

#include "voice-source.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <math.h>
#include <unistd.h>

#define HEADER 44
#define BLOCK 4096                  /* floats moved at a time */
#define TICK 20000                  /* microseconds between looks at the ring */
#define HEADER_EVERY (G_USEC_PER_SEC / 2)
#define PEAKS_A_SECOND 20
#define MAX_DATA (G_MAXUINT32 - HEADER - BLOCK * 2) /* what a WAV header can state */

G_DEFINE_QUARK (facet-voice-error-quark, facet_voice_error)

struct FacetRecorder {
  char        *path;
  int          fd;
  VoiceRing   *ring;
  VoiceSource *source;
  int          rate, channels;
  GThread     *writer;
  gint         state;     /* FacetRecorderState, atomic */
  gint         quit;      /* atomic */
  GMutex       lock;      /* of what follows; never taken by the sound callback */
  GArray      *peaks;     /* float, one per 50 ms */
  guint64      frames;
  GError      *error;
  /* of the writer alone */
  guint64      bytes;
  float        peak;
  int          peak_frames;
  gint64       header_time;
};

const char *
facet_voice_error_text (FacetVoiceErrorCode code)
{
  switch (code) {
  case FACET_VOICE_ERROR_NO_DEVICE:
    return _("No microphone was found. Connect one, or choose another in the preferences.");
  case FACET_VOICE_ERROR_BUSY:
    return _("The microphone cannot be used now. Another program may be recording.");
  case FACET_VOICE_ERROR_LOST:
    return _("The microphone was disconnected. What had been recorded until then is kept.");
  case FACET_VOICE_ERROR_NO_OUTPUT:
    return _("The sound cannot be played now: no loudspeaker was found, or another program is using it.");
  case FACET_VOICE_ERROR_FILE:
    return _("This sound file cannot be played.");
  case FACET_VOICE_ERROR_DISK:
  default:
    return _("The recording cannot be written to disk.");
  }
}

/* ---- the file ---- */

static gboolean
write_at (int fd, const void *data, gsize size, off_t offset)
{
  gsize done = 0;

  while (done < size) {
    ssize_t n = pwrite (fd, (const char *) data + done, size - done, offset + (off_t) done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    done += (gsize) n;
  }
  return TRUE;
}

/* The header for what is in the file now: 16-bit PCM. */
static gboolean
write_header (FacetRecorder *recorder)
{
  guint8 h[HEADER] = "RIFF....WAVEfmt ";
  guint32 size = (guint32) recorder->bytes, word;
  guint16 half;

#define PUT32(at, value) (word = GUINT32_TO_LE ((guint32) (value)), memcpy (h + (at), &word, 4))
#define PUT16(at, value) (half = GUINT16_TO_LE ((guint16) (value)), memcpy (h + (at), &half, 2))
  PUT32 (4, size + HEADER - 8);
  PUT32 (16, 16);
  PUT16 (20, 1);
  PUT16 (22, recorder->channels);
  PUT32 (24, recorder->rate);
  PUT32 (28, recorder->rate * recorder->channels * 2);
  PUT16 (32, recorder->channels * 2);
  PUT16 (34, 16);
  memcpy (h + 36, "data", 4);
  PUT32 (40, size);
#undef PUT32
#undef PUT16
  return write_at (recorder->fd, h, HEADER, 0);
}

static void
fail (FacetRecorder *recorder, FacetVoiceErrorCode code, const char *message)
{
  g_mutex_lock (&recorder->lock);
  if (recorder->error == NULL)
    recorder->error = g_error_new (FACET_VOICE_ERROR, code, "%s: %s", recorder->path, message);
  g_mutex_unlock (&recorder->lock);
  g_atomic_int_set (&recorder->state, FACET_RECORDER_FAILED);
}

/* ---- the writer ---- */

static void
note_peaks (FacetRecorder *recorder, const float *samples, guint32 n)
{
  int a_peak = recorder->rate / PEAKS_A_SECOND;

  g_mutex_lock (&recorder->lock);
  for (guint32 i = 0; i < n; i += (guint32) recorder->channels) {
    for (int c = 0; c < recorder->channels; c++)
      recorder->peak = MAX (recorder->peak, fabsf (samples[i + (guint32) c]));
    if (++recorder->peak_frames >= a_peak) {
      g_array_append_val (recorder->peaks, recorder->peak);
      recorder->peak = 0;
      recorder->peak_frames = 0;
    }
  }
  recorder->frames += n / (guint32) recorder->channels;
  g_mutex_unlock (&recorder->lock);
}

static gboolean
store (FacetRecorder *recorder, const float *samples, guint32 n)
{
  gint16 pcm[BLOCK];

  for (guint32 i = 0; i < n; i++)
    pcm[i] = GINT16_TO_LE ((gint16) lrintf (CLAMP (samples[i], -1.0f, 1.0f) * 32767));
  if (recorder->bytes > MAX_DATA || !write_at (recorder->fd, pcm, n * sizeof (gint16), HEADER + (off_t) recorder->bytes)) {
    fail (recorder, FACET_VOICE_ERROR_DISK, recorder->bytes > MAX_DATA ? "4 GiB are full" : g_strerror (errno));
    return FALSE;
  }
  recorder->bytes += n * sizeof (gint16);
  note_peaks (recorder, samples, n);
  return TRUE;
}

static gboolean
drain (FacetRecorder *recorder, gboolean keep)
{
  float samples[BLOCK];
  guint32 n;

  while ((n = voice_ring_pop (recorder->ring, samples, BLOCK / 2 * 2)) > 0)
    if (keep && !store (recorder, samples, n))
      return FALSE;
  return TRUE;
}

static gpointer
write_thread (gpointer data)
{
  FacetRecorder *recorder = data;

  while (!g_atomic_int_get (&recorder->quit)) {
    gboolean alive = recorder->source->alive (recorder->source);

    if (!drain (recorder, g_atomic_int_get (&recorder->state) == FACET_RECORDER_RECORDING))
      break;
    if (!alive) {
      fail (recorder, FACET_VOICE_ERROR_LOST, "the device is gone");
      break;
    }
    if (g_get_monotonic_time () - recorder->header_time > HEADER_EVERY) {
      recorder->header_time = g_get_monotonic_time ();
      if (!write_header (recorder))
        fail (recorder, FACET_VOICE_ERROR_DISK, g_strerror (errno));
      fdatasync (recorder->fd);
    }
    g_usleep (TICK);
  }
  write_header (recorder);
  return NULL;
}

/* ---- the recorder ---- */

FacetRecorder *
facet_recorder_start (const char *device, const char *path, GError **error)
{
  FacetRecorder *recorder = g_new0 (FacetRecorder, 1);

  g_mutex_init (&recorder->lock);
  recorder->path = g_strdup (path);
  recorder->peaks = g_array_new (FALSE, TRUE, sizeof (float));
  recorder->ring = g_new0 (VoiceRing, 1);
  recorder->state = FACET_RECORDER_RECORDING;
  recorder->fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (recorder->fd < 0) {
    g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_DISK, "%s: %s", path, g_strerror (errno));
    facet_recorder_free (recorder);
    return NULL;
  }
  recorder->source = voice_source_open (device, recorder->ring, error);
  if (recorder->source == NULL) {
    unlink (path);
    facet_recorder_free (recorder);
    return NULL;
  }
  recorder->rate = recorder->source->rate;
  recorder->channels = recorder->source->channels;
  recorder->writer = g_thread_new ("voice-writer", write_thread, recorder);
  return recorder;
}

void
facet_recorder_pause (FacetRecorder *recorder)
{
  g_atomic_int_compare_and_exchange (&recorder->state, FACET_RECORDER_RECORDING, FACET_RECORDER_PAUSED);
}

void
facet_recorder_resume (FacetRecorder *recorder)
{
  g_atomic_int_compare_and_exchange (&recorder->state, FACET_RECORDER_PAUSED, FACET_RECORDER_RECORDING);
}

void
facet_recorder_stop (FacetRecorder *recorder)
{
  if (recorder->writer == NULL)
    return;
  g_atomic_int_set (&recorder->quit, 1);
  g_thread_join (g_steal_pointer (&recorder->writer));
  recorder->source->free (recorder->source);
  recorder->source = NULL;
  if (drain (recorder, g_atomic_int_get (&recorder->state) == FACET_RECORDER_RECORDING) && !write_header (recorder))
    fail (recorder, FACET_VOICE_ERROR_DISK, g_strerror (errno));
  if (facet_recorder_state (recorder) != FACET_RECORDER_FAILED)
    g_atomic_int_set (&recorder->state, FACET_RECORDER_STOPPED);
}

void
facet_recorder_discard (FacetRecorder *recorder)
{
  facet_recorder_stop (recorder);
  unlink (recorder->path);
}

void
facet_recorder_free (FacetRecorder *recorder)
{
  if (recorder == NULL)
    return;
  facet_recorder_stop (recorder);
  if (recorder->fd >= 0)
    close (recorder->fd);
  g_mutex_clear (&recorder->lock);
  g_array_unref (recorder->peaks);
  g_clear_error (&recorder->error);
  g_free (recorder->ring);
  g_free (recorder->path);
  g_free (recorder);
}

FacetRecorderState
facet_recorder_state (FacetRecorder *recorder)
{
  return g_atomic_int_get (&recorder->state);
}

const GError *
facet_recorder_error (FacetRecorder *recorder)
{
  return facet_recorder_state (recorder) == FACET_RECORDER_FAILED ? recorder->error : NULL;
}

const char *
facet_recorder_path (FacetRecorder *recorder)
{
  return recorder->path;
}

double
facet_recorder_seconds (FacetRecorder *recorder)
{
  double seconds;

  g_mutex_lock (&recorder->lock);
  seconds = (double) recorder->frames / recorder->rate;
  g_mutex_unlock (&recorder->lock);
  return seconds;
}

void
facet_recorder_peaks (FacetRecorder *recorder, float *peaks, gsize n)
{
  g_mutex_lock (&recorder->lock);
  for (gsize i = 0; i < n; i++) {
    gsize back = n - i;

    peaks[i] = back <= recorder->peaks->len
               ? g_array_index (recorder->peaks, float, recorder->peaks->len - back) : 0;
  }
  g_mutex_unlock (&recorder->lock);
}

float
facet_recorder_level (FacetRecorder *recorder)
{
  float level = 0;

  if (facet_recorder_state (recorder) == FACET_RECORDER_RECORDING)
    facet_recorder_peaks (recorder, &level, 1);
  return MIN (level, 1);
}
