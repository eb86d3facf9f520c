/* What the encoders see: resized pixels equal to the last bit to those of the
 * reference image processors, crops and target sizes equal to theirs. */
#include "kit-pictures.h"
#include "media/picture-layout.h"
#include "media/resize.h"
#include "npz.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

static guint8 *
resized (FacetImage *image, int width, int height, FacetResizeFilter filter)
{
  return facet_resize (facet_image_pixels (image), facet_image_width (image), facet_image_height (image),
                       (gsize) facet_image_width (image) * 3, width, height, filter);
}

/* The reference's planes [3, h, w] against our [h, w, 3]. */
static void
compare_planes (const char *input, const char *file, const char *key, int largest, double mean)
{
  g_autoptr (FacetImage) image = kit_picture (input);
  g_autofree char *path = kit_path (file);
  g_autoptr (Npz) npz = npz_open (path);
  const NpyArray *expected = npz_get (npz, key);
  const guint8 *planes = g_bytes_get_data (expected->bytes, NULL);
  int h = expected->shape[1], w = expected->shape[2];
  g_autofree guint8 *rgb = resized (image, w, h, FACET_RESIZE_BILINEAR);
  guint64 sum = 0;
  int worst = 0;

  for (int c = 0; c < 3; c++)
    for (int i = 0; i < w * h; i++) {
      int difference = ABS (planes[c * w * h + i] - rgb[3 * i + c]);

      worst = MAX (worst, difference);
      sum += difference;
    }
  g_test_message ("%s: largest difference %d, mean %.4f", input, worst, (double) sum / (3 * w * h));
  g_assert_cmpint (worst, <=, largest);
  g_assert_cmpfloat ((double) sum / (3 * w * h), <=, mean);
}

static void
test_bilinear (void)
{
  compare_planes ("chart.png", "expected/gemma3/vision_chart.npz", "pixel_values_u8", 0, 0);
  compare_planes ("photo.png", "expected/gemma3/vision_photo.npz", "pixel_values_u8", 0, 0);
  compare_planes ("small.png", "expected/gemma3/preprocess.npz", "small.png", 0, 0);
  compare_planes ("tall.png", "expected/gemma3/preprocess.npz", "tall.png", 0, 0);
}

/* Decoders of JPEG differ in the last bits of IDCT and chroma upsampling. */
static void
test_jpeg (void)
{
  compare_planes ("photo.jpg", "expected/gemma3/preprocess.npz", "photo.jpg", 8, 0.5);
}

static void
test_bicubic (void)
{
  g_autoptr (FacetImage) image = kit_picture ("small.png");
  g_autofree char *path = kit_path ("expected/gemma4/preprocess.npz");
  g_autoptr (Npz) npz = npz_open (path);
  const NpyArray *expected = npz_get (npz, "small.png");
  g_autofree guint8 *rgb = resized (image, expected->shape[1], expected->shape[0], FACET_RESIZE_BICUBIC);

  g_assert_cmpmem (rgb, expected->n, g_bytes_get_data (expected->bytes, NULL), expected->n);
}

static JsonObject *
load_json (JsonParser *parser, const char *name)
{
  g_autofree char *path = kit_path (name);
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (parser));
}

static void
test_crops (void)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root = load_json (parser, "expected/gemma3/pan_and_scan.json"), *sizes;
  g_autoptr (GList) names = NULL;

  sizes = json_object_get_object_member (root, "crops [x, y, w, h] per WxH (empty: none)");
  names = json_object_get_members (sizes);
  g_assert_cmpint (g_list_length (names), >=, 9);
  for (GList *l = names; l; l = l->next) {
    JsonArray *crops = json_object_get_array_member (sizes, l->data);
    FacetBox boxes[FACET_MAX_CROPS];
    int width, height;

    g_assert_cmpint (sscanf (l->data, "%dx%d", &width, &height), ==, 2);
    g_assert_cmpint (facet_pan_and_scan (width, height, boxes), ==, json_array_get_length (crops));
    for (guint i = 0; i < json_array_get_length (crops); i++) {
      JsonArray *crop = json_array_get_array_element (crops, i);

      g_assert_cmpint (boxes[i].x, ==, json_array_get_int_element (crop, 0));
      g_assert_cmpint (boxes[i].y, ==, json_array_get_int_element (crop, 1));
      g_assert_cmpint (boxes[i].width, ==, json_array_get_int_element (crop, 2));
      g_assert_cmpint (boxes[i].height, ==, json_array_get_int_element (crop, 3));
    }
  }
}

static void
test_aspect_sizes (void)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root = load_json (parser, "expected/gemma4/resize_targets.json");
  static const int tokens[] = { 70, 140, 280, 560, 1120 };

  for (guint t = 0; t < G_N_ELEMENTS (tokens); t++) {
    g_autofree char *key = g_strdup_printf ("%d", tokens[t]);
    JsonObject *sizes = json_object_get_object_member (root, key);
    g_autoptr (GList) names = json_object_get_members (sizes);

    g_assert_cmpint (g_list_length (names), >=, 12);
    for (GList *l = names; l; l = l->next) {
      JsonArray *expected = json_object_get_array_member (sizes, l->data);
      int width, height, w, h;

      g_assert_cmpint (sscanf (l->data, "%dx%d", &width, &height), ==, 2);
      facet_aspect_size (width, height, 16, 3, tokens[t], &w, &h);
      g_assert_cmpint (w, ==, json_array_get_int_element (expected, 0));
      g_assert_cmpint (h, ==, json_array_get_int_element (expected, 1));
    }
  }
}

/* Order and scale of what the patch embedding multiplies. */
static void
test_patchify (void)
{
  const float mean[3] = { 0.5f, 0.5f, 0.25f }, std[3] = { 0.5f, 0.25f, 1.f };
  guint8 rgb[4 * 4 * 3];
  float rows[4][12];

  for (guint i = 0; i < sizeof rgb; i++)
    rgb[i] = (guint8) (5 * i);
  facet_patchify (rgb, 4, 4, 2, mean, std, rows[0]);
  for (int p = 0; p < 4; p++)
    for (int c = 0; c < 3; c++)
      for (int y = 0; y < 2; y++)
        for (int x = 0; x < 2; x++) {
          int pixel = 5 * (((p / 2 * 2 + y) * 4 + p % 2 * 2 + x) * 3 + c);

          g_assert_cmpfloat_with_epsilon (rows[p][c * 4 + y * 2 + x], (pixel / 255.f - mean[c]) / std[c], 1e-6);
        }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture-pixels/bilinear", test_bilinear);
  g_test_add_func ("/picture-pixels/jpeg", test_jpeg);
  g_test_add_func ("/picture-pixels/bicubic", test_bicubic);
  g_test_add_func ("/picture-pixels/crops", test_crops);
  g_test_add_func ("/picture-pixels/aspect-sizes", test_aspect_sizes);
  g_test_add_func ("/picture-pixels/patchify", test_patchify);
  return g_test_run ();
}
