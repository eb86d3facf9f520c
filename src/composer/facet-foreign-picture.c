#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-foreign-picture.h"

#define MAX_PIXELS (100 * 1000 * 1000)
#define SNIFF 4096
#define CHUNK 65536
/* Drawings have no pixels of their own: small ones are drawn large. */
#define DRAWING_SIZE 1024

typedef struct {
  gboolean drawing;
  gboolean too_large;
} Wanted;

/* "WebP image": of the desktop's own list of kinds, in the person's language. */
static char *
describe_kind (GBytes *bytes, gboolean *drawing)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autofree char *type = g_content_type_guess (NULL, data, MIN (size, SNIFF), NULL);

  *drawing = g_content_type_is_a (type, "image/svg+xml");
  return g_content_type_get_description (type);
}

static gboolean
is_too_large (gint64 width, gint64 height)
{
  return width > MAX_PIXELS || height > MAX_PIXELS || width * height > MAX_PIXELS;
}

static gint64
read_be32 (const guint8 *at)
{
  return (gint64) at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* The loaders of HEIC and AVIF decode before they tell the size: it is read from the file's “ispe” properties (ISO/IEC 23008-12,
 * 6.5.3), which decoders hold the coded pictures to. */
static gboolean
claims_too_much (const guint8 *data, gsize size)
{
  static const guint8 start[] = { 0, 0, 0, 20, 'i', 's', 'p', 'e' };
  const guint8 *end = data + size;

  if (size < 12 || memcmp (data + 4, "ftyp", 4) != 0)
    return FALSE;
  for (const guint8 *at = memmem (data, size, start, sizeof start); at != NULL && end - at >= 20;
       at = memmem (at + 20, end - at - 20, start, sizeof start))
    if (is_too_large (read_be32 (at + 12), read_be32 (at + 16)))
      return TRUE;
  return FALSE;
}

/* Its loader shows what there is of a WebP file. */
static gboolean
is_cut_webp (const guint8 *data, gsize size)
{
  if (size < 12 || memcmp (data, "RIFF", 4) != 0 || memcmp (data + 8, "WEBP", 4) != 0)
    return FALSE;
  return size - 8 < ((guint32) data[7] << 24 | data[6] << 16 | data[5] << 8 | data[4]);
}

/* Nothing is decoded before this is called; a size of 0 ends it here. */
static void
size_cb (GdkPixbufLoader *loader, int width, int height, gpointer data)
{
  Wanted *wanted = data;

  if (width < 1 || height < 1 || is_too_large (width, height)) {
    wanted->too_large = TRUE;
    gdk_pixbuf_loader_set_size (loader, 0, 0);
  } else if (wanted->drawing && MAX (width, height) < DRAWING_SIZE) {
    double scale = (double) DRAWING_SIZE / MAX (width, height);

    gdk_pixbuf_loader_set_size (loader, MAX (1, (int) (width * scale)), MAX (1, (int) (height * scale)));
  }
}

static GdkPixbuf *
decode (GBytes *bytes, Wanted *wanted, GError **error)
{
  g_autoptr (GdkPixbufLoader) loader = NULL;
  g_autoptr (GdkPixbuf) upright = NULL;
  GdkPixbuf *pixbuf;
  gboolean fine = TRUE;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  wanted->too_large = claims_too_much (data, size);
  if (wanted->too_large || is_cut_webp (data, size))
    return NULL;
  loader = gdk_pixbuf_loader_new ();
  g_signal_connect (loader, "size-prepared", G_CALLBACK (size_cb), wanted);
  for (gsize at = 0; fine && at < size && !wanted->too_large; at += CHUNK)
    fine = gdk_pixbuf_loader_write (loader, data + at, MIN (CHUNK, size - at), error);
  if (!gdk_pixbuf_loader_close (loader, fine ? error : NULL) || !fine || wanted->too_large)
    return NULL;
  pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
  if (pixbuf == NULL)
    return NULL;
  upright = gdk_pixbuf_apply_embedded_orientation (pixbuf);
  return g_steal_pointer (&upright);
}

static FacetImage *
on_white (const GdkPixbuf *pixbuf, GError **error)
{
  int width = gdk_pixbuf_get_width (pixbuf);
  int height = gdk_pixbuf_get_height (pixbuf);
  int n = gdk_pixbuf_get_n_channels (pixbuf);
  gsize stride = (gsize) gdk_pixbuf_get_rowstride (pixbuf);
  const guint8 *pixels = gdk_pixbuf_read_pixels (pixbuf);
  g_autofree guint8 *rgb = g_try_malloc ((gsize) width * height * 3);

  if (rgb == NULL) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "no memory for the pixels of a picture");
    return NULL;
  }
  for (int y = 0; y < height; y++) {
    const guint8 *in = pixels + (gsize) y * stride;
    guint8 *out = rgb + (gsize) y * width * 3;

    for (int x = 0; x < width; x++, in += n, out += 3) {
      guint alpha = n == 4 ? in[3] : 255;

      for (int c = 0; c < 3; c++)
        out[c] = (guint8) ((in[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  return facet_image_new_from_rgb (rgb, width, height, (gsize) width * 3, error);
}

FacetImage *
facet_foreign_picture_load (GBytes *bytes, GError **error)
{
  Wanted wanted = { 0 };
  g_autofree char *kind = describe_kind (bytes, &wanted.drawing);
  g_autoptr (GError) why = NULL;
  g_autoptr (GdkPixbuf) pixbuf = decode (bytes, &wanted, &why);
  FacetImage *image = pixbuf != NULL ? on_white (pixbuf, &why) : NULL;

  if (image != NULL)
    return image;
  if (why != NULL)
    g_message ("a picture cannot be decoded: %s", why->message);
  if (wanted.too_large || g_error_matches (why, FACET_ERROR, FACET_ERROR_NO_MEMORY) ||
      g_error_matches (why, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The picture is too large to be decoded."));
  else if (g_error_matches (why, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_UNKNOWN_TYPE))
    /* Translators: %s is a kind of file, such as "WebP image" */
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("This computer has no decoder for this kind of picture: %s"),
                 kind);
  else
    /* Translators: %s is a kind of file, such as "WebP image" */
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The picture is damaged: %s"), kind);
  return NULL;
}

GBytes *
facet_picture_to_png (const FacetImage *image)
{
  int width = facet_image_width (image);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_data (facet_image_pixels (image), GDK_COLORSPACE_RGB, FALSE, 8, width,
                                                           facet_image_height (image), width * 3, NULL, NULL);
  char *data;
  gsize size;

  /* quick rather than small: it is read once or twice */
  if (!gdk_pixbuf_save_to_buffer (pixbuf, &data, &size, "png", NULL, "compression", "2", NULL))
    return NULL;
  return g_bytes_new_take (data, size);
}
