/* The sound encoders against the original implementation: from the sound to
 * soft tokens, layer by layer, and what must be refused. */
#include "device.h"
#include "media/audio.h"
#include "media/mel.h"
#include "models/encoder.h"
#include "npz.h"

#include <math.h>
#include <string.h>

/* max |a - b| / rms (b), as the reference states its tolerances. */
static double
relative (const float *a, const float *b, gsize n)
{
  double worst = 0, square = 0;

  for (gsize i = 0; i < n; i++) {
    worst = fmax (worst, fabs ((double) a[i] - b[i]));
    square += (double) b[i] * b[i];
  }
  return worst / sqrt (square / n);
}

static char *
kit_path (const char *folder, const char *family, const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", folder, family, name, NULL);
}

static FacetGguf *
open_projector (const char *family)
{
  g_autofree char *model = g_strdup_printf ("%s-tiny", family);
  g_autofree char *path = kit_path ("models", model, "mmproj.gguf");
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf = facet_gguf_open (path, &error);

  g_assert_no_error (error);
  return gguf;
}

static float *
load_sound (const char *sound, gsize *n)
{
  g_autofree char *name = g_strdup_printf ("%s.wav", sound);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", name, NULL);
  g_autoptr (FacetAudio) audio = facet_audio_load (path, NULL, NULL);
  g_autoptr (FacetAudioReader) reader = facet_audio_reader_new (audio, NULL);
  float *samples;

  *n = (gsize) facet_audio_length (audio);
  samples = g_new (float, *n);
  g_assert_cmpint (facet_audio_reader_read (reader, samples, *n, NULL), ==, (gssize) *n);
  return samples;
}

typedef struct {
  Npz *npz;
  int  seen;
} Layers;

