/* Reading pictures: every file of tests/data/images gives what its row in
 * expected.tsv says, and what comes out is upright, opaque and whole. */
#include "facet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
picture_path (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "images", name, NULL);
}

static int
error_code (const char *name)
{
  return g_str_equal (name, "media") ? FACET_ERROR_MEDIA
         : g_str_equal (name, "unsupported") ? FACET_ERROR_UNSUPPORTED
         : g_str_equal (name, "no-memory") ? FACET_ERROR_NO_MEMORY : -1;
}

static FacetImageNote
notes_of (const char *names)
{
  return (strstr (names, "first-frame") ? FACET_IMAGE_NOTE_FIRST_FRAME : 0)
         | (strstr (names, "cmyk") ? FACET_IMAGE_NOTE_CMYK : 0);
}

static void
check_colours (FacetImage *image, char **row)
{
  int width = facet_image_width (image), height = facet_image_height (image), tolerance = atoi (row[5]);

  for (int q = 0; q < 4; q++) {
    int x = width * (1 + 2 * (q % 2)) / 4, y = height * (1 + 2 * (q / 2)) / 4;
    const guint8 *pixel = facet_image_pixels (image) + ((gsize) y * width + x) * 3;
    guint32 wanted = strtoul (row[6 + q], NULL, 16);

    for (int c = 0; c < 3; c++)
      if (ABS (pixel[c] - (int) (wanted >> (16 - 8 * c) & 0xff)) > tolerance)
        g_error ("%s: quadrant %d is %02x%02x%02x, should be %s", row[0], q, pixel[0], pixel[1], pixel[2], row[6 + q]);
  }
}

static void
check_row (char **row)
{
  g_autofree char *path = picture_path (row[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetImage) image = facet_image_load (path, &error);

  if (g_str_equal (row[1], "ok")) {
    if (!image)
      g_error ("%s: %s", row[0], error->message);
    g_assert_no_error (error);
    if (facet_image_width (image) != atoi (row[2]) || facet_image_height (image) != atoi (row[3]))
      g_error ("%s: %d x %d", row[0], facet_image_width (image), facet_image_height (image));
    if (facet_image_notes (image) != notes_of (row[4]))
      g_error ("%s: notes %x", row[0], facet_image_notes (image));
    check_colours (image, row);
    return;
  }
  if (image)
    g_error ("%s: was read, should be %s", row[0], row[1]);
  if (!g_error_matches (error, FACET_ERROR, error_code (row[1])))
    g_error ("%s: %s (code %d), should be %s", row[0], error->message, error->code, row[1]);
  /* Errors say which file it was. */
  g_assert_nonnull (strstr (error->message, row[0]));
}

static void
test_corpus (void)
{
  g_autofree char *path = picture_path ("expected.tsv");
  g_autofree char *table = NULL;
  g_auto (GStrv) rows = NULL;
  int n = 0;

  g_assert_true (g_file_get_contents (path, &table, NULL, NULL));
  rows = g_strsplit (table, "\n", -1);
  for (int i = 0; rows[i]; i++) {
    g_auto (GStrv) row = g_strsplit (rows[i], "\t", -1);

    if (g_strv_length (row) < 2)
      continue;
    check_row (row);
    n++;
  }
  g_test_message ("%d files", n);
  g_assert_cmpint (n, >=, 150);
}

/* Any prefix of a good file is refused, and never by a crash. */
static void
test_every_cut (void)
{
  const char *names[] = { "palette-clear.png", "progressive.jpg", "still.gif", "palette-8.bmp", "runs.tga", "runs.psd", "rgb.ppm" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = picture_path (names[i]), *data = NULL;
    gsize size, refused = 0;

    g_assert_true (g_file_get_contents (path, &data, &size, NULL));
    for (gsize cut = 0; cut < size; cut++) {
      g_autoptr (GBytes) bytes = g_bytes_new (data, cut);
      g_autoptr (GError) error = NULL;
      g_autoptr (FacetImage) image = facet_image_new_from_bytes (bytes, "cut", &error);

      if (!image) {
        g_assert_nonnull (error);
        refused++;
      }
    }
    /* A GIF without its trailer still has its whole first frame. */
    g_assert_cmpuint (refused, >=, size - (g_str_has_suffix (names[i], ".gif") ? 1 : 0));
  }
}

static void
test_not_a_file (void)
{
  g_autofree char *dir = g_dir_make_tmp ("facet-image-XXXXXX", NULL);
  g_autofree char *fifo = g_build_filename (dir, "pipe.png", NULL), *absent = g_build_filename (dir, "absent.png", NULL);
  const char *paths[] = { dir, fifo, absent };

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (facet_image_load (paths[i], &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_IO);
  }
  unlink (fifo);
  rmdir (dir);
}

/* Caches and prefixes go by this hash. */
static void
test_hash (void)
{
  g_autofree char *path = picture_path ("rgb-8.png"), *data = NULL, *sum = NULL;
  g_autoptr (FacetImage) image = facet_image_load (path, NULL);
  g_autoptr (FacetImage) small = facet_image_scale (image, 12, 8);
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) data, size);
  g_assert_cmpstr (facet_image_hash (image), ==, sum);
  g_assert_cmpstr (facet_image_hash (small), ==, sum);
  g_assert_cmpint (facet_image_width (small), ==, 12);
  g_assert_cmpint (facet_image_height (small), ==, 8);
}

static void
test_from_rgb (void)
{
  guint8 rgb[2 * 10];
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetImage) a = NULL, b = NULL, c = NULL;

  for (guint i = 0; i < sizeof rgb; i++)
    rgb[i] = (guint8) i;
  a = facet_image_new_from_rgb (rgb, 3, 2, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (facet_image_pixels (a) + 9, 9, rgb + 10, 9);

  /* The padding is no part of the picture; its shape is. */
  rgb[9] = 77;
  b = facet_image_new_from_rgb (rgb, 3, 2, 10, NULL);
  c = facet_image_new_from_rgb (rgb, 2, 3, 6, NULL);
  g_assert_cmpstr (facet_image_hash (a), ==, facet_image_hash (b));
  g_assert_cmpstr (facet_image_hash (a), !=, facet_image_hash (c));

  g_assert_null (facet_image_new_from_rgb (rgb, 4, 2, 10, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (facet_image_new_from_rgb (rgb, 0, 2, 10, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/corpus", test_corpus);
  g_test_add_func ("/image/every-cut", test_every_cut);
  g_test_add_func ("/image/not-a-file", test_not_a_file);
  g_test_add_func ("/image/hash", test_hash);
  g_test_add_func ("/image/from-rgb", test_from_rgb);
  return g_test_run ();
}
