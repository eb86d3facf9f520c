/* Soft tokens through the public interface: right values, encoded once, never
 * mixed up, within the memory that was granted. */
#include "compare.h"
#include "device.h"
#include "kit-pictures.h"
#include "npz.h"
#include "siglip-file.h"

#include <glib/gstdio.h>

static FacetProjector *
load_file (const char *path, int threads)
{
  FacetModelParams params = { .threads = threads };
  g_autoptr (GError) error = NULL;
  FacetProjector *projector;

  device_params (&params);
  projector = facet_projector_load (path, &params, &error);
  g_assert_no_error (error);
  g_assert_true (device_is_gpu () == g_str_has_prefix (facet_projector_backend_name (projector), "vulkan"));
  return projector;
}

static FacetProjector *
load_projector (void)
{
  g_autofree char *path = kit_path ("models/gemma3-tiny/mmproj.gguf");

  return load_file (path, 1);
}

static GBytes *
encode (FacetProjector *projector, FacetImage *image, int crop)
{
  g_autoptr (GError) error = NULL;
  GBytes *soft = facet_projector_encode (projector, image, crop, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (soft), ==, 16 * 256 * sizeof (float));
  return soft;
}

static void
test_values (void)
{
  static const struct { const char *picture, *expected; } cases[] = {
    { "chart.png", "expected/gemma3/vision_chart.npz" }, { "photo.png", "expected/gemma3/vision_photo.npz" },
  };
  g_autoptr (FacetProjector) projector = load_projector ();

  g_assert_cmpint (facet_projector_width (projector), ==, 256);
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++) {
    g_autofree char *path = kit_path (cases[c].expected);
    g_autoptr (Npz) npz = npz_open (path);
    g_autofree float *expected = npy_floats (npz_get (npz, "soft_tokens"));
    g_autoptr (FacetImage) image = kit_picture (cases[c].picture);
    g_autoptr (GBytes) soft = encode (projector, image, 0);

    g_assert_cmpint (facet_projector_count (projector, image), ==, 16);
    g_assert_cmpfloat (relative_error (g_bytes_get_data (soft, NULL), expected, 16 * 256), <=, 1e-4);
  }
}

static void
test_encoded_once (void)
{
  g_autoptr (FacetProjector) projector = load_projector ();
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), again = kit_picture ("chart.png"), photo = kit_picture ("photo.png");
  g_autoptr (FacetImage) smaller = facet_image_scale (chart, 64, 64);
  g_autoptr (GBytes) a = encode (projector, chart, 0), b = encode (projector, photo, 0);
  g_autoptr (GBytes) c = encode (projector, again, 0), d = encode (projector, photo, 0), e = NULL;

  g_assert_cmpuint (facet_projector_runs (projector), ==, 2);
  g_assert_true (g_bytes_equal (a, c));
  g_assert_true (g_bytes_equal (b, d));
  g_assert_false (g_bytes_equal (a, b));
  e = encode (projector, smaller, 0);
  g_assert_cmpuint (facet_projector_runs (projector), ==, 3);
  g_assert_false (g_bytes_equal (a, e));
}

static void
test_budget (void)
{
  g_autoptr (FacetProjector) projector = load_projector ();
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), photo = kit_picture ("photo.png"), small = kit_picture ("small.png");
  const gsize one = 16 * 256 * sizeof (float);

  facet_projector_set_budget (projector, 2 * one);
  g_bytes_unref (encode (projector, chart, 0));
  g_bytes_unref (encode (projector, photo, 0));
  g_bytes_unref (encode (projector, chart, 0));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 2);
  /* The photo was used longest ago. */
  g_bytes_unref (encode (projector, small, 0));
  g_bytes_unref (encode (projector, chart, 0));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 3);
  g_bytes_unref (encode (projector, photo, 0));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 4);

  facet_projector_set_budget (projector, 0);
  g_bytes_unref (encode (projector, photo, 0));
  g_bytes_unref (encode (projector, photo, 0));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 6);
}

