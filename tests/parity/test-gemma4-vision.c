/* Gemma 4's picture encoder against the original implementation: pixels, patch
 * embeddings, every layer, soft tokens; and what each part of it contributes. */
#include "compare.h"
#include "device.h"
#include "kit-pictures.h"
#include "models/encoder.h"
#include "models/projector.h"
#include "npz.h"

#include <glib/gstdio.h>
#include <string.h>

#define N_LAYERS 3
#define WIDTH 256

typedef struct {
  Npz *npz;
  int  seen;
} Layers;

/* The reference kept every third patch of the layers. */
static void
compare_layer (int layer, const float *data, int rows, int cols, gpointer user_data)
{
  Layers *layers = user_data;
  g_autofree char *name = layer < 0 ? g_strdup ("patch_embeddings")
                          : layer == N_LAYERS ? g_strdup ("pooled")
                          : layer > N_LAYERS ? g_strdup ("encoder_out") : g_strdup_printf ("layer%d", layer);
  const NpyArray *array = npz_find (layers->npz, name);
  g_autofree float *expected = array ? npy_floats (array) : NULL, *picked = NULL;
  int step = layer < N_LAYERS ? 3 : 1;
  double rel;

  if (!array)
    return;
  g_assert_cmpuint (array->shape[0], ==, rows / step);
  g_assert_cmpuint (array->shape[1], ==, cols);
  picked = g_new (float, array->n);
  for (gsize row = 0; row < array->shape[0]; row++)
    memcpy (picked + row * cols, data + row * step * cols, sizeof (float) * cols);
  rel = relative_error (picked, expected, array->n);
  g_test_message ("%s: rel %.2e", name, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  layers->seen++;
}

/* Soft tokens of @picture by the projector in @gguf. */
static float *
encode (FacetGguf *gguf, const char *picture, gboolean exact, Layers *layers, FacetEncoderInput *input)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_autoptr (FacetImage) image = kit_picture (picture);
  FacetBackend *backend = device_backend (2, exact);
  float *soft;

  g_assert_no_error (error);
  g_assert_cmpint (encoder->width, ==, WIDTH);
  encoder->detail = 70;
  g_assert_true (encoder->prepare_image (encoder, image, NULL, input, &error));
  g_assert_cmpint (input->n_tokens, ==, encoder->count (encoder, facet_image_width (image), facet_image_height (image)));
  soft = facet_encoder_run (encoder, backend, input, layers ? compare_layer : NULL, layers, NULL, &error);
  g_assert_no_error (error);
  backend->klass->free (backend);
  return soft;
}

static void
check_picture (const char *picture, const char *values, gboolean exact, int n_layers_seen)
{
  g_autoptr (FacetGguf) gguf = kit_projector ("gemma4");
  g_autofree char *path = kit_path (values);
  g_autoptr (Npz) npz = npz_open (path);
  const NpyArray *tokens = npz_get (npz, "soft_tokens"), *pixels = npz_get (npz, "resized_u8");
  g_autofree float *expected = npy_floats (tokens), *soft = NULL;
  g_auto (FacetEncoderInput) input = { 0 };
  Layers layers = { npz, 0 };
  double rel;

  soft = encode (gguf, picture, exact, n_layers_seen ? &layers : NULL, &input);
  g_assert_cmpuint (pixels->shape[0], ==, input.pixel_height);
  g_assert_cmpuint (pixels->shape[1], ==, input.pixel_width);
  g_assert_cmpmem (input.pixels, pixels->n, g_bytes_get_data (pixels->bytes, NULL), pixels->n);
  g_assert_cmpuint (tokens->shape[0], ==, input.n_tokens);
  rel = relative_error (soft, expected, tokens->n);
  g_test_message ("%s: soft tokens rel %.2e", picture, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  g_assert_cmpint (layers.seen, ==, n_layers_seen);
}

static void
test_photo (void)
{
  check_picture ("photo.png", "expected/gemma4/vision_photo.npz", FALSE, N_LAYERS + 3);
}

static void
test_photo_exact (void)
{
  check_picture ("photo.png", "expected/gemma4/vision_photo.npz", TRUE, N_LAYERS + 3);
}

static void
test_chart (void)
{
  check_picture ("chart.png", "expected/gemma4/vision_chart.npz", FALSE, 2);
}

/* What is read only where the file has it must matter: without it the values
 * are far from those of the original. */
static void
test_parts_matter (void)
{
  static const struct { const char *names[2]; const char *what; } parts[] = {
    { { "v.std_bias", "v.std_scale" }, "standardisation" },
    { { "v.blk.0.attn_q.input_min", NULL }, "clipped queries" },
    { { "v.blk.0.ffn_down.input_min", NULL }, "clipped feed-forward" },
  };
  g_autofree char *path = kit_path ("models/gemma4-tiny/mmproj.gguf"), *values = kit_path ("expected/gemma4/vision_photo.npz");
  g_autoptr (Npz) npz = npz_open (values);
  g_autofree float *expected = npy_floats (npz_get (npz, "soft_tokens"));

  for (gsize p = 0; p < G_N_ELEMENTS (parts); p++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *data = NULL;
    g_autofree float *soft = NULL;
    g_auto (FacetEncoderInput) input = { 0 };
    g_autoptr (FacetGguf) gguf = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (path, &data, &size, NULL));
    for (int n = 0; n < 2 && parts[p].names[n]; n++) {
      char *at = memmem (data, size, parts[p].names[n], strlen (parts[p].names[n]));

      g_assert_nonnull (at);
      *at = 'x';
    }
    gguf = facet_gguf_open_bytes (data, size, "changed", &error);
    g_assert_no_error (error);
    soft = encode (gguf, "photo.png", FALSE, NULL, &input);
    g_test_message ("without %s: rel %.2e", parts[p].what, relative_error (soft, expected, npz_get (npz, "soft_tokens")->n));
    g_assert_cmpfloat (relative_error (soft, expected, npz_get (npz, "soft_tokens")->n), >, 1e-2);
  }
}

