#include "media/exif.h"

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT 3

typedef struct {
  const guint8 *data;
  gsize         size;
  gboolean      big_endian;
} Tiff;

static guint32
tiff_read (const Tiff *tiff, gsize offset, int bytes)
{
  guint32 value = 0;

  if (offset > tiff->size || tiff->size - offset < (gsize) bytes)
    return 0;
  for (int i = 0; i < bytes; i++)
    value |= (guint32) tiff->data[offset + i] << 8 * (tiff->big_endian ? bytes - 1 - i : i);
  return value;
}

int
facet_exif_orientation (const guint8 *data, gsize size)
{
  Tiff tiff = { data, size, FALSE };
  gsize ifd;
  guint32 entries;

  if (size < 8)
    return 1;
  tiff.big_endian = data[0] == 'M' && data[1] == 'M';
  if (!tiff.big_endian && !(data[0] == 'I' && data[1] == 'I'))
    return 1;
  if (tiff_read (&tiff, 2, 2) != 42)
    return 1;

  ifd = tiff_read (&tiff, 4, 4);
  entries = tiff_read (&tiff, ifd, 2);
  for (guint32 i = 0; i < entries; i++) {
    gsize entry = ifd + 2 + (gsize) 12 * i;

    if (entry > size)
      break;
    if (tiff_read (&tiff, entry, 2) == TAG_ORIENTATION && tiff_read (&tiff, entry + 2, 2) == TYPE_SHORT) {
      guint32 value = tiff_read (&tiff, entry + 8, 2);

      return value >= 1 && value <= 8 ? (int) value : 1;
    }
  }
  return 1;
}
