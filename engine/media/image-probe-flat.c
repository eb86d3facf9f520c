/* Truevision TGA 2.0, Adobe Photoshop (PSD, version 1), Netpbm's PPM and PGM. */
#include "media/image-probe.h"

#include <string.h>

typedef struct {
  const guint8 *data;
  gsize         size;
  const char   *label;
  const char   *kind;
  GError      **error;
} Source;

static guint
le16 (const guint8 *p)
{
  return p[0] | (guint) p[1] << 8;
}

static guint
be16 (const guint8 *p)
{
  return (guint) p[0] << 8 | p[1];
}

static guint32
be32 (const guint8 *p)
{
  return (guint32) be16 (p) << 16 | be16 (p + 2);
}

static gboolean
fail (const Source *s, FacetErrorCode code, const char *what)
{
  g_set_error (s->error, FACET_ERROR, code, "%s: %s file of %" G_GSIZE_FORMAT " bytes %s", s->label, s->kind, s->size, what);
  return FALSE;
}

/* ---- TGA ---------------------------------------------------------------- */

#define TGA_HEADER 18
#define TGA_RUN 8 /* in the type: packets of runs */

static gboolean
is_depth (guint bits, gboolean grey)
{
  return grey ? bits == 8 || bits == 16 : bits == 15 || bits == 16 || bits == 24 || bits == 32;
}

/* The format has no mark at its beginning: every field must make sense. */
gboolean
facet_image_is_tga (const guint8 *data, gsize size)
{
  static const guint8 no_map[5];
  guint kind;

  if (size < TGA_HEADER || data[1] > 1 || data[2] > 11)
    return FALSE;
  kind = data[2] & ~TGA_RUN;
  if (kind < 1 || kind > 3 || (data[1] == 1) != (kind == 1) || data[17] >> 6 != 0 || le16 (data + 12) == 0 || le16 (data + 14) == 0)
    return FALSE;
  if (kind == 1)
    return (data[16] == 8 || data[16] == 16) && le16 (data + 5) > 0 && (is_depth (data[7], FALSE) || data[7] == 8);
  return memcmp (data + 3, no_map, sizeof no_map) == 0 && is_depth (data[16], kind == 3);
}

/* Whether the packets from @at on hold @pixels of @bytes each. */
static gboolean
tga_runs_reach (const guint8 *data, gsize size, gsize at, gint64 pixels, gsize bytes)
{
  while (pixels > 0) {
    gsize need;

    if (at >= size)
      return FALSE;
    need = data[at] & 0x80 ? bytes : bytes * ((data[at] & 0x7f) + 1);
    pixels -= (data[at++] & 0x7f) + 1;
    if (size - at < need)
      return FALSE;
    at += need;
  }
  return TRUE;
}

gboolean
facet_image_probe_tga (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  Source s = { data, size, label, "TGA", error };
  guint kind = data[2] & ~TGA_RUN, bits = kind == 1 ? data[7] : data[16];
  gsize map = kind == 1 ? (gsize) le16 (data + 5) * ((data[7] + 7) / 8) : 0, start = TGA_HEADER + data[0] + map;
  gsize bytes = (data[16] + 7) / 8;
  gint64 pixels;

  probe->type = FACET_IMAGE_TGA;
  probe->width = (int) le16 (data + 12);
  probe->height = (int) le16 (data + 14);
  pixels = (gint64) probe->width * probe->height;
  if (kind == 1 && le16 (data + 3) != 0)
    return fail (&s, FACET_ERROR_UNSUPPORTED, "has a colour map that does not begin at 0, which is not read");
  if (start > size || (data[2] & TGA_RUN ? !tga_runs_reach (data, size, start, pixels, bytes) : (size - start) / bytes < (gsize) pixels))
    return fail (&s, FACET_ERROR_MEDIA, "is cut short");
  /* Rows from right to left. */
  probe->orientation = data[17] & 0x10 ? 2 : 1;
  /* Many files of 32 bits leave the fourth byte empty and say so. */
  probe->alpha = (data[17] & 15) != 0 && (kind == 3 ? bits == 16 : bits == 32);
  probe->decode_bytes = (gsize) pixels * 8 + map + (1 << 20);
  return TRUE;
}

/* ---- PSD ---------------------------------------------------------------- */

#define PSD_HEADER 26
#define PSD_RGB 3
#define PSD_VERSION_INFO 1057

/* The section at @at, of a 32-bit length and so many bytes; moves past it. */
static gboolean
psd_section (const Source *s, gsize *at, const guint8 **bytes, gsize *length)
{
  if (s->size - *at < 4 || s->size - *at - 4 < be32 (s->data + *at))
    return fail (s, FACET_ERROR_MEDIA, "is cut short");
  *bytes = s->data + *at + 4;
  *length = be32 (s->data + *at);
  *at += 4 + *length;
  return TRUE;
}

