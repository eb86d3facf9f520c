#include "media/image-probe.h"

#include <string.h>

static guint32
read_le (const guint8 *p, int bytes)
{
  guint32 value = 0;

  for (int i = 0; i < bytes; i++)
    value |= (guint32) p[i] << 8 * i;
  return value;
}

/* ---- GIF ---------------------------------------------------------------- */

/* Steps over data sub-blocks; FALSE if the file ends before their end. */
static gboolean
gif_skip_blocks (const guint8 *data, gsize size, gsize *at)
{
  while (*at < size) {
    guint8 length = data[(*at)++];

    if (length == 0)
      return TRUE;
    if (size - *at < length)
      return FALSE;
    *at += length;
  }
  return FALSE;
}

/* Counts frames up to the second: more are never read. */
static int
gif_count_frames (const guint8 *data, gsize size)
{
  gsize at = 13;
  int frames = 0;

  if (data[10] & 0x80)
    at += 3u << ((data[10] & 7) + 1);
  while (at < size && frames < 2) {
    if (data[at] == 0x21) {
      at += 2;
      if (!gif_skip_blocks (data, size, &at))
        break;
    } else if (data[at] == 0x2c) {
      guint8 flags;

      if (size - at < 11)
        break;
      flags = data[at + 9];
      at += 11;
      if (flags & 0x80)
        at += 3u << ((flags & 7) + 1);
      if (!gif_skip_blocks (data, size, &at))
        break;
      frames++;
    } else {
      break;
    }
  }
  return frames;
}

static gboolean
probe_gif (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  int frames;

  if (size < 14) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: GIF file is cut short after %" G_GSIZE_FORMAT " bytes", label, size);
    return FALSE;
  }
  probe->type = FACET_IMAGE_GIF;
  probe->width = read_le (data + 6, 2);
  probe->height = read_le (data + 8, 2);
  probe->alpha = TRUE;
  frames = gif_count_frames (data, size);
  if (frames == 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: GIF file ends before its first frame does", label);
    return FALSE;
  }
  if (frames > 1)
    probe->notes |= FACET_IMAGE_NOTE_FIRST_FRAME;
  probe->decode_bytes = (gsize) probe->width * probe->height * 14 + (1 << 20);
  return TRUE;
}

/* ---- BMP ---------------------------------------------------------------- */

static gboolean
probe_bmp (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  guint32 offset, header, bits, compression = 0;
  gint64 width, height;
  guint64 stride;

  if (size < 26) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: BMP file is cut short after %" G_GSIZE_FORMAT " bytes", label, size);
    return FALSE;
  }
  offset = read_le (data + 10, 4);
  header = read_le (data + 14, 4);
  if (header == 12) {
    width = read_le (data + 18, 2);
    height = read_le (data + 20, 2);
    bits = read_le (data + 24, 2);
  } else if (header >= 40 && header <= 124 && size >= 54) {
    width = (gint32) read_le (data + 18, 4);
    height = (gint32) read_le (data + 22, 4);
    bits = read_le (data + 28, 2);
    compression = read_le (data + 30, 4);
  } else {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: BMP header length %u is wrong", label, header);
    return FALSE;
  }
  if (compression != 0 && compression != 3) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: BMP compression %u is not read", label, compression);
    return FALSE;
  }
  if (width <= 0 || height == 0 || height == G_MININT32 || bits == 0 || bits > 32) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: BMP of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT ", %u bits", label, width, height, bits);
    return FALSE;
  }
  height = ABS (height);
  stride = ((guint64) width * bits + 31) / 32 * 4;
  if (offset > size || stride > (size - offset) / (guint64) height) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: BMP file is cut short: %" G_GSIZE_FORMAT " bytes for %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT, label, size, width, height);
    return FALSE;
  }
  probe->type = FACET_IMAGE_BMP;
  probe->width = (int) width;
  probe->height = (int) height;
  probe->alpha = bits == 32 || bits == 16;
  probe->decode_bytes = (gsize) width * height * 8 + (1 << 20);
  return TRUE;
}

/* ---- type by content ---------------------------------------------------- */

