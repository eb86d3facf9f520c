/* Pictures that are asked about again are not decoded again. */
#include "facet-picture-cache.h"

#include <glib/gstdio.h>

#include "tree.h"

static char *
input (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", name, NULL);
}

static void
get (FacetPictureCache *cache, const char *path, GBytes *bytes, guint decoded)
{
  FacetPart part = { .kind = FACET_PART_PICTURE, .path = (char *) path, .bytes = bytes };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetImage) image = facet_picture_cache_get (cache, &part, &error);

  g_assert_no_error (error);
  g_assert_cmpint (facet_image_width (image), >, 0);
  g_assert_cmpuint (facet_picture_cache_decoded (cache), ==, decoded);
}

static void
test_again (void)
{
  g_autofree char *photo = input ("photo.jpg"), *small = input ("small.png"), *data = NULL, *copy = NULL;
  FacetPictureCache *cache = facet_picture_cache_new (64 << 20);
  g_autoptr (GBytes) bytes = NULL, same = NULL;
  gsize size;

  get (cache, photo, NULL, 1);
  get (cache, small, NULL, 2);
  get (cache, photo, NULL, 2);
  get (cache, small, NULL, 2);
  g_assert_true (g_file_get_contents (photo, &data, &size, NULL));
  bytes = g_bytes_new (data, size);
  same = g_bytes_new (data, size);
  get (cache, "a", bytes, 3);
  get (cache, "b", same, 3);
  facet_picture_cache_free (cache);
}

/* Another picture in the same place is another picture. */
static void
test_replaced (void)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-pictures-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "picture", NULL);
  const char *const names[] = { "small.png", "square.png" };
  FacetPictureCache *cache = facet_picture_cache_new (64 << 20);
  FacetPart part = { .kind = FACET_PART_PICTURE, .path = path };
  g_autoptr (FacetImage) first = NULL, second = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *from = input (names[i]), *data = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (from, &data, &size, NULL));
    g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
    *(i == 0 ? &first : &second) = facet_picture_cache_get (cache, &part, NULL);
  }
  g_assert_cmpstr (facet_image_hash (first), !=, facet_image_hash (second));
  g_assert_true (g_unlink (path) == 0);
  g_assert_null (facet_picture_cache_get (cache, &part, NULL));
  facet_picture_cache_free (cache);
  tree_remove (folder);
}

static void
test_budget (void)
{
  g_autofree char *photo = input ("photo.jpg"), *small = input ("small.png");
  FacetPart part = { .kind = FACET_PART_PICTURE, .path = photo };
  g_autoptr (FacetImage) image = facet_image_load (photo, NULL);
  gsize size = (gsize) facet_image_width (image) * (gsize) facet_image_height (image) * 3;
  FacetPictureCache *cache = facet_picture_cache_new (size), *tiny = facet_picture_cache_new (size - 1);

  get (cache, photo, NULL, 1);
  get (cache, small, NULL, 2); /* drops the photo */
  get (cache, small, NULL, 2);
  get (cache, part.path, NULL, 3);
  get (tiny, photo, NULL, 1);
  get (tiny, photo, NULL, 2); /* too large to be kept */
  facet_picture_cache_free (cache);
  facet_picture_cache_free (tiny);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture-cache/again", test_again);
  g_test_add_func ("/picture-cache/replaced", test_replaced);
  g_test_add_func ("/picture-cache/budget", test_budget);
  return g_test_run ();
}
