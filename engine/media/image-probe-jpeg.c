#include "media/image-probe.h"

#include <string.h>

#include "media/exif.h"

/* Each scan of a progressive file touches the whole picture: a small file
 * with thousands of them would keep the decoder busy for hours. */
#define MAX_SCANS 200

typedef struct {
  const guint8 *data;
  gsize         size;
  gsize         at;
  const char   *label;
  int           sof;         /* marker number, 0: none yet */
  int           components;
  int           adobe;       /* colour transform, -1: no Adobe segment */
  int           scans;
  guint8        id[4], quant[4]; /* per component: its number, its quantisation table */
  guint         quant_tables;    /* bit n: table n was seen */
  guint         dc_tables, ac_tables;
  guint8        bits_left[4][64]; /* of each coefficient, by component: not sent yet */
} Walk;

static guint
read_be16 (const guint8 *p)
{
  return (guint) p[0] << 8 | p[1];
}

static gboolean
fail (Walk *walk, GError **error, FacetErrorCode code, const char *what)
{
  g_set_error (error, FACET_ERROR, code, "%s: JPEG file %s (byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ")", walk->label, what, walk->at, walk->size);
  return FALSE;
}

/* The next marker number, or -1 at the end. */
static int
next_marker (Walk *walk)
{
  while (walk->at + 1 < walk->size) {
    const guint8 *ff = memchr (walk->data + walk->at, 0xff, walk->size - walk->at);
    guint8 code;

    if (!ff)
      break;
    walk->at = ff - walk->data;
    while (walk->at < walk->size && walk->data[walk->at] == 0xff)
      walk->at++;
    if (walk->at >= walk->size)
      break;
    code = walk->data[walk->at++];
    if (code != 0 && code != 0x01 && !(code >= 0xd0 && code <= 0xd7))
      return code;
  }
  walk->at = walk->size;
  return -1;
}

static gboolean
read_frame (Walk *walk, int marker, const guint8 *segment, guint length, FacetImageProbe *probe, GError **error)
{
  if (walk->sof)
    return fail (walk, error, FACET_ERROR_MEDIA, "has two frame headers");
  if (length < 6 || length < 6 + 3u * segment[5])
    return fail (walk, error, FACET_ERROR_MEDIA, "has a broken frame header");
  if (marker == 0xc3 || marker == 0xc7 || marker == 0xcb || marker == 0xcf)
    return fail (walk, error, FACET_ERROR_UNSUPPORTED, "is lossless JPEG, which is not read");
  if (marker > 0xc2)
    return fail (walk, error, FACET_ERROR_UNSUPPORTED, "uses arithmetic or hierarchical coding, which is not read");
  if (segment[0] != 8)
    return fail (walk, error, FACET_ERROR_UNSUPPORTED, "has more than 8 bits a sample, which is not read");

  walk->sof = marker;
  walk->components = segment[5];
  probe->height = read_be16 (segment + 1);
  probe->width = read_be16 (segment + 3);
  if (walk->components != 1 && walk->components != 3 && walk->components != 4)
    return fail (walk, error, FACET_ERROR_UNSUPPORTED, "has an unusual number of colour components");
  for (int i = 0; i < walk->components; i++) {
    walk->id[i] = segment[6 + 3 * i];
    walk->quant[i] = segment[8 + 3 * i] & 3;
  }
  return TRUE;
}

static void
note_quant_tables (Walk *walk, const guint8 *segment, guint length)
{
  for (guint at = 0; at < length; at += segment[at] >> 4 ? 129 : 65)
    walk->quant_tables |= 1u << (segment[at] & 3);
}

/* More symbols than codes would run over the decoder's tables. */
static gboolean
read_huffman_tables (Walk *walk, const guint8 *segment, guint length, GError **error)
{
  for (guint at = 0; at < length;) {
    guint bit = 1u << (segment[at] & 3), symbols = 0;

    if (length - at < 17)
      return fail (walk, error, FACET_ERROR_MEDIA, "has a broken Huffman table");
    if (segment[at] >> 4)
      walk->ac_tables |= bit;
    else
      walk->dc_tables |= bit;
    for (int i = 1; i <= 16; i++)
      symbols += segment[at + i];
    if (symbols > 256 || length - at - 17 < symbols)
      return fail (walk, error, FACET_ERROR_MEDIA, "has a broken Huffman table");
    at += 17 + symbols;
  }
  return TRUE;
}

/* What a scan brings of component @c (T.81, G.1.1.1): coefficients first to
 * last down to bit @low. */
static void
note_scan (Walk *walk, int c, guint first, guint last, guint low)
{
  gboolean progressive = walk->sof == 0xc2;

  for (guint k = progressive ? MIN (first, 63) : 0; k <= (progressive ? MIN (last, 63) : 63); k++)
    walk->bits_left[c][k] = progressive ? (guint8) low : 0;
}