static void
compare_layer (int layer, const float *data, int rows, int cols, gpointer user_data)
{
  Layers *layers = user_data;
  g_autofree char *name = layer < 0 ? g_strdup ("subsample") : g_strdup_printf ("layer%d", layer);
  const NpyArray *array = npz_find (layers->npz, layer == 3 ? "output_proj" : name);
  g_autofree float *expected = NULL;
  double rel;

  if (array == NULL && layer == 3)
    array = npz_find (layers->npz, "encoder_out");
  if (array == NULL)
    return;
  expected = npy_floats (array);
  g_assert_cmpuint (array->n, ==, (gsize) rows * cols);
  rel = relative (data, expected, array->n);
  g_test_message ("layer %d: rel %.2e", layer, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  layers->seen++;
}

static void
check (const char *family, const char *sound, gboolean exact, int n_seen)
{
  g_autoptr (FacetGguf) gguf = open_projector (family);
  g_autofree char *file = g_strdup_printf ("audio_%s.npz", sound);
  g_autofree char *path = kit_path ("expected", family, file);
  g_autoptr (Npz) npz = npz_open (path);
  const NpyArray *array = npz_find (npz, "soft_tokens_encoder");
  g_autofree float *expected = NULL, *samples = NULL, *mel = NULL, *soft = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, TRUE, &error);
  g_auto (FacetEncoderInput) input = { 0 };
  FacetBackend *backend = device_backend (2, exact);
  Layers layers = { npz, 0 };
  gsize n;
  double rel;

  g_assert_no_error (error);
  array = array != NULL ? array : npz_get (npz, "soft_tokens");
  expected = npy_floats (array);
  samples = load_sound (sound, &n);
  g_assert_true (encoder->prepare_audio (encoder, samples, n, &input, &error));
  g_assert_cmpuint (input.n_tokens, ==, array->shape[0]);
  g_assert_cmpuint (encoder->width, ==, array->shape[1]);
  /* The reference's own spectrum, so that only the encoder is compared. */
  mel = npy_floats (npz_get (npz, "mel"));
  memcpy (input.data[0], mel, npz_get (npz, "mel")->n * sizeof (float));

  soft = facet_encoder_run (encoder, backend, &input, compare_layer, &layers, NULL, &error);
  g_assert_no_error (error);
  rel = relative (soft, expected, array->n);
  g_test_message ("%s %s: soft tokens rel %.2e", family, sound, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  g_assert_cmpint (layers.seen, ==, n_seen);
  backend->klass->free (backend);
}

static void
test_gemma4 (void)
{
  check ("gemma4", "chirp", FALSE, 5);
  check ("gemma4", "note_it", FALSE, 1);
  check ("gemma4", "chirp", TRUE, 5);
}

static void
test_gemma3n (void)
{
  check ("gemma3n", "chirp", FALSE, 5);
  check ("gemma3n", "note_it", FALSE, 1);
  check ("gemma3n", "chirp", TRUE, 5);
}

static void
test_any_length (void)
{
  const char *families[] = { "gemma3n", "gemma4" };
  const gsize lengths[] = { 1, 160, 513, 1600, 16001 };
  g_autofree float *samples = g_new0 (float, 30 * 16000 + 1);

  for (gsize i = 0; i < 16001; i++)
    samples[i] = 0.3f * sinf (0.1f * i);
  for (int f = 0; f < 2; f++) {
    g_autoptr (FacetGguf) gguf = open_projector (families[f]);
    g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, TRUE, NULL);
    g_auto (FacetEncoderInput) refused = { 0 };
    g_autoptr (GError) error = NULL;
    FacetBackend *backend = device_backend (2, FALSE);

    for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
      g_auto (FacetEncoderInput) input = { 0 };
      g_autofree float *soft = NULL;

      g_assert_true (encoder->prepare_audio (encoder, samples, lengths[i], &input, &error));
      soft = facet_encoder_run (encoder, backend, &input, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (input.n_tokens, >=, 1);
    }
    g_assert_false (encoder->prepare_audio (encoder, samples, 30 * 16000 + 1, &refused, &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
    backend->klass->free (backend);
  }
}

/* The last rows of the spectrum and of the soft tokens of the first @n samples. */
static void
check_values (FacetEncoder *encoder, Npz *npz, const float *samples, gsize n)
{
  g_autofree char *mel_name = g_strdup_printf ("mel_%" G_GSIZE_FORMAT, n), *soft_name = g_strdup_printf ("soft_%" G_GSIZE_FORMAT, n);
  const NpyArray *mel = npz_get (npz, mel_name), *soft = npz_get (npz, soft_name);
  g_autofree float *mel_expected = npy_floats (mel), *soft_expected = npy_floats (soft), *found = NULL;
  g_auto (FacetEncoderInput) input = { 0 };
  g_autoptr (GError) error = NULL;
  FacetBackend *backend = device_backend (2, FALSE);
  double of_mel, of_soft;

  g_assert_true (encoder->prepare_audio (encoder, samples, n, &input, &error));
  of_mel = relative (input.data[0] + (gsize) input.shape * FACET_MEL_BINS - mel->n, mel_expected, mel->n);
  found = facet_encoder_run (encoder, backend, &input, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  of_soft = relative (found + (gsize) input.n_tokens * encoder->width - soft->n, soft_expected, soft->n);
  g_test_message ("%" G_GSIZE_FORMAT " samples: mel rel %.2e, soft tokens rel %.2e", n, of_mel, of_soft);
  g_assert_cmpfloat (of_mel, <=, 1e-3);
  g_assert_cmpfloat (of_soft, <=, 1e-4);
  backend->klass->free (backend);
}

/* From a tenth of a second to the longest, around every edge of frames and
 * tokens: as many as in the original, and its values. */
static void
test_lengths (gconstpointer data)
{
  const char *family = data;
  FacetMelKind kind = g_str_equal (family, "gemma3n") ? FACET_MEL_GEMMA3N : FACET_MEL_GEMMA4;
  g_autofree char *path = kit_path ("expected", family, "audio_lengths.npz");
  g_autoptr (Npz) npz = npz_open (path);
  g_autofree gint32 *lengths = npy_ints (npz_get (npz, "samples")), *frames = npy_ints (npz_get (npz, "frames"));
  g_autofree gint32 *tokens = npy_ints (npz_get (npz, "tokens"));
  g_autoptr (FacetGguf) gguf = open_projector (family);
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, TRUE, NULL);
  gsize n_note;
  g_autofree float *note = load_sound ("note_it", &n_note), *samples = g_new (float, 480000);

  for (gsize i = 0; i < 480000; i++)
    samples[i] = note[i % n_note];
  g_assert_cmpuint (npz_get (npz, "samples")->n, >=, 50);
  for (gsize i = 0; i < npz_get (npz, "samples")->n; i++) {
    g_assert_cmpuint (facet_mel_frames (kind, (gsize) lengths[i]), ==, (gsize) frames[i]);
    g_assert_cmpint (encoder->count_audio (encoder, (gsize) lengths[i]), ==, tokens[i]);
  }
  check_values (encoder, npz, samples, 1600);
  check_values (encoder, npz, samples, 4321);
  check_values (encoder, npz, samples, 480000);
}

static void
test_thirty_seconds (void)
{
  g_autofree float *samples = g_new0 (float, 30 * 16000);
  g_autoptr (FacetGguf) three = open_projector ("gemma3n"), four = open_projector ("gemma4");
  g_autoptr (FacetEncoder) a = facet_encoder_load (three, TRUE, NULL), b = facet_encoder_load (four, TRUE, NULL);
  g_auto (FacetEncoderInput) x = { 0 }, y = { 0 };

  g_assert_true (a->prepare_audio (a, samples, 30 * 16000, &x, NULL));
  g_assert_cmpint (x.n_tokens, ==, 188);
  g_assert_true (b->prepare_audio (b, samples, 30 * 16000, &y, NULL));
  g_assert_cmpint (y.n_tokens, ==, 750);
}

/* Through the public interface: the same values from the file itself, encoded
 * once, and a sentence where there is no encoder or too much sound. */
static void
test_projector (void)
{
  g_autofree char *path = kit_path ("models", "gemma4-tiny", "mmproj.gguf"), *eyes = kit_path ("models", "gemma3-tiny", "mmproj.gguf");
  g_autofree char *file = kit_path ("expected", "gemma4", "audio_note_it.npz");
  g_autofree char *wav = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", "note_it.wav", NULL);
  g_autofree float *hour = g_new0 (float, 31 * 8000), *expected = NULL;
  g_autoptr (Npz) npz = npz_open (file);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetProjector) projector = facet_projector_load (path, NULL, &error);
  g_autoptr (FacetProjector) deaf = facet_projector_load (eyes, NULL, NULL);
  g_autoptr (FacetAudio) audio = facet_audio_load (wav, NULL, NULL), is_long = facet_audio_new_samples (hour, 31 * 8000, 1, 8000, NULL);
  g_autoptr (GBytes) soft = NULL, again = NULL;

  g_assert_no_error (error);
  g_assert_true (facet_projector_accepts_audio (projector));
  soft = facet_projector_encode_audio (projector, audio, NULL, &error);
  g_assert_no_error (error);
  expected = npy_floats (npz_get (npz, "soft_tokens"));
  g_assert_cmpuint (g_bytes_get_size (soft), ==, npz_get (npz, "soft_tokens")->n * sizeof (float));
  /* The spectrum's own rounding goes through the encoder here. */
  g_assert_cmpfloat (relative (g_bytes_get_data (soft, NULL), expected, npz_get (npz, "soft_tokens")->n), <=, 1e-3);
  again = facet_projector_encode_audio (projector, audio, NULL, NULL);
  g_assert_true (g_bytes_equal (soft, again));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 1);
  g_assert_null (facet_projector_encode_audio (projector, is_long, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_false (facet_projector_accepts_audio (deaf));
  g_assert_null (facet_projector_encode_audio (deaf, audio, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/audio-encoder/gemma3n", test_gemma3n);
  g_test_add_func ("/audio-encoder/gemma4", test_gemma4);
  g_test_add_func ("/audio-encoder/any-length", test_any_length);
  g_test_add_data_func ("/audio-encoder/lengths/gemma3n", "gemma3n", test_lengths);
  g_test_add_data_func ("/audio-encoder/lengths/gemma4", "gemma4", test_lengths);
  g_test_add_func ("/audio-encoder/thirty-seconds", test_thirty_seconds);
  g_test_add_func ("/audio-encoder/projector", test_projector);
  return g_test_run ();
}
