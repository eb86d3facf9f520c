#include "facet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "media/exif.h"
#include "media/image-decode.h"
#include "media/image-probe.h"
#include "media/resize.h"
#include "media/small-print.h"

/* Larger than any photo as a camera writes it. */
#define MAX_FILE_BYTES (512 * 1024 * 1024)

struct FacetImage {
  gint           refs;
  int            width, height;
  FacetImageNote notes;
  char          *hash;
  guint8        *pixels;
  gint           small_print; /* 0: not looked for yet, 1: no, 2: yes */
};

static FacetImage *
image_new (int width, int height, char *hash)
{
  FacetImage *image = g_new0 (FacetImage, 1);

  image->refs = 1;
  image->width = width;
  image->height = height;
  image->hash = hash;
  image->pixels = g_try_malloc ((gsize) width * height * 3);
  if (!image->pixels)
    g_clear_pointer (&image, facet_image_unref);
  return image;
}

FacetImage *
facet_image_ref (FacetImage *image)
{
  g_atomic_int_inc (&image->refs);
  return image;
}

void
facet_image_unref (FacetImage *image)
{
  if (!g_atomic_int_dec_and_test (&image->refs))
    return;
  g_free (image->hash);
  g_free (image->pixels);
  g_free (image);
}

int
facet_image_width (const FacetImage *image)
{
  return image->width;
}

int
facet_image_height (const FacetImage *image)
{
  return image->height;
}

FacetImageNote
facet_image_notes (const FacetImage *image)
{
  return image->notes;
}

const char *
facet_image_hash (const FacetImage *image)
{
  return image->hash;
}

const guint8 *
facet_image_pixels (const FacetImage *image)
{
  return image->pixels;
}

static inline void
put_pixel (const guint8 *src, int channels, guint8 *dst)
{
  int alpha = channels == 4 ? src[3] : 255;

  for (int c = 0; c < 3; c++)
    dst[c] = alpha == 255 ? src[c] : (guint8) ((src[c] * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* Turns stored rows into upright ones, laying transparency on white. */
static void
put_upright (FacetImage *image, const guint8 *stored, int width, int height, int channels, int orientation)
{
  gboolean flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  gboolean flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  gssize step_x = flip_x ? -1 : 1, step_y = flip_y ? -(gssize) width : width;
  gssize origin = (flip_x ? width - 1 : 0) + (flip_y ? (gssize) (height - 1) * width : 0);
  gssize along = FACET_EXIF_SWAPS_AXES (orientation) ? step_y : step_x;
  gssize down = FACET_EXIF_SWAPS_AXES (orientation) ? step_x : step_y;
  guint8 *dst = image->pixels;

  for (int y = 0; y < image->height; y++) {
    gssize from = origin + y * down;

    for (int x = 0; x < image->width; x++, from += along, dst += 3)
      put_pixel (stored + from * channels, channels, dst);
  }
}

static gboolean
check_memory (const FacetImageProbe *probe, const char *label, GError **error)
{
  guint64 pixels = (guint64) probe->width * probe->height;

  return facet_memory_check (probe->decode_bytes + 3 * pixels, error, "%s: picture of %d x %d pixels", label, probe->width,
                             probe->height);
}

FacetImage *
facet_image_new_from_bytes (GBytes *bytes, const char *label, GError **error)
{
  FacetImageProbe probe;
  FacetImage *image;
  guint8 *stored;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  int channels, width, height;

  if (!facet_image_probe (data, size, label, &probe, error) || !check_memory (&probe, label, error))
    return NULL;
  channels = probe.alpha ? 4 : 3;
  stored = facet_image_decode (data, size, channels, probe.decode_bytes, label, &width, &height, error);
  if (!stored)
    return NULL;
  if (width != probe.width || height != probe.height) {
    facet_image_decoded_free (stored);
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: header says %d x %d pixels, data hold %d x %d", label, probe.width, probe.height, width, height);
    return NULL;
  }

  image = image_new (FACET_EXIF_SWAPS_AXES (probe.orientation) ? height : width,
                     FACET_EXIF_SWAPS_AXES (probe.orientation) ? width : height,
                     g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes));
  if (image) {
    image->notes = probe.notes;
    put_upright (image, stored, width, height, channels, probe.orientation);
  } else {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: no memory for %d x %d pixels", label, width, height);
  }
  facet_image_decoded_free (stored);
  return image;
}

static GBytes *
read_all (int fd, const char *path, gsize size, GError **error)
{
  g_autofree guint8 *data = g_malloc (size + 1);
  gsize done = 0;

  while (done < size) {
    gssize n = read (fd, data + done, size - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: read only %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes", path, done, size);
      return NULL;
    }
    done += n;
  }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

/* Regular files only: a pipe or a device would never end. */
static GBytes *
read_file (const char *path, GError **error)
{
  GBytes *bytes = NULL;
  struct stat info;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: %s", path, g_strerror (errno));
    return NULL;
  }
  if (fstat (fd, &info) < 0 || !S_ISREG (info.st_mode))
    g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: not a regular file", path);
  else if (info.st_size > MAX_FILE_BYTES)
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: file of %" G_GINT64_FORMAT " MiB is too large for a picture", path, (gint64) info.st_size >> 20);
  else
    bytes = read_all (fd, path, info.st_size, error);
  close (fd);
  return bytes;
}

FacetImage *
facet_image_load (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = read_file (path, error);

  return bytes ? facet_image_new_from_bytes (bytes, path, error) : NULL;
}

FacetImage *
facet_image_new_from_rgb (const guint8 *rgb, int width, int height, gsize stride, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gint32 size[2] = { width, height };
  FacetImage *image;
  gsize row;

  if (width <= 0 || height <= 0 || (gint64) width * height > FACET_IMAGE_MAX_PIXELS || stride / 3 < (gsize) width) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "picture of %d x %d pixels, rows of %" G_GSIZE_FORMAT " bytes", width, height, stride);
    return NULL;
  }
  image = image_new (width, height, NULL);
  if (!image) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "no memory for %d x %d pixels", width, height);
    return NULL;
  }
  row = (gsize) width * 3;
  for (int y = 0; y < height; y++)
    memcpy (image->pixels + y * row, rgb + y * stride, row);
  g_checksum_update (checksum, (const guchar *) size, sizeof size);
  for (int y = 0; y < height; y++)
    g_checksum_update (checksum, image->pixels + y * row, (gssize) row);
  image->hash = g_strdup (g_checksum_get_string (checksum));
  return image;
}

gboolean
facet_image_has_small_print (FacetImage *image)
{
  gint found = g_atomic_int_get (&image->small_print);

  if (found == 0) {
    /* Whoever else looks meanwhile finds the same. */
    found = facet_find_small_print (image->pixels, image->width, image->height) ? 2 : 1;
    g_atomic_int_set (&image->small_print, found);
  }
  return found == 2;
}

FacetImage *
facet_image_scale (const FacetImage *image, int width, int height)
{
  FacetImage *scaled;

  g_return_val_if_fail (width > 0 && height > 0 && (gint64) width * height <= FACET_IMAGE_MAX_PIXELS, NULL);
  scaled = g_new0 (FacetImage, 1);
  scaled->refs = 1;
  scaled->width = width;
  scaled->height = height;
  scaled->notes = image->notes;
  scaled->hash = g_strdup (image->hash);
  scaled->pixels = facet_resize (image->pixels, image->width, image->height, (gsize) image->width * 3,
                                 width, height, FACET_RESIZE_BILINEAR);
  return scaled;
}
