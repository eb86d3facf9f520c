#include "media/audio.h"

#include <soxr.h>
#include <string.h>

#define BLOCK 4096 /* frames decoded at a time */

struct FacetAudioReader {
  FacetAudio     *audio;
  FacetSoundFile *file;     /* NULL: samples in memory */
  gint64          position; /* of the next frame in memory */
  int             channels;
  float          *frames;   /* [BLOCK, channels] */
  float          *mono;     /* [BLOCK] */
  gsize           mono_n, mono_at;
  gboolean        ended;
  soxr_t          soxr;     /* NULL: already at 16 kHz */
};

FacetAudioReader *
facet_audio_reader_new (FacetAudio *audio, GError **error)
{
  g_autoptr (FacetAudioReader) reader = g_new0 (FacetAudioReader, 1);
  soxr_quality_spec_t quality = soxr_quality_spec (SOXR_HQ, 0);
  soxr_error_t failed = NULL;

  reader->audio = facet_audio_ref (audio);
  reader->channels = facet_audio_channels (audio);
  reader->frames = g_new (float, (gsize) BLOCK * (gsize) reader->channels);
  reader->mono = g_new (float, BLOCK);
  if (facet_audio_source (audio) != NULL) {
    reader->file = facet_sound_file_open (facet_audio_source (audio), error);
    if (reader->file == NULL)
      return NULL;
  }
  if (facet_audio_rate (audio) != FACET_AUDIO_RATE)
    reader->soxr = soxr_create (facet_audio_rate (audio), FACET_AUDIO_RATE, 1, &failed, NULL, &quality, NULL);
  if (failed != NULL) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "resampling from %d Hz: %s", facet_audio_rate (audio),
                 soxr_strerror (failed));
    return NULL;
  }
  return g_steal_pointer (&reader);
}

void
facet_audio_reader_free (FacetAudioReader *reader)
{
  if (reader == NULL)
    return;
  if (reader->soxr != NULL)
    soxr_delete (reader->soxr);
  facet_sound_file_close (reader->file);
  g_free (reader->frames);
  g_free (reader->mono);
  facet_audio_unref (reader->audio);
  g_free (reader);
}

/* Up to BLOCK interleaved frames; -1 on error. */
static gssize
next_frames (FacetAudioReader *reader, const float **frames, GError **error)
{
  gint64 left = facet_audio_frames (reader->audio) - reader->position;
  gssize n;

  if (reader->file == NULL) {
    n = (gssize) MIN (left, BLOCK);
    *frames = facet_audio_samples (reader->audio) + reader->position * reader->channels;
  } else {
    n = facet_sound_file_read (reader->file, reader->frames, BLOCK, error);
    *frames = reader->frames;
  }
  if (n > 0)
    reader->position += n;
  return n;
}

static gboolean
refill (FacetAudioReader *reader, GError **error)
{
  const double *weights = facet_audio_weights (reader->audio);
  const float *frames;
  gssize n = next_frames (reader, &frames, error);

  if (n < 0)
    return FALSE;
  reader->ended = n == 0;
  reader->mono_at = 0;
  reader->mono_n = (gsize) n;
  for (gssize i = 0; i < n; i++) {
    double sum = 0;

    for (int c = 0; c < reader->channels; c++)
      sum += weights[c] * frames[i * reader->channels + c];
    reader->mono[i] = (float) sum;
  }
  return TRUE;
}

/* Moves what is decoded towards @samples; returns how many arrived. */
static gsize
convert (FacetAudioReader *reader, float *samples, gsize n)
{
  gsize there = reader->mono_n - reader->mono_at, used = 0, made = 0;

  if (reader->soxr == NULL) {
    made = used = MIN (there, n);
    memcpy (samples, reader->mono + reader->mono_at, made * sizeof (float));
  } else {
    /* Input NULL tells soxr that the sound has ended. */
    soxr_process (reader->soxr, reader->ended ? NULL : reader->mono + reader->mono_at, reader->ended ? 0 : there, &used,
                  samples, n, &made);
  }
  reader->mono_at += used;
  return made;
}

gssize
facet_audio_reader_read (FacetAudioReader *reader, float *samples, gsize n, GError **error)
{
  gsize done = 0;

  while (done < n) {
    gsize made;

    if (reader->mono_at == reader->mono_n && !reader->ended && !refill (reader, error))
      return -1;
    made = convert (reader, samples + done, n - done);
    if (made == 0 && reader->ended)
      break;
    done += made;
  }
  return (gssize) done;
}

gboolean
facet_audio_reader_seek (FacetAudioReader *reader, gint64 sample, GError **error)
{
  double ratio = (double) facet_audio_rate (reader->audio) / FACET_AUDIO_RATE;
  gint64 frame = CLAMP ((gint64) ((double) sample * ratio + 0.5), 0, facet_audio_frames (reader->audio));

  if (reader->file != NULL && !facet_sound_file_seek (reader->file, frame, error))
    return FALSE;
  if (reader->soxr != NULL)
    soxr_clear (reader->soxr);
  reader->position = frame;
  reader->mono_n = reader->mono_at = 0;
  reader->ended = FALSE;
  return TRUE;
}
