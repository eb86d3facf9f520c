#include "media/image-probe.h"

#include <string.h>

#include "media/exif.h"

#define CHUNK(a, b, c, d) ((guint32) (a) << 24 | (b) << 16 | (c) << 8 | (d))

static guint32
read_be32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

/* The CRC of PNG, annex D. */
static guint32
png_crc (const guint8 *data, gsize size)
{
  static guint32 table[256];
  static gsize ready;
  guint32 crc = 0xffffffff;

  if (g_once_init_enter (&ready)) {
    for (guint32 n = 0; n < 256; n++) {
      guint32 c = n;

      for (int k = 0; k < 8; k++)
        c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
      table[n] = c;
    }
    g_once_init_leave (&ready, 1);
  }
  for (gsize i = 0; i < size; i++)
    crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
  return crc ^ 0xffffffff;
}

typedef struct {
  gboolean header, data, end, palette, transparent;
  int      depth, colour;
  gsize    compressed;
} Png;

static gboolean
read_header (Png *png, const guint8 *chunk, guint32 length, const char *label, FacetImageProbe *probe, GError **error)
{
  static const int channels[7] = { 1, 0, 3, 1, 2, 0, 4 };
  guint32 width, height;
  gsize row;

  if (length != 13 || png->header) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: PNG header is broken", label);
    return FALSE;
  }
  width = read_be32 (chunk);
  height = read_be32 (chunk + 4);
  png->header = TRUE;
  png->depth = chunk[8];
  png->colour = chunk[9];
  if (width == 0 || height == 0 || width > G_MAXINT32 || height > G_MAXINT32 || png->colour > 6
      || channels[png->colour] == 0 || png->depth == 0 || png->depth > 16) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: PNG of %u x %u pixels, %d bits, colour type %d", label, width, height, png->depth, png->colour);
    return FALSE;
  }
  probe->width = (int) width;
  probe->height = (int) height;
  row = ((gsize) width * png->depth * channels[png->colour] + 7) / 8 + 1;
  /* Inflated rows (the buffer grows by doubling), then unfiltered and
   * expanded to at most four channels, twice for 16 bits. The pixel limit is
   * checked before this figure is used, so it cannot overflow there. */
  probe->decode_bytes = 4 * row * height + (gsize) width * height * (png->depth == 16 ? 24 : 12);
  return TRUE;
}

static gboolean
read_chunk (Png *png, guint32 type, const guint8 *chunk, guint32 length, const char *label, FacetImageProbe *probe, GError **error)
{
  switch (type) {
  case CHUNK ('I', 'H', 'D', 'R'):
    return read_header (png, chunk, length, label, probe, error);
  case CHUNK ('I', 'D', 'A', 'T'):
    png->data = TRUE;
    png->compressed += length;
    break;
  case CHUNK ('P', 'L', 'T', 'E'):
    png->palette = TRUE;
    break;
  case CHUNK ('t', 'R', 'N', 'S'):
    png->transparent = TRUE;
    break;
  case CHUNK ('a', 'c', 'T', 'L'):
    probe->notes |= FACET_IMAGE_NOTE_FIRST_FRAME;
    break;
  case CHUNK ('e', 'X', 'I', 'f'):
    probe->orientation = facet_exif_orientation (chunk, length);
    break;
  case CHUNK ('C', 'g', 'B', 'I'):
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: PNG in Apple's private form is not read", label);
    return FALSE;
  case CHUNK ('I', 'E', 'N', 'D'):
    png->end = TRUE;
    break;
  }
  return TRUE;
}

gboolean
facet_image_probe_png (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  Png png = { 0 };
  gsize at = 8;

  probe->type = FACET_IMAGE_PNG;
  while (!png.end) {
    guint32 length, type;

    if (size - at < 12 || read_be32 (data + at) > size - at - 12) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: PNG file is cut short after %" G_GSIZE_FORMAT " bytes", label, size);
      return FALSE;
    }
    length = read_be32 (data + at);
    type = read_be32 (data + at + 4);
    if (png_crc (data + at + 4, (gsize) length + 4) != read_be32 (data + at + 8 + length)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: PNG chunk at byte %" G_GSIZE_FORMAT " is damaged", label, at);
      return FALSE;
    }
    if (!read_chunk (&png, type, data + at + 8, length, label, probe, error))
      return FALSE;
    at += (gsize) length + 12;
  }
  if (!png.header || !png.data || (png.colour == 3 && !png.palette)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: PNG file lacks its header, palette or pixels", label);
    return FALSE;
  }
  probe->alpha = png.transparent || png.colour == 4 || png.colour == 6;
  probe->decode_bytes += 2 * png.compressed + (1 << 20);
  return TRUE;
}
