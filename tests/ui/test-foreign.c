/* Pictures that the engine does not read: decoded where gdk-pixbuf has a loader on this machine, otherwise refused by name.
 * With the argument "bare", and GDK_PIXBUF_MODULE_FILE naming an empty file, no loader is there. */
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <stdlib.h>
#include <string.h>

#include "composer/facet-foreign-picture.h"

#define RED 0xff0000
#define GREEN 0x00ff00
#define BLUE 0x0000ff
#define YELLOW 0xffff00
#define WHITE 0xffffff

typedef struct {
  const char *file;
  const char *type; /* as loaders name it */
  const char *kind; /* in the refusal */
  int         width;
  int         height;
  int         tolerance;
  guint32     corner; /* the lower right quadrant; the others are red, green, blue */
} Case;

static const Case cases[] = {
  { "picture.webp", "image/webp", "WebP", 48, 32, 0, WHITE },
  { "picture.tiff", "image/tiff", "TIFF", 48, 32, 0, WHITE },
  { "picture.svg", "image/svg+xml", "SVG", 1024, 682, 0, WHITE },
  { "picture.avif", "image/avif", "AVIF", 48, 32, 12, YELLOW },
  { "picture.heic", "image/heic", "HEI", 48, 32, 12, YELLOW },
  { "turned.tiff", "image/tiff", "TIFF", 48, 32, 0, YELLOW },
  { "turned.avif", "image/avif", "AVIF", 48, 32, 12, YELLOW },
  { "turned.heic", "image/heic", "HEI", 48, 32, 12, YELLOW },
  { "turned-exif.heic", "image/heic", "HEI", 48, 32, 12, YELLOW },
};

static gboolean bare;

static gboolean
has_loader (const char *type)
{
  GSList *formats = gdk_pixbuf_get_formats ();
  gboolean found = FALSE;

  for (GSList *link = formats; link != NULL; link = link->next) {
    g_auto (GStrv) types = gdk_pixbuf_format_get_mime_types (link->data);

    found = found || g_strv_contains ((const char *const *) types, type);
  }
  g_slist_free (formats);
  return found;
}

static GBytes *
read_file (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "images", name, NULL);
  char *data;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  return g_bytes_new_take (data, size);
}

static void
check_pixels (const Case *c, const FacetImage *image)
{
  const guint32 colours[] = { RED, GREEN, BLUE, c->corner };
  const guint8 *pixels = facet_image_pixels (image);

  g_assert_cmpint (facet_image_width (image), ==, c->width);
  g_assert_cmpint (facet_image_height (image), ==, c->height);
  for (int q = 0; q < 4; q++) {
    int x = c->width * (q % 2 == 0 ? 1 : 3) / 4;
    int y = c->height * (q < 2 ? 1 : 3) / 4;
    const guint8 *pixel = pixels + ((gsize) y * c->width + x) * 3;

    for (int channel = 0; channel < 3; channel++) {
      int wanted = (colours[q] >> (16 - 8 * channel)) & 0xff;

      if (abs (pixel[channel] - wanted) > c->tolerance)
        g_error ("%s: quadrant %d is %02x%02x%02x, not %06x", c->file, q, pixel[0], pixel[1], pixel[2], colours[q]);
    }
  }
}

static void
test_kind (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GBytes) bytes = read_file (c->file);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetImage) image = facet_foreign_picture_load (bytes, &error);
  gboolean loader = has_loader (c->type);

  g_assert_true (!bare || !loader);
  if (loader) {
    g_assert_no_error (error);
    check_pixels (c, image);
    return;
  }
  g_test_message ("no loader");
  g_assert_null (image);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_true (g_str_has_prefix (error->message, "This computer has no decoder for this kind of picture: "));
  g_assert_nonnull (strstr (error->message, c->kind));
}

static void
refused (const guint8 *data, gsize size, const char *why)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;

  g_assert_null (facet_foreign_picture_load (bytes, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  if (strstr (error->message, why) == NULL)
    g_error ("“%s” does not say “%s”", error->message, why);
}

/* No part of a file is a picture, and none is read beyond its end. */
static void
test_cut (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GBytes) bytes = read_file (c->file);
  gsize size;
  const guint8 *whole = g_bytes_get_data (bytes, &size);

  for (gsize cut = 1; cut < size * 3 / 4; cut += 1 + size / 40) {
    g_autofree guint8 *part = g_memdup2 (whole, cut);

    refused (part, cut, ": ");
  }
}

/* A size that no memory holds is refused before anything is decoded: the loaders of these kinds decode first and tell it afterwards. */
static void
test_bomb (void)
{
  static const char *const names[] = { "picture.avif", "picture.heic" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GBytes) bytes = read_file (names[i]);
    gsize size;
    const guint8 *whole = g_bytes_get_data (bytes, &size);
    g_autofree guint8 *data = g_memdup2 (whole, size);
    guint8 *property = memmem (data, size, "ispe", 4);

    g_assert_nonnull (property);
    memcpy (property + 8, "\0\0\x7f\xff\0\0\x7f\xff", 8);
    refused (data, size, "too large");
    memcpy (property + 8, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    refused (data, size, "too large");
  }
}

int
main (int argc, char *argv[])
{
  bare = argc > 1 && g_str_equal (argv[argc - 1], "bare");
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* loaders warn about what they refuse */
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/foreign/%s", cases[i].file);
    g_autofree char *cut = g_strdup_printf ("/foreign/cut-%s", cases[i].file);

    g_test_add_data_func (path, &cases[i], test_kind);
    if (!bare && !g_str_has_prefix (cases[i].file, "turned"))
      g_test_add_data_func (cut, &cases[i], test_cut);
  }
  g_test_add_func ("/foreign/bomb", test_bomb);
  return g_test_run ();
}
