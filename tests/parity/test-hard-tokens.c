/* Gemma 3n's ids beyond the text: their embeddings from the projector against
 * what the original implementation gives its decoder. */
#include "device.h"
#include "models/projector.h"
#include "npz.h"

#include <math.h>

#define WIDTH 32
#define N_HARD 8

static char *
kit_path (const char *folder, const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", folder, name, NULL);
}

static FacetProjector *
load_projector (const char *folder)
{
  g_autofree char *path = kit_path (folder, "mmproj.gguf");
  FacetModelParams params = { .threads = 1, .exact = TRUE };
  g_autoptr (GError) error = NULL;
  FacetProjector *projector;

  device_params (&params);
  projector = facet_projector_load (path, &params, &error);
  g_assert_no_error (error);
  return projector;
}

static void
assert_row (FacetProjector *projector, gboolean audio, int row, const float *expected)
{
  g_autoptr (GError) error = NULL;
  const float *rows = facet_projector_hard (projector, audio, &error);
  double worst = 0, square = 0;

  g_assert_no_error (error);
  for (int i = 0; i < WIDTH; i++) {
    worst = fmax (worst, fabs ((double) rows[row * WIDTH + i] - expected[i]));
    square += (double) expected[i] * expected[i];
  }
  g_assert_cmpfloat (worst / sqrt (square / WIDTH), <=, 1e-5);
}

/* The token that ends a picture or sound stands behind its soft tokens. */
static void
test_end_tokens (void)
{
  static const char *const names[] = { "image.npz", "audio.npz" };
  g_autoptr (FacetProjector) projector = load_projector ("models/gemma3n-tiny");

  for (int audio = 0; audio < 2; audio++) {
    g_autofree char *path = kit_path ("expected/gemma3n", names[audio]);
    g_autoptr (Npz) npz = npz_open (path);
    g_autofree float *embeds = npy_floats (npz_get (npz, "hf_inputs_embeds"));
    g_autofree gint32 *spans = npy_ints (npz_get (npz, "spans"));

    g_assert_cmpint (facet_projector_n_hard (projector, audio), ==, N_HARD);
    assert_row (projector, audio, 0, embeds + (spans[0] + spans[1]) * WIDTH);
  }
}

static void
test_padding (void)
{
  g_autoptr (FacetProjector) projector = load_projector ("models/gemma3n-tiny");
  g_autofree char *path = kit_path ("expected/gemma3n", "audio_chirp.npz");
  g_autoptr (Npz) npz = npz_open (path);
  g_autofree float *expected = npy_floats (npz_get (npz, "padding_embedding"));

  assert_row (projector, TRUE, N_HARD - 1, expected);
}

static void
test_other_families (void)
{
  g_autoptr (FacetProjector) projector = load_projector ("models/gemma3-tiny");

  g_assert_cmpint (facet_projector_n_hard (projector, FALSE), ==, 0);
  g_assert_cmpint (facet_projector_n_hard (projector, TRUE), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/hard-tokens/end-tokens", test_end_tokens);
  g_test_add_func ("/hard-tokens/padding", test_padding);
  g_test_add_func ("/hard-tokens/other-families", test_other_families);
  return g_test_run ();
}
