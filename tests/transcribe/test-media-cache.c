/* Pictures and sounds that are asked about again are not decoded again. */
#include "facet-media-cache.h"

#include <glib/gstdio.h>

#include "tree.h"

static char *
input (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", name, NULL);
}

static void
get (FacetMediaCache *cache, const char *path, GBytes *bytes, guint decoded)
{
  FacetPart part = { .kind = FACET_PART_PICTURE, .path = (char *) path, .bytes = bytes };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetImage) image = facet_media_cache_picture (cache, &part, &error);

  g_assert_no_error (error);
  g_assert_cmpint (facet_image_width (image), >, 0);
  g_assert_cmpuint (facet_media_cache_decoded (cache), ==, decoded);
}

static void
test_again (void)
{
  g_autofree char *photo = input ("photo.jpg"), *small = input ("small.png"), *data = NULL, *copy = NULL;
  FacetMediaCache *cache = facet_media_cache_new (64 << 20);
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
  facet_media_cache_free (cache);
}

/* Another picture in the same place is another picture. */
static void
test_replaced (void)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-pictures-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "picture", NULL);
  const char *const names[] = { "small.png", "square.png" };
  FacetMediaCache *cache = facet_media_cache_new (64 << 20);
  FacetPart part = { .kind = FACET_PART_PICTURE, .path = path };
  g_autoptr (FacetImage) first = NULL, second = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *from = input (names[i]), *data = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (from, &data, &size, NULL));
    g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
    *(i == 0 ? &first : &second) = facet_media_cache_picture (cache, &part, NULL);
  }
  g_assert_cmpstr (facet_image_hash (first), !=, facet_image_hash (second));
  g_assert_true (g_unlink (path) == 0);
  g_assert_null (facet_media_cache_picture (cache, &part, NULL));
  facet_media_cache_free (cache);
  tree_remove (folder);
}

static void
test_budget (void)
{
  g_autofree char *photo = input ("photo.jpg"), *small = input ("small.png");
  FacetPart part = { .kind = FACET_PART_PICTURE, .path = photo };
  g_autoptr (FacetImage) image = facet_image_load (photo, NULL);
  gsize size = (gsize) facet_image_width (image) * (gsize) facet_image_height (image) * 3;
  FacetMediaCache *cache = facet_media_cache_new (size), *tiny = facet_media_cache_new (size - 1);

  get (cache, photo, NULL, 1);
  get (cache, small, NULL, 2); /* drops the photo */
  get (cache, small, NULL, 2);
  get (cache, part.path, NULL, 3);
  get (tiny, photo, NULL, 1);
  get (tiny, photo, NULL, 2); /* too large to be kept */
  facet_media_cache_free (cache);
  facet_media_cache_free (tiny);
}

/* Pieces of a long sound are found once; the rest of the cache is not pushed out by it. */
static void
test_sound (void)
{
  g_autofree char *note = input ("note_it.wav"), *photo = input ("photo.jpg"), *data = NULL;
  FacetMediaCache *cache = facet_media_cache_new (64 << 20), *tiny = facet_media_cache_new (FACET_MEDIA_CACHE_SOUND - 1);
  FacetPart file = { .kind = FACET_PART_SOUND, .path = note }, part = { .kind = FACET_PART_SOUND, .path = (char *) "note" };
  g_autoptr (GPtrArray) first = facet_media_cache_sound (cache, &file, NULL, NULL);
  g_autoptr (GPtrArray) again = facet_media_cache_sound (cache, &file, NULL, NULL);
  g_autoptr (GPtrArray) third = NULL, fourth = NULL, fifth = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  g_assert_nonnull (first);
  g_assert_true (first == again);
  g_assert_cmpuint (facet_media_cache_decoded (cache), ==, 1);
  g_assert_true (g_file_get_contents (note, &data, &size, NULL));
  bytes = g_bytes_new (data, size);
  part.bytes = bytes;
  third = facet_media_cache_sound (cache, &part, NULL, NULL);
  g_assert_cmpuint (facet_media_cache_decoded (cache), ==, 2);
  g_assert_cmpstr (facet_audio_hash (third->pdata[0]), ==, facet_audio_hash (first->pdata[0]));
  get (cache, photo, NULL, 3);
  fourth = facet_media_cache_sound (cache, &part, NULL, NULL);
  g_assert_true (third == fourth);

  /* open files are few, whatever the length of their sound */
  g_ptr_array_unref (g_steal_pointer (&again));
  again = facet_media_cache_sound (tiny, &file, NULL, NULL);
  fifth = facet_media_cache_sound (tiny, &file, NULL, NULL);
  g_assert_cmpuint (facet_media_cache_decoded (tiny), ==, 2);
  facet_media_cache_free (cache);
  facet_media_cache_free (tiny);
}

/* A count of hours that nobody waits for any more ends. */
static void
test_cancelled (void)
{
  g_autofree char *note = input ("note_it.wav");
  FacetMediaCache *cache = facet_media_cache_new (64 << 20);
  FacetPart part = { .kind = FACET_PART_SOUND, .path = note };
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };

  facet_cancel (&cancel);
  g_assert_null (facet_media_cache_sound (cache, &part, &cancel, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
  g_assert_cmpuint (facet_media_cache_decoded (cache), ==, 0);
  facet_media_cache_free (cache);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media-cache/again", test_again);
  g_test_add_func ("/media-cache/replaced", test_replaced);
  g_test_add_func ("/media-cache/budget", test_budget);
  g_test_add_func ("/media-cache/sound", test_sound);
  g_test_add_func ("/media-cache/cancelled", test_cancelled);
  return g_test_run ();
}