static void
test_crops (void)
{
  g_autoptr (FacetProjector) projector = load_projector ();
  g_autofree guint8 *rgb = g_malloc0 (1000 * 300 * 3);
  g_autoptr (FacetImage) wide = NULL, chart = kit_picture ("chart.png"), middle = NULL;
  g_autoptr (GBytes) whole = NULL, crop = NULL, same = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 1000 * 300 * 3; i++)
    rgb[i] = (guint8) (i * 7 / 300);
  wide = facet_image_new_from_rgb (rgb, 1000, 300, 3000, NULL);
  middle = facet_image_new_from_rgb (rgb + 334 * 3, 334, 300, 3000, NULL);
  g_assert_cmpint (facet_projector_crops (projector, chart), ==, 0);
  g_assert_cmpint (facet_projector_crops (projector, wide), ==, 3);

  whole = encode (projector, wide, 0);
  crop = encode (projector, wide, 2);
  same = encode (projector, middle, 0);
  g_assert_false (g_bytes_equal (whole, crop));
  g_assert_true (g_bytes_equal (crop, same));

  g_assert_null (facet_projector_encode (projector, wide, 4, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
}

static void
test_cancelled (void)
{
  g_autoptr (FacetProjector) projector = load_projector ();
  g_autoptr (FacetImage) chart = kit_picture ("chart.png");
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };

  facet_cancel (&cancel);
  g_assert_null (facet_projector_encode (projector, chart, 0, &cancel, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
  g_bytes_unref (encode (projector, chart, 0));
  g_assert_cmpuint (facet_projector_runs (projector), ==, 1);
}

typedef struct {
  FacetCancel cancel;
  guint       calls, cancel_at; /* 0: never */
  guint64     last, total;
} Watch;

static void
watch (FacetPhase phase, guint64 done, guint64 total, gpointer user_data)
{
  Watch *w = user_data;

  g_assert_cmpint (phase, ==, FACET_PHASE_ENCODE_IMAGE);
  g_assert_cmpuint (done, ==, w->last + 1);
  g_assert_cmpuint (done, <=, total);
  w->last = done;
  w->total = total;
  if (++w->calls == w->cancel_at)
    facet_cancel (&w->cancel);
}

/* Progress comes step by step to the end, and nothing runs once it is cancelled. On a
 * device a step is what one submit holds, here all of it; those between submits are in
 * test-submits. */
static void
test_progress (void)
{
  g_autoptr (FacetProjector) projector = load_projector ();
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), photo = kit_picture ("photo.png");
  g_autoptr (GError) error = NULL;
  Watch whole = { .cancel_at = 0 }, cut = { .cancel_at = 3 };

  facet_projector_set_progress (projector, watch, &whole);
  g_bytes_unref (encode (projector, chart, 0));
  g_assert_cmpuint (whole.last, ==, whole.total);
  if (device_is_gpu ())
    return;
  /* At least once a block. */
  g_assert_cmpuint (whole.calls, >=, 3);

  facet_projector_set_progress (projector, watch, &cut);
  g_assert_null (facet_projector_encode (projector, photo, 0, &cut.cancel, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
  g_assert_cmpuint (cut.calls, <=, 4);
}

/* Said before anything is computed. */
static void
test_no_memory (void)
{
  g_autoptr (FacetProjector) projector = load_projector ();
  g_autoptr (FacetImage) chart = kit_picture ("chart.png");
  g_autoptr (GError) error = NULL;
  Watch untouched = { .cancel_at = 0 };

  facet_projector_set_progress (projector, watch, &untouched);
  g_setenv ("FACET_MEMORY_MIB", "0", TRUE);
  g_assert_null (facet_projector_encode (projector, chart, 0, NULL, &error));
  g_unsetenv ("FACET_MEMORY_MIB");
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY);
  g_assert_cmpuint (untouched.calls, ==, 0);
  g_assert_cmpuint (facet_projector_runs (projector), ==, 0);
}

/* Of a full-size picture one head's scores would be 64 MiB; they are never whole in memory. */
static void
test_blocked_attention (void)
{
  static const SiglipShape shape = { .side = 896, .patch = 14, .inner = 64, .ffn = 64, .width = 64, .blocks = 1, .heads = 1 };
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("facet-XXXXXX.gguf", &path, NULL);
  g_autoptr (GByteArray) file = siglip_file (&shape);
  g_autoptr (FacetProjector) projector = NULL;
  g_autoptr (FacetImage) chart = kit_picture ("chart.png");
  g_autoptr (GBytes) soft = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, (const char *) file->data, file->len, NULL));
  projector = load_file (path, 2);
  g_setenv ("FACET_MEMORY_MIB", "64", TRUE);
  soft = facet_projector_encode (projector, chart, 0, NULL, &error);
  g_unsetenv ("FACET_MEMORY_MIB");
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (soft), ==, 256 * 64 * sizeof (float));
  g_remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/projector/values", test_values);
  g_test_add_func ("/projector/encoded-once", test_encoded_once);
  g_test_add_func ("/projector/budget", test_budget);
  g_test_add_func ("/projector/crops", test_crops);
  g_test_add_func ("/projector/cancelled", test_cancelled);
  g_test_add_func ("/projector/progress", test_progress);
  g_test_add_func ("/projector/no-memory", test_no_memory);
  /* That is memory of the processor. */
  if (!device_is_gpu ())
    g_test_add_func ("/projector/blocked-attention", test_blocked_attention);
  return g_test_run ();
}
