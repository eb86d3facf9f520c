/* The mel front ends against the original implementation's values: a wrong
 * window, filter or logarithm makes every audio encoder deaf. */
#include "media/audio.h"
#include "media/mel.h"
#include "npz.h"

#include <math.h>

static float *
load_samples (const char *name, gsize *n)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetAudio) audio = facet_audio_load (path, NULL, &error);
  g_autoptr (FacetAudioReader) reader = NULL;
  float *samples;

  g_assert_no_error (error);
  reader = facet_audio_reader_new (audio, &error);
  g_assert_no_error (error);
  *n = (gsize) facet_audio_length (audio);
  samples = g_new (float, *n);
  g_assert_cmpint (facet_audio_reader_read (reader, samples, *n, &error), ==, (gssize) *n);
  return samples;
}

static void
check (FacetMelKind kind, const char *family, const char *sound)
{
  g_autofree char *wav = g_strdup_printf ("%s.wav", sound);
  g_autofree char *file = g_strdup_printf ("audio_%s.npz", sound);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "expected", family, file, NULL);
  g_autoptr (Npz) npz = npz_open (path);
  const NpyArray *array = npz_get (npz, "mel");
  g_autofree float *expected = npy_floats (array);
  gsize n;
  g_autofree float *samples = load_samples (wav, &n);
  g_autofree float *mel = facet_mel_compute (kind, samples, n);
  double worst = 0, square = 0;

  g_assert_cmpuint (facet_mel_frames (kind, n), ==, array->shape[0]);
  g_assert_cmpuint (array->shape[1], ==, FACET_MEL_BINS);
  for (gsize i = 0; i < array->n; i++) {
    worst = MAX (worst, fabs ((double) mel[i] - expected[i]));
    square += (double) expected[i] * expected[i];
  }
  g_test_message ("%s %s: rel %.2e", family, sound, worst / sqrt (square / (double) array->n));
  g_assert_cmpfloat (worst / sqrt (square / (double) array->n), <, 1e-3);
}

static void
test_gemma3n (void)
{
  check (FACET_MEL_GEMMA3N, "gemma3n", "chirp");
  check (FACET_MEL_GEMMA3N, "gemma3n", "note_it");
}

static void
test_gemma4 (void)
{
  check (FACET_MEL_GEMMA4, "gemma4", "chirp");
  check (FACET_MEL_GEMMA4, "gemma4", "note_it");
}

static void
test_short_sound (void)
{
  const float samples[3] = { 0.5f, -0.5f, 0.5f };

  for (int kind = FACET_MEL_GEMMA3N; kind <= FACET_MEL_GEMMA4; kind++) {
    g_autofree float *mel = facet_mel_compute (kind, samples, 3);

    g_assert_cmpuint (facet_mel_frames (kind, 3), ==, 1);
    for (int i = 0; i < FACET_MEL_BINS; i++)
      g_assert_true (isfinite (mel[i]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mel/gemma3n", test_gemma3n);
  g_test_add_func ("/mel/gemma4", test_gemma4);
  g_test_add_func ("/mel/short-sound", test_short_sound);
  return g_test_run ();
}
