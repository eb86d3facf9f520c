/* Sound files: every kind gives the same sound, and what is broken is refused
 * by name instead of being heard in part. */
#include "media/audio.h"
#include "media/mel.h"
#include "tree.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>

#define SECONDS 0.75

typedef struct {
  const char *name;
  int format, rate, channels;
  gboolean lossless; /* holds 16-bit sound as it is */
} Kind;

#define WAV SF_FORMAT_WAV
#define WAVEX SF_FORMAT_WAVEX
static const Kind kinds[] = {
  { "u8.wav", WAV | SF_FORMAT_PCM_U8, 16000, 1, FALSE },
  { "s16.wav", WAV | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "s24.wav", WAV | SF_FORMAT_PCM_24, 16000, 1, TRUE },
  { "s32.wav", WAV | SF_FORMAT_PCM_32, 16000, 1, TRUE },
  { "f32.wav", WAV | SF_FORMAT_FLOAT, 16000, 1, TRUE },
  { "f64.wav", WAV | SF_FORMAT_DOUBLE, 16000, 1, TRUE },
  { "alaw.wav", WAV | SF_FORMAT_ALAW, 16000, 1, FALSE },
  { "ulaw.wav", WAV | SF_FORMAT_ULAW, 16000, 1, FALSE },
  { "ima.wav", WAV | SF_FORMAT_IMA_ADPCM, 16000, 1, FALSE },
  { "ms.wav", WAV | SF_FORMAT_MS_ADPCM, 16000, 1, FALSE },
  { "rifx.wav", WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, 16000, 1, TRUE },
  { "ex16.wav", WAVEX | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "ex24.wav", WAVEX | SF_FORMAT_PCM_24, 16000, 2, TRUE },
  { "exf32.wav", WAVEX | SF_FORMAT_FLOAT, 16000, 6, TRUE },
  { "71.wav", WAVEX | SF_FORMAT_PCM_16, 16000, 8, TRUE },
  { "stereo.wav", WAV | SF_FORMAT_PCM_16, 16000, 2, TRUE },
  { "rf64.wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "w64.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_24, 16000, 1, TRUE },
  { "s16.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "f32.aiff", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 16000, 2, TRUE },
  { "ima.aiff", SF_FORMAT_AIFF | SF_FORMAT_IMA_ADPCM, 16000, 1, FALSE },
  { "s16.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "f32.caf", SF_FORMAT_CAF | SF_FORMAT_FLOAT, 16000, 1, TRUE },
  { "alac.caf", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 16000, 1, TRUE },
  { "s16.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "ulaw.au", SF_FORMAT_AU | SF_FORMAT_ULAW, 16000, 1, FALSE },
  { "s16.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "s24.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 16000, 2, TRUE },
  { "voc.voc", SF_FORMAT_VOC | SF_FORMAT_PCM_16, 16000, 1, TRUE },
  { "vorbis.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16000, 1, FALSE },
  { "vorbis44.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 2, FALSE },
  { "opus.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, FALSE },
  { "opus16.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 16000, 2, FALSE },
  { "layer3.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 1, FALSE },
  { "layer3s.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 48000, 2, FALSE },
  { "8k.wav", WAV | SF_FORMAT_PCM_16, 8000, 1, TRUE },
  { "11k.wav", WAV | SF_FORMAT_PCM_16, 11025, 2, TRUE },
  { "22k.wav", WAV | SF_FORMAT_PCM_16, 22050, 1, TRUE },
  { "32k.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 32000, 1, TRUE },
  { "44k.wav", WAV | SF_FORMAT_PCM_24, 44100, 2, TRUE },
  { "44k.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 2, TRUE },
  { "44k.caf", SF_FORMAT_CAF | SF_FORMAT_ALAC_24, 44100, 2, TRUE },
  { "48k.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 48000, 6, TRUE },
  { "96k.wav", WAV | SF_FORMAT_FLOAT, 96000, 2, TRUE },
  { "192k.wav", WAV | SF_FORMAT_PCM_32, 192000, 1, TRUE },
};

static char *folder;

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Four tones below 3 kHz with a slow swell, on the 16-bit grid. */
static float
sound_at (double t)
{
  static const double hz[] = { 210, 470, 1310, 2750 };
  double sum = 0;

  for (int i = 0; i < 4; i++)
    sum += sin (2 * G_PI * hz[i] * t + i) * 0.15;
  return (float) (round (sum * (0.6 + 0.4 * sin (2 * G_PI * 3 * t)) * 32767) / 32768);
}

static void
write_file (const char *path, int format, int rate, int channels, const float *samples, gsize frames)
{
  SF_INFO info = { .format = format, .samplerate = rate, .channels = channels };
  SNDFILE *snd = sf_open (path, SFM_WRITE, &info);

  if (snd == NULL)
    g_error ("%s: %s", path, sf_strerror (NULL));
  if ((format & SF_FORMAT_SUBMASK) >= SF_FORMAT_FLOAT && (format & SF_FORMAT_SUBMASK) < SF_FORMAT_ALAC_16) {
    g_assert_cmpint (sf_writef_float (snd, samples, (sf_count_t) frames), ==, (sf_count_t) frames);
  } else {
    /* libsndfile writes floats to integers a hair too small, integers as they are. */
    g_autofree int *whole = g_new (int, frames * (gsize) channels + 1);

    for (gsize i = 0; i < frames * (gsize) channels; i++)
      whole[i] = (int) (samples[i] * 32768) * 65536;
    g_assert_cmpint (sf_writef_int (snd, whole, (sf_count_t) frames), ==, (sf_count_t) frames);
  }
  sf_close (snd);
}

static float *
make_sound (int rate, int channels, gsize *frames)
{
  float *samples;

  *frames = (gsize) (rate * SECONDS);
  samples = g_new (float, *frames * (gsize) channels);
  for (gsize i = 0; i < *frames; i++) {
    for (int c = 0; c < channels; c++)
      samples[i * (gsize) channels + (gsize) c] = sound_at ((double) i / rate);
  }
  return samples;
}

static float *
read_all (FacetAudio *audio, gsize *n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetAudioReader) reader = facet_audio_reader_new (audio, &error);
  gsize room = (gsize) facet_audio_length (audio) + 1000;
  float *samples = g_new0 (float, room);
  gssize got;

  g_assert_no_error (error);
  got = facet_audio_reader_read (reader, samples, room, &error);
  g_assert_no_error (error);
  *n = (gsize) got;
  return samples;
}

static FacetAudio *
load (const char *name)
{
  g_autofree char *path = path_of (name);
  g_autoptr (GError) error = NULL;
  FacetAudio *audio = facet_audio_load (path, NULL, &error);

  g_assert_no_error (error);
  return audio;
}

static void
check_refused (const char *name, FacetErrorCode code, const char *fault)
{
  g_autofree char *path = path_of (name);
  g_autoptr (GError) error = NULL;

  g_assert_null (facet_audio_load (path, NULL, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, FACET_ERROR, code);
  g_assert_nonnull (strstr (error->message, name));
  g_assert_nonnull (strstr (error->message, fault));
}

/* ---- kinds of files ---- */

/* The spectrum of a lossless file is that of the samples that went into it. */
static void
check_lossless (const Kind *kind, const float *sound, gsize frames, const float *samples, gsize n)
{
  g_autoptr (FacetAudio) audio = facet_audio_new_samples (sound, frames, kind->channels, kind->rate, NULL);
  gsize n_want;
  g_autofree float *want = read_all (audio, &n_want);

  g_assert_cmpuint (n, ==, n_want);
  for (int m = FACET_MEL_GEMMA3N; m <= FACET_MEL_GEMMA4; m++) {
    g_autofree float *a = facet_mel_compute (m, want, n), *b = facet_mel_compute (m, samples, n);

    for (gsize i = 0; i < facet_mel_frames (m, n) * FACET_MEL_BINS; i++)
      g_assert_cmpfloat (fabsf (a[i] - b[i]), <=, 1e-4f);
  }
}

/* At 16 kHz. */
static const float *
plain_sound (void)
{
  static float *sound;
  gsize frames;

  if (sound == NULL)
    sound = make_sound (16000, 1, &frames);
  return sound;
}

/* Lossy, resampled or not: the best alignment within 100 ms correlates. */
static void
check_similar (const Kind *kind, const float *samples, gsize n)
{
  const float *sound = plain_sound ();
  double best = 0;

  for (int lag = -1600; lag <= 1600; lag++) {
    double xy = 0, xx = 0, yy = 0;

    for (gsize i = 3200; i + 3200 < MIN (n, 12000); i++) {
      double x = sound[i], y = samples[(gssize) i + lag];

      xy += x * y;
      xx += x * x;
      yy += y * y;
    }
    best = MAX (best, xy / sqrt (xx * yy + 1e-12));
  }
  g_test_message ("%s: %" G_GSIZE_FORMAT " samples, correlation %.5f", kind->name, n, best);
  g_assert_cmpfloat (best, >, 0.98);
  g_assert_cmpfloat (fabs ((double) n / 16000 - SECONDS), <, 0.12);
}

static void
test_kind (gconstpointer data)
{
  const Kind *kind = data;
  g_autofree char *path = path_of (kind->name);
  gsize frames, n;
  g_autofree float *sound = make_sound (kind->rate, kind->channels, &frames), *samples = NULL;
  g_autoptr (FacetAudio) audio = NULL;

  write_file (path, kind->format, kind->rate, kind->channels, sound, frames);
  audio = load (kind->name);
  g_assert_cmpint (facet_audio_channels (audio), ==, kind->channels);
  samples = read_all (audio, &n);
  if (kind->lossless)
    check_lossless (kind, sound, frames, samples, n);
  check_similar (kind, samples, n);
}

/* ---- odd sounds in files ---- */

/* Saves [frames, channels] as 16 bits and reads what an encoder would hear. */
static float *
through_file (const char *name, const float *sound, gsize frames, int channels)
{
  g_autofree char *path = path_of (name);
  g_autoptr (FacetAudio) audio = NULL;
  gsize n;
  float *heard;

  write_file (path, WAV | SF_FORMAT_PCM_16, 16000, channels, sound, frames);
  audio = load (name);
  heard = read_all (audio, &n);
  g_assert_cmpuint (n, ==, frames);
  return heard;
}

static void
assert_heard (const float *heard, const float *sound, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat (heard[i], ==, sound[i]);
}

static void
test_silence (void)
{
  const gsize n = 4000;
  g_autofree float *zeros = g_new0 (float, n), *heard = through_file ("silence.wav", zeros, n, 1);

  for (int m = FACET_MEL_GEMMA3N; m <= FACET_MEL_GEMMA4; m++) {
    g_autofree float *mel = facet_mel_compute (m, heard, n);
    float quiet = logf (m == FACET_MEL_GEMMA3N ? 1e-5f : 1e-3f);

    for (gsize i = 0; i < facet_mel_frames (m, n) * FACET_MEL_BINS; i++)
      g_assert_cmpfloat (fabsf (mel[i] - quiet), <, 1e-5f);
  }
}

/* Too loud for the file: its limits, neither louder nor softer. */
static void
test_clipped_file (void)
{
  gsize frames;
  g_autofree float *sound = make_sound (16000, 1, &frames), *heard = NULL;
  gsize clipped = 0;

  for (gsize i = 0; i < frames; i++) {
    sound[i] = CLAMP (6 * sound[i], -1, 32767.0f / 32768);
    clipped += fabsf (sound[i]) > 0.999f;
  }
  g_assert_cmpuint (clipped, >, frames / 10);
  heard = through_file ("clipped.wav", sound, frames, 1);
  assert_heard (heard, sound, frames);
}

static void
test_dead_channel (void)
{
  const float *sound = plain_sound ();
  gsize frames = (gsize) (16000 * SECONDS);
  g_autofree float *both = g_new0 (float, 2 * frames), *heard = NULL;

  for (gsize i = 0; i < frames; i++)
    both[2 * i + 1] = sound[i];
  heard = through_file ("dead.wav", both, frames, 2);
  assert_heard (heard, sound, frames);
}

/* ---- down-mix ---- */

static FacetAudio *
stereo (float left, float right, gsize *frames)
{
  g_autofree float *sound = make_sound (16000, 2, frames);
  g_autoptr (GError) error = NULL;
  FacetAudio *audio;

  for (gsize i = 0; i < *frames; i++) {
    sound[2 * i] *= left;
    sound[2 * i + 1] *= right;
  }
  audio = facet_audio_new_samples (sound, *frames, 2, 16000, &error);
  g_assert_no_error (error);
  return audio;
}

static void
check_mix (float left, float right, float expected)
{
  gsize frames, n;
  g_autoptr (FacetAudio) audio = stereo (left, right, &frames);
  g_autofree float *samples = read_all (audio, &n);

  g_assert_cmpuint (n, ==, frames);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat (fabsf (samples[i] - expected * sound_at ((double) i / 16000)), <, 1e-6f);
}

static void
test_mix (void)
{
  check_mix (1, 0.5f, 0.75f);
  check_mix (1, 0, 1);       /* a dead channel takes nothing away */
  check_mix (0.5f, -0.5f, 0.5f); /* one microphone wired in reverse */
}

static void
test_clipping_kept (void)
{
  const float samples[6] = { 2, 2, -3, -3, 1, 1 };
  g_autoptr (FacetAudio) audio = facet_audio_new_samples (samples, 6, 1, 16000, NULL);
  gsize n;
  g_autofree float *got = read_all (audio, &n);
  float peak;

  g_assert_cmpmem (got, n * sizeof (float), samples, sizeof samples);
  facet_audio_peaks (audio, &peak, 1);
  g_assert_cmpfloat (peak, ==, 3);
}

static void
test_peaks (void)
{
  g_autofree float *samples = g_new0 (float, 100000);
  g_autoptr (FacetAudio) audio = NULL;
  float peaks[10];

  samples[55000] = -0.5f;
  audio = facet_audio_new_samples (samples, 100000, 1, 16000, NULL);
  facet_audio_peaks (audio, peaks, 10);
  for (int i = 0; i < 10; i++)
    g_assert_cmpfloat (peaks[i], ==, i == 5 ? 0.5f : 0);
  g_assert_cmpfloat (facet_audio_duration (audio), ==, 6.25);
}

/* ---- broken files ---- */

static void
test_refused (void)
{
  g_autofree char *empty = path_of ("empty.wav"), *text = path_of ("text.wav"), *cut = path_of ("cut.wav");
  g_autofree char *nan = path_of ("nan.wav"), *silent = path_of ("noframes.wav"), *flac = path_of ("cut.flac");
  g_autofree char *bytes = NULL;
  float bad[4] = { 0, 0.5f, NAN, 0 };
  gsize frames, size;
  g_autofree float *sound = make_sound (16000, 1, &frames);

  g_file_set_contents (empty, "", 0, NULL);
  check_refused ("empty.wav", FACET_ERROR_MEDIA, "empty");
  g_file_set_contents (text, "This is no sound at all.", -1, NULL);
  check_refused ("text.wav", FACET_ERROR_MEDIA, "not a sound file");
  write_file (silent, WAV | SF_FORMAT_PCM_16, 16000, 1, sound, 0);
  check_refused ("noframes.wav", FACET_ERROR_MEDIA, "frames = 0");
  write_file (nan, WAV | SF_FORMAT_FLOAT, 16000, 1, bad, 4);
  check_refused ("nan.wav", FACET_ERROR_MEDIA, "frame 2");
  write_file (cut, WAV | SF_FORMAT_PCM_16, 16000, 1, sound, frames);
  g_assert_true (g_file_get_contents (cut, &bytes, &size, NULL));
  g_file_set_contents (cut, bytes, (gssize) size / 2, NULL);
  check_refused ("cut.wav", FACET_ERROR_IO, "cut short");
  g_clear_pointer (&bytes, g_free);
  write_file (flac, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, sound, frames);
  g_assert_true (g_file_get_contents (flac, &bytes, &size, NULL));
  g_file_set_contents (flac, bytes, (gssize) size / 2, NULL);
  check_refused ("cut.flac", FACET_ERROR_IO, "announces");
  check_refused ("absent.wav", FACET_ERROR_IO, "No such file");
}

static void
test_refused_samples (void)
{
  const float fine[2] = { 0, 1 }, infinite[2] = { 0, INFINITY };

  g_assert_null (facet_audio_new_samples (fine, 0, 1, 16000, NULL));
  g_assert_null (facet_audio_new_samples (fine, 2, 0, 16000, NULL));
  g_assert_null (facet_audio_new_samples (fine, 1, 2, 999, NULL));
  g_assert_null (facet_audio_new_samples (fine, G_MAXSIZE / 2, 8, 16000, NULL));
  g_assert_null (facet_audio_new_samples (infinite, 2, 1, 16000, NULL));
}

static void
test_bytes_and_hash (void)
{
  g_autofree char *path = path_of ("hash.wav"), *bytes = NULL;
  gsize frames, size;
  g_autofree float *sound = make_sound (16000, 1, &frames);
  g_autoptr (FacetAudio) from_path = NULL, from_bytes = NULL;
  g_autoptr (GBytes) data = NULL;
  g_autoptr (GError) error = NULL;

  write_file (path, WAV | SF_FORMAT_PCM_16, 16000, 1, sound, frames);
  from_path = load ("hash.wav");
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  data = g_bytes_new (bytes, size);
  from_bytes = facet_audio_load_bytes (data, "bytes", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (facet_audio_hash (from_path), ==, facet_audio_hash (from_bytes));
  g_assert_cmpuint (strlen (facet_audio_hash (from_path)), ==, 64);
  /* The open file outlives its name. */
  g_remove (path);
  g_free (g_steal_pointer (&sound));
  sound = read_all (from_path, &frames);
  g_assert_cmpuint (frames, ==, (gsize) (16000 * SECONDS));
}

static void
test_cancel (void)
{
  g_autofree char *path = path_of ("cancel.wav");
  gsize frames;
  g_autofree float *sound = make_sound (16000, 1, &frames);
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 1 };

  write_file (path, WAV | SF_FORMAT_PCM_16, 16000, 1, sound, frames);
  g_assert_null (facet_audio_load (path, &cancel, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  int failed;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("facet-audio-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *name = g_strdup_printf ("/audio/kind/%s", kinds[i].name);

    g_test_add_data_func (name, &kinds[i], test_kind);
  }
  g_test_add_func ("/audio/silence", test_silence);
  g_test_add_func ("/audio/clipped-file", test_clipped_file);
  g_test_add_func ("/audio/dead-channel", test_dead_channel);
  g_test_add_func ("/audio/mix", test_mix);
  g_test_add_func ("/audio/clipping-kept", test_clipping_kept);
  g_test_add_func ("/audio/peaks", test_peaks);
  g_test_add_func ("/audio/refused", test_refused);
  g_test_add_func ("/audio/refused-samples", test_refused_samples);
  g_test_add_func ("/audio/bytes-and-hash", test_bytes_and_hash);
  g_test_add_func ("/audio/cancel", test_cancel);
  failed = g_test_run ();
  tree_remove (folder);
  g_free (folder);
  return failed;
}