static gboolean
lacks_scans (const Walk *walk)
{
  for (int c = 0; c < walk->components; c++)
    for (int k = 0; k < 64; k++)
      if (walk->bits_left[c][k] > 0)
        return TRUE;
  return FALSE;
}

/* The decoder would go on with whatever its tables hold. */
static gboolean
read_scan (Walk *walk, const guint8 *segment, guint length, GError **error)
{
  guint n, first, refine;

  if (!walk->sof)
    return fail (walk, error, FACET_ERROR_MEDIA, "has data before its frame header");
  if (++walk->scans > MAX_SCANS)
    return fail (walk, error, FACET_ERROR_MEDIA, "has more scans than any real picture");
  n = length ? segment[0] : 0;
  if (n < 1 || n > 4 || length < 4 + 2 * n)
    return fail (walk, error, FACET_ERROR_MEDIA, "has a broken scan header");

  first = segment[1 + 2 * n];
  refine = segment[3 + 2 * n] >> 4;
  for (guint i = 0; i < n; i++) {
    guint tables = segment[2 + 2 * i];
    gboolean known = FALSE;

    for (int c = 0; c < walk->components; c++)
      if (walk->id[c] == segment[1 + 2 * i]) {
        known = walk->quant_tables >> walk->quant[c] & 1;
        note_scan (walk, c, first, segment[2 + 2 * n], segment[3 + 2 * n] & 15);
      }
    if (!known)
      return fail (walk, error, FACET_ERROR_MEDIA, "lacks a component or its quantisation table");
    if ((first == 0 && refine == 0 && !(walk->dc_tables >> (tables >> 4 & 3) & 1))
        || ((walk->sof != 0xc2 || first > 0) && !(walk->ac_tables >> (tables & 3) & 1)))
      return fail (walk, error, FACET_ERROR_MEDIA, "lacks a Huffman table");
  }
  return TRUE;
}

static gboolean
read_segment (Walk *walk, int marker, const guint8 *segment, guint length, FacetImageProbe *probe, GError **error)
{
  if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
    return read_frame (walk, marker, segment, length, probe, error);
  if (marker == 0xe1 && length > 6 && memcmp (segment, "Exif\0", 6) == 0)
    probe->orientation = facet_exif_orientation (segment + 6, length - 6);
  else if (marker == 0xee && length >= 12 && memcmp (segment, "Adobe", 5) == 0)
    walk->adobe = segment[11];
  else if (marker == 0xdb)
    note_quant_tables (walk, segment, length);
  else if (marker == 0xc4)
    return read_huffman_tables (walk, segment, length, error);
  else if (marker == 0xda)
    return read_scan (walk, segment, length, error);
  return TRUE;
}

static gboolean
walk_segments (Walk *walk, FacetImageProbe *probe, GError **error)
{
  for (;;) {
    int marker = next_marker (walk);
    guint length;

    if (marker == 0xd9)
      return TRUE;
    if (marker < 0)
      return fail (walk, error, FACET_ERROR_MEDIA, "is cut short");
    if (marker == 0xd8)
      continue;
    if (walk->size - walk->at < 2)
      return fail (walk, error, FACET_ERROR_MEDIA, "is cut short");
    length = read_be16 (walk->data + walk->at);
    if (length < 2)
      return fail (walk, error, FACET_ERROR_MEDIA, "has a broken segment");
    if (walk->size - walk->at < length)
      return fail (walk, error, FACET_ERROR_MEDIA, "is cut short");
    if (!read_segment (walk, marker, walk->data + walk->at + 2, length - 2, probe, error))
      return FALSE;
    walk->at += length;
  }
}

gboolean
facet_image_probe_jpeg (const guint8 *data, gsize size, const char *label, FacetImageProbe *probe, GError **error)
{
  Walk walk = { .data = data, .size = size, .at = 2, .label = label, .adobe = -1 };
  gsize padded;

  memset (walk.bits_left, 0xff, sizeof walk.bits_left);
  probe->type = FACET_IMAGE_JPEG;
  if (!walk_segments (&walk, probe, error))
    return FALSE;
  if (!walk.sof || !walk.scans)
    return fail (&walk, error, FACET_ERROR_MEDIA, "holds no picture");
  if (lacks_scans (&walk))
    return fail (&walk, error, FACET_ERROR_MEDIA, "is cut short: it lacks its last scans");
  if (walk.components == 4) {
    /* Adobe's files hold inverted ink and say so by their segment; without
     * one there is no telling light from dark. */
    if (walk.adobe != 0 && walk.adobe != 2)
      return fail (&walk, error, FACET_ERROR_UNSUPPORTED, "holds CMYK colours without Adobe's marker, whose meaning is unknown");
    probe->notes |= FACET_IMAGE_NOTE_CMYK;
  }
  /* Planes padded to whole blocks, coefficients of progressive files, output. */
  padded = ((gsize) probe->width + 64) * ((gsize) probe->height + 64);
  probe->decode_bytes = padded * (4 + walk.components * (walk.sof == 0xc2 ? 3 : 1)) + (1 << 20);
  return TRUE;
}
