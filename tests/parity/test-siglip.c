/* Gemma 3's picture encoder against the original implementation: pixels to
 * soft tokens, layer by layer, and what must be refused. */
#include "compare.h"
#include "device.h"
#include "kit-pictures.h"
#include "models/encoder.h"
#include "npz.h"

#include <math.h>
#include <string.h>

typedef struct {
  Npz *npz;
  int  seen;
  int  n_layers;
} Layers;

static void
compare_layer (int layer, const float *data, int rows, int cols, gpointer user_data)
{
  Layers *layers = user_data;
  g_autofree char *name = layer < 0 ? g_strdup ("embeddings") : layer == layers->n_layers ? g_strdup ("post_layernorm") : g_strdup_printf ("layer%d", layer);
  const NpyArray *array = npz_find (layers->npz, name);
  g_autofree float *expected = array ? npy_floats (array) : NULL;
  double rel;

  if (!array)
    return;
  g_assert_cmpuint (array->n, ==, (gsize) rows * cols);
  rel = relative_error (data, expected, array->n);
  g_test_message ("%s: rel %.2e", name, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  layers->seen++;
}

static void
check_picture (const char *input_name, const char *expected_name, gboolean exact, double tolerance, int n_layers_seen)
{
  g_autoptr (FacetGguf) gguf = kit_projector ("gemma3");
  g_autofree char *path = kit_path (expected_name);
  g_autoptr (Npz) npz = npz_open (path);
  g_autofree float *expected = npy_floats (npz_get (npz, "soft_tokens")), *soft = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_autoptr (FacetImage) image = kit_picture (input_name);
  g_auto (FacetEncoderInput) input = { 0 };
  FacetBackend *backend = device_backend (2, exact);
  Layers layers = { npz, 0, 3 };
  double rel;

  g_assert_no_error (error);
  g_assert_true (encoder->prepare_image (encoder, image, NULL, &input, &error));
  g_assert_cmpint (input.n_tokens, ==, 16);
  g_assert_cmpint (encoder->width, ==, 256);

  soft = facet_encoder_run (encoder, backend, &input, n_layers_seen ? compare_layer : NULL, &layers, NULL, &error);
  g_assert_no_error (error);
  rel = relative_error (soft, expected, 16 * 256);
  g_test_message ("%s: soft tokens rel %.2e", input_name, rel);
  g_assert_cmpfloat (rel, <=, tolerance);
  g_assert_cmpint (layers.seen, ==, n_layers_seen);
  backend->klass->free (backend);
}

static void
test_photo (void)
{
  check_picture ("photo.png", "expected/gemma3/vision_photo.npz", FALSE, 1e-4, 5);
}

static void
test_photo_exact (void)
{
  check_picture ("photo.png", "expected/gemma3/vision_photo.npz", TRUE, 1e-4, 5);
}

static void
test_chart (void)
{
  check_picture ("chart.png", "expected/gemma3/vision_chart.npz", FALSE, 1e-4, 0);
}

static void
test_not_finite (void)
{
  g_autoptr (FacetGguf) gguf = kit_projector ("gemma3");
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_autoptr (FacetImage) image = facet_image_new_from_rgb ((const guint8 *) "\1\2\3", 1, 1, 3, NULL);
  g_auto (FacetEncoderInput) input = { 0 };
  FacetBackend *backend = device_backend (1, FALSE);

  g_assert_true (encoder->prepare_image (encoder, image, NULL, &input, &error));
  input.data[0][100] = NAN;
  g_assert_null (facet_encoder_run (encoder, backend, &input, NULL, NULL, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NUMERIC);
  backend->klass->free (backend);
}

static void
test_refused (void)
{
  g_autofree char *path = kit_path ("models/gemma3-tiny/text-q4_0.gguf");
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) text = facet_gguf_open (path, &error);
  g_autoptr (FacetGguf) gguf = kit_projector ("gemma3");

  g_assert_null (facet_encoder_load (text, FALSE, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (facet_encoder_load (gguf, TRUE, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "gemma3"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/siglip/photo", test_photo);
  g_test_add_func ("/siglip/photo-exact", test_photo_exact);
  g_test_add_func ("/siglip/chart", test_chart);
  g_test_add_func ("/siglip/not-finite", test_not_finite);
  g_test_add_func ("/siglip/refused", test_refused);
  return g_test_run ();
}