/* Pictures that people have and stb_image does not read (well). */
static const struct {
  guint       offset;
  const char *magic;
  guint       length;
  const char *name;
} others[] = {
  { 8, "WEBP", 4, "WebP" },
  { 4, "ftypavif", 8, "AVIF" },
  { 4, "ftypavis", 8, "AVIF" },
  { 4, "ftypheic", 8, "HEIC" },
  { 4, "ftypheix", 8, "HEIC" },
  { 4, "ftyphevc", 8, "HEIC" },
  { 4, "ftypmif1", 8, "HEIF" },
  { 4, "ftypmsf1", 8, "HEIF" },
  { 0, "II*\0", 4, "TIFF" },
  { 0, "MM\0*", 4, "TIFF" },
  { 0, "\xff\x0a", 2, "JPEG XL" },
  { 0, "\0\0\0\x0cJXL ", 8, "JPEG XL" },
  { 0, "\0\0\0\x0cjP  ", 8, "JPEG 2000" },
  { 0, "\xff\x4f\xff\x51", 4, "JPEG 2000" },
  { 0, "\0\0\1\0", 4, "icon" },
  { 0, "qoif", 4, "QOI" },
  { 0, "%PDF-", 5, "PDF" },
};

static gboolean
is_svg (const guint8 *data, gsize size)
{
  gsize head = MIN (size, 1024);

  return (data[0] == '<' || data[0] == 0xef || g_ascii_isspace (data[0]))
         && g_strstr_len ((const char *) data, head, "<svg") != NULL;
}

static void
refuse_foreign (const guint8 *data, gsize size, const char *label, GError **error)
{
  const char *name = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (others) && !name; i++)
    if (size >= others[i].offset + others[i].length
        && memcmp (data + others[i].offset, others[i].magic, others[i].length) == 0)
      name = others[i].name;
  if (!name && is_svg (data, size))
    name = "SVG";

  if (name)
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: %s pictures are not read here", label, name);
  else
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: no picture: begins with bytes %02x %02x", label, data[0], size > 1 ? data[1] : 0);
}

gboolean
facet_image_probe (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  gboolean ok;

  memset (probe, 0, sizeof *probe);
  probe->orientation = 1;
  if (size == 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: file is empty", label);
    return FALSE;
  }
  if (size >= 3 && memcmp (data, "\xff\xd8\xff", 3) == 0) {
    ok = facet_image_probe_jpeg (data, size, label, probe, error);
  } else if (size >= 8 && memcmp (data, "\x89PNG\r\n\x1a\n", 8) == 0) {
    ok = facet_image_probe_png (data, size, label, probe, error);
  } else if (size >= 6 && (memcmp (data, "GIF87a", 6) == 0 || memcmp (data, "GIF89a", 6) == 0)) {
    ok = probe_gif (data, size, label, probe, error);
  } else if (size >= 2 && memcmp (data, "BM", 2) == 0) {
    ok = probe_bmp (data, size, label, probe, error);
  } else if (size >= 4 && memcmp (data, "8BPS", 4) == 0) {
    ok = facet_image_probe_psd (data, size, label, probe, error);
  } else if (size > 3 && data[0] == 'P' && data[1] >= '1' && data[1] <= '7' && g_ascii_isspace (data[2])) {
    ok = facet_image_probe_pnm (data, size, label, probe, error);
  } else if (facet_image_is_tga (data, size)) {
    ok = facet_image_probe_tga (data, size, label, probe, error);
  } else {
    refuse_foreign (data, size, label, error);
    ok = FALSE;
  }
  if (!ok)
    return FALSE;
  if (probe->width <= 0 || probe->height <= 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: picture of %d x %d pixels", label, probe->width, probe->height);
    return FALSE;
  }
  if ((gint64) probe->width * probe->height > FACET_IMAGE_MAX_PIXELS) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: picture of %d x %d pixels is larger than %d megapixels",
                 label, probe->width, probe->height, FACET_IMAGE_MAX_PIXELS / 1000000);
    return FALSE;
  }
  return TRUE;
}