/* Programs may leave the merged picture out; the resources then say so. */
static gboolean
psd_lacks_merged (const guint8 *resources, gsize length)
{
  gsize at = 0;

  while (length - at >= 12 && memcmp (resources + at, "8BIM", 4) == 0) {
    guint id = be16 (resources + at + 4);
    gsize name = (gsize) (resources[at + 6] + 2) & ~(gsize) 1, size;

    at += 6 + name;
    if (length < at || length - at < 4)
      return FALSE;
    size = be32 (resources + at);
    at += 4;
    if (length - at < size)
      return FALSE;
    if (id == PSD_VERSION_INFO && size >= 5)
      return resources[at + 4] == 0;
    at += MIN (size + (size & 1), length - at);
  }
  return FALSE;
}

static gboolean
psd_data_reach (const Source *s, gsize at, const FacetImageProbe *probe, guint channels, guint depth, guint compression)
{
  gsize rows = (gsize) probe->height * channels, need = 0;

  if (compression == 0)
    return (s->size - at) / (depth / 8) / channels >= (gsize) probe->width * probe->height;
  if ((s->size - at) / 2 < rows)
    return FALSE;
  for (gsize row = 0; row < rows; row++)
    need += be16 (s->data + at + 2 * row);
  return s->size - at - 2 * rows >= need;
}

gboolean
facet_image_probe_psd (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  Source s = { data, size, label, "Photoshop", error };
  guint channels, depth, compression;
  const guint8 *resources, *other;
  gsize at = PSD_HEADER, length, ignored;

  if (size < PSD_HEADER)
    return fail (&s, FACET_ERROR_MEDIA, "is cut short");
  channels = be16 (data + 12);
  depth = be16 (data + 22);
  if (be16 (data + 4) != 1)
    return fail (&s, FACET_ERROR_UNSUPPORTED, "is of a large or unknown version, which is not read");
  if (be16 (data + 24) != PSD_RGB || (depth != 8 && depth != 16))
    return fail (&s, FACET_ERROR_UNSUPPORTED, "is not of 8- or 16-bit RGB colours, others are not read");
  if (channels < 3 || channels > 16 || be32 (data + 14) > G_MAXUINT16 || be32 (data + 18) > G_MAXUINT16)
    return fail (&s, FACET_ERROR_MEDIA, "has a broken header");
  probe->type = FACET_IMAGE_PSD;
  probe->height = (int) be32 (data + 14);
  probe->width = (int) be32 (data + 18);
  if (!psd_section (&s, &at, &other, &ignored) || !psd_section (&s, &at, &resources, &length) || !psd_section (&s, &at, &other, &ignored))
    return FALSE;
  if (size - at < 2)
    return fail (&s, FACET_ERROR_MEDIA, "is cut short");
  compression = be16 (data + at);
  if (psd_lacks_merged (resources, length))
    return fail (&s, FACET_ERROR_UNSUPPORTED, "holds layers only, no merged picture");
  if (compression > 1 || (compression == 1 && depth != 8))
    return fail (&s, FACET_ERROR_UNSUPPORTED, "is compressed in a way that is not read");
  if (probe->width <= 0 || probe->height <= 0 || !psd_data_reach (&s, at + 2, probe, channels, depth, compression))
    return fail (&s, FACET_ERROR_MEDIA, "is cut short");
  probe->alpha = channels >= 4;
  probe->decode_bytes = (gsize) probe->width * probe->height * 8 + (1 << 20);
  return TRUE;
}

/* ---- PNM ---------------------------------------------------------------- */

/* The next number after blanks and comments, or -1. */
static gint64
pnm_number (const guint8 *data, gsize size, gsize *at)
{
  gint64 value = 0;
  gsize first;

  while (*at < size && (g_ascii_isspace (data[*at]) || data[*at] == '#'))
    if (data[(*at)++] == '#')
      while (*at < size && data[*at] != '\n' && data[*at] != '\r')
        (*at)++;
  for (first = *at; *at < size && g_ascii_isdigit (data[*at]) && *at - first < 9; (*at)++)
    value = 10 * value + data[*at] - '0';
  return *at > first ? value : -1;
}

gboolean
facet_image_probe_pnm (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  Source s = { data, size, label, "PNM", error };
  gint64 width, height, top;
  gsize at = 2, bytes = data[1] == '6' ? 3 : 1;

  if (data[1] != '5' && data[1] != '6')
    return fail (&s, FACET_ERROR_UNSUPPORTED, "is neither binary PPM nor PGM, others are not read");
  width = pnm_number (data, size, &at);
  height = pnm_number (data, size, &at);
  top = pnm_number (data, size, &at);
  if (width <= 0 || height <= 0 || top <= 0 || at >= size || !g_ascii_isspace (data[at]))
    return fail (&s, FACET_ERROR_MEDIA, "has a broken header");
  if (top != 255)
    return fail (&s, FACET_ERROR_UNSUPPORTED, "has another greatest value than 255, which is not read");
  if (width > G_MAXINT32 / height || (size - at - 1) / bytes < (gsize) (width * height))
    return fail (&s, FACET_ERROR_MEDIA, "is cut short");
  probe->type = FACET_IMAGE_PNM;
  probe->width = (int) width;
  probe->height = (int) height;
  probe->decode_bytes = (gsize) width * height * 8 + (1 << 20);
  return TRUE;
}