/* A missing tensor is named; the encoder of sounds in the same file does not
 * make up for it. */
static void
test_broken (void)
{
  g_autofree char *path = kit_path ("models/gemma4-tiny/mmproj.gguf"), *data = NULL, *copy = NULL;
  g_autoptr (GError) error = NULL;
  FacetBackend *backend = device_backend (1, FALSE);
  gsize size;
  int fd = g_file_open_tmp ("facet-XXXXXX.gguf", &copy, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  *(char *) memmem (data, size, "v.blk.1.attn_q_norm", 19) = 'x';
  g_assert_true (g_file_set_contents (copy, data, (gssize) size, NULL));
  g_assert_null (facet_projector_new (copy, backend, 0, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, "v.blk.1.attn_q_norm.weight"));
  backend->klass->free (backend);
  g_remove (copy);
}

/* ---- through the public interface ---- */

static FacetProjector *
load_projector (int detail, GError **error)
{
  g_autofree char *path = kit_path ("models/gemma4-tiny/mmproj.gguf");

  return facet_projector_load (path, &(FacetModelParams) { .threads = 2, .image_detail = detail }, error);
}

static void
test_detail (void)
{
  /* Of photo.png, 300 x 233 pixels. */
  static const int details[] = { 70, 140, 280, 560, 1120 };
  g_autoptr (FacetImage) image = kit_picture ("photo.png");
  g_autoptr (GError) error = NULL;
  int before = 0;

  for (gsize d = 0; d < G_N_ELEMENTS (details); d++) {
    g_autoptr (FacetProjector) projector = load_projector (details[d], &error);
    int count;

    g_assert_no_error (error);
    count = facet_projector_count (projector, image);
    g_assert_cmpint (count, <=, details[d]);
    g_assert_cmpint (count, >, before);
    g_assert_cmpint (facet_projector_span (projector), ==, details[d]);
    g_assert_cmpint (facet_projector_crops (projector, image), ==, 0);
    before = count;
  }
  g_assert_null (load_projector (100, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "70, 140, 280, 560, 1120"));
}

/* The usual detail, and shapes that alternate. */
static void
test_shapes (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetProjector) projector = load_projector (0, &error);
  g_autoptr (FacetImage) small = kit_picture ("small.png"), chart = kit_picture ("chart.png"), seen = NULL;
  g_autoptr (GBytes) first = NULL, second = NULL, again = NULL;
  g_autofree char *path = kit_path ("expected/gemma4/preprocess.npz");

  g_assert_no_error (error);
  g_assert_cmpint (facet_projector_count (projector, small), ==, 255);
  g_assert_cmpint (facet_projector_count (projector, chart), ==, 252);
  facet_projector_set_budget (projector, 0);
  first = facet_projector_encode (projector, small, 0, NULL, &error);
  second = facet_projector_encode (projector, chart, 0, NULL, &error);
  again = facet_projector_encode (projector, small, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (first), ==, 255 * WIDTH * sizeof (float));
  g_assert_cmpuint (g_bytes_get_size (second), ==, 252 * WIDTH * sizeof (float));
  g_assert_true (g_bytes_equal (first, again));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 3);
  seen = facet_projector_preprocess (projector, small, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (facet_image_width (seen), ==, 720);
  g_assert_cmpint (facet_image_height (seen), ==, 816);
}

/* A strip longer than the table of positions is refused, not read beyond it. */
static void
test_too_long (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetProjector) projector = load_projector (1120, &error);
  g_autofree guint8 *rgb = g_malloc0 (8000 * 3 * 3);
  g_autoptr (FacetImage) strip = facet_image_new_from_rgb (rgb, 8000, 3, 8000 * 3, NULL);

  g_assert_no_error (error);
  g_assert_null (facet_projector_encode (projector, strip, 0, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/gemma4-vision/photo", test_photo);
  g_test_add_func ("/gemma4-vision/photo-exact", test_photo_exact);
  g_test_add_func ("/gemma4-vision/chart", test_chart);
  g_test_add_func ("/gemma4-vision/parts-matter", test_parts_matter);
  g_test_add_func ("/gemma4-vision/broken", test_broken);
  g_test_add_func ("/gemma4-vision/detail", test_detail);
  g_test_add_func ("/gemma4-vision/shapes", test_shapes);
  g_test_add_func ("/gemma4-vision/too-long", test_too_long);
  return g_test_run ();
}
