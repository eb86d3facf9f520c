#include "media/audio.h"
#include "media/audio-scan.h"

#include <string.h>

struct FacetAudio {
  gatomicrefcount  refs;
  FacetSoundSource source;   /* name NULL: samples in memory */
  float           *samples;  /* [frames, channels] or NULL */
  int              rate, channels;
  gint64           frames;
  double           weights[FACET_SOUND_MAX_CHANNELS];
  FacetPeaks       peaks;
  char            *hash;
};

static FacetAudio *
audio_new (void)
{
  FacetAudio *audio = g_new0 (FacetAudio, 1);

  g_atomic_ref_count_init (&audio->refs);
  audio->source.fd = -1;
  return audio;
}

static void
take_scan (FacetAudio *audio, FacetAudioScan *scan)
{
  audio->frames = scan->frames;
  facet_audio_scan_weights (scan, audio->weights);
  audio->peaks = scan->peaks;
  scan->peaks.bins = NULL;
}

/* ---- loading ---- */

static char *
hash_source (const FacetSoundSource *source, FacetCancel *cancel, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (1 << 18);
  gint64 offset = 0;

  while (offset < source->size) {
    gsize n = facet_sound_source_read (source, offset, block, 1 << 18);

    if (n == 0 || facet_is_cancelled (cancel)) {
      if (n == 0)
        g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: reading failed at byte %" G_GINT64_FORMAT, source->name,
                     offset);
      else
        g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "%s: cancelled", source->name);
      return NULL;
    }
    g_checksum_update (sum, block, (gssize) n);
    offset += (gint64) n;
  }
  return g_strdup (g_checksum_get_string (sum));
}

static gboolean
scan_file (FacetAudio *audio, FacetSoundFile *file, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetAudioScan) scan = facet_audio_scan_new (audio->channels);
  const gsize block = 16384;
  g_autofree float *samples = g_new (float, block * (gsize) audio->channels);
  gssize n;

  for (int c = 0; c < audio->channels; c++)
    scan->channel[c].lfe = facet_sound_file_is_lfe (file, c);
  while ((n = facet_sound_file_read (file, samples, block, error)) > 0) {
    if (facet_is_cancelled (cancel)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "%s: cancelled", audio->source.name);
      return FALSE;
    }
    facet_audio_scan_feed (scan, samples, (gsize) n);
  }
  if (n < 0)
    return FALSE;
  if (scan->frames == 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: frames = 0, the file holds no sound", audio->source.name);
    return FALSE;
  }
  take_scan (audio, scan);
  return TRUE;
}

/* Takes @audio whose source is open. */
static FacetAudio *
load_source (FacetAudio *taken, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetAudio) audio = taken;
  g_autoptr (FacetSoundFile) file = facet_sound_file_open (&audio->source, error);

  if (file == NULL)
    return NULL;
  audio->rate = facet_sound_file_rate (file);
  audio->channels = facet_sound_file_channels (file);
  if (!scan_file (audio, file, cancel, error))
    return NULL;
  audio->hash = hash_source (&audio->source, cancel, error);
  return audio->hash == NULL ? NULL : g_steal_pointer (&audio);
}

FacetAudio *
facet_audio_load (const char *path, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetAudio) audio = audio_new ();

  if (!facet_sound_source_open_path (&audio->source, path, error))
    return NULL;
  return load_source (g_steal_pointer (&audio), cancel, error);
}

FacetAudio *
facet_audio_load_bytes (GBytes *bytes, const char *name, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetAudio) audio = audio_new ();

  if (!facet_sound_source_open_bytes (&audio->source, bytes, name, error))
    return NULL;
  return load_source (g_steal_pointer (&audio), cancel, error);
}

static gboolean
check_shape (const float *samples, gsize frames, int channels, int rate, gsize *bytes, GError **error)
{
  gsize n;

  if (frames == 0 || frames > G_MAXINT64 || channels < 1 || channels > FACET_SOUND_MAX_CHANNELS
      || rate < FACET_SOUND_MIN_RATE || rate > FACET_SOUND_MAX_RATE
      || !g_size_checked_mul (&n, frames, (gsize) channels) || !g_size_checked_mul (bytes, n, sizeof (float))) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID,
                 "samples: frames = %" G_GSIZE_FORMAT ", channels = %d, rate = %d", frames, channels, rate);
    return FALSE;
  }
  for (gsize i = 0; i < n; i++) {
    if (!facet_sound_sample_is_sane (samples[i])) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "samples: sample %" G_GSIZE_FORMAT " = %g", i,
                   (double) samples[i]);
      return FALSE;
    }
  }
  return TRUE;
}

FacetAudio *
facet_audio_new_samples (const float *samples, gsize frames, int channels, int rate, GError **error)
{
  g_autoptr (FacetAudioScan) scan = NULL;
  g_autoptr (GChecksum) sum = NULL;
  gint32 shape[2] = { channels, rate };
  FacetAudio *audio;
  gsize bytes;

  if (!check_shape (samples, frames, channels, rate, &bytes, error))
    return NULL;
  audio = audio_new ();
  audio->rate = rate;
  audio->channels = channels;
  audio->samples = g_memdup2 (samples, bytes);
  scan = facet_audio_scan_new (channels);
  facet_audio_scan_feed (scan, samples, frames);
  take_scan (audio, scan);
  sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, (const guchar *) shape, sizeof shape);
  for (gsize done = 0, n; done < bytes; done += n) {
    n = MIN (bytes - done, (gsize) 1 << 30);
    g_checksum_update (sum, (const guchar *) samples + done, (gssize) n);
  }
  audio->hash = g_strdup (g_checksum_get_string (sum));
  return audio;
}

FacetAudio *
facet_audio_ref (FacetAudio *audio)
{
  g_atomic_ref_count_inc (&audio->refs);
  return audio;
}

void
facet_audio_unref (FacetAudio *audio)
{
  if (audio == NULL || !g_atomic_ref_count_dec (&audio->refs))
    return;
  facet_sound_source_clear (&audio->source);
  facet_peaks_clear (&audio->peaks);
  g_free (audio->samples);
  g_free (audio->hash);
  g_free (audio);
}

/* ---- what is known of it ---- */

double
facet_audio_duration (FacetAudio *audio)
{
  return (double) audio->frames / audio->rate;
}

int
facet_audio_rate (FacetAudio *audio)
{
  return audio->rate;
}

int
facet_audio_channels (FacetAudio *audio)
{
  return audio->channels;
}

const char *
facet_audio_hash (FacetAudio *audio)
{
  return audio->hash;
}

void
facet_audio_peaks (FacetAudio *audio, float *peaks, gsize n)
{
  facet_peaks_read (&audio->peaks, peaks, n);
}

gint64
facet_audio_length (FacetAudio *audio)
{
  return (gint64) ((double) audio->frames * FACET_AUDIO_RATE / audio->rate + 0.5);
}

const FacetSoundSource *
facet_audio_source (FacetAudio *audio)
{
  return audio->source.name != NULL ? &audio->source : NULL;
}

const float *
facet_audio_samples (FacetAudio *audio)
{
  return audio->samples;
}

gint64
facet_audio_frames (FacetAudio *audio)
{
  return audio->frames;
}

const double *
facet_audio_weights (FacetAudio *audio)
{
  return audio->weights;
}
