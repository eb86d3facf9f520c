#include "media/sound-header.h"

#include <string.h>

/* More chunks than any real file has before its data. */
#define MAX_CHUNKS 1024

static guint32
read_u32 (const guint8 *p, gboolean big)
{
  guint32 v;

  memcpy (&v, p, sizeof v);
  return big ? GUINT32_FROM_BE (v) : GUINT32_FROM_LE (v);
}

static gboolean
check_size (const FacetSoundSource *source, const char *field, gint64 offset, guint64 promised, GError **error)
{
  guint64 there = (guint64) (source->size - offset);

  if (promised <= there)
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_IO,
               "%s: %s size = %" G_GUINT64_FORMAT " bytes, but only %" G_GUINT64_FORMAT " follow: the file is cut short",
               source->name, field, promised, there);
  return FALSE;
}

/* The 64-bit size in an RF64 file's ds64 chunk: riff size, then data size. */
static guint64
ds64_data_size (const FacetSoundSource *source, gint64 offset)
{
  guint64 sizes[2];

  if (facet_sound_source_read (source, offset, sizes, sizeof sizes) != sizeof sizes)
    return 0;
  return GUINT64_FROM_LE (sizes[1]);
}

static gboolean
check_chunks (const FacetSoundSource *source, const char *data_id, gboolean big, GError **error)
{
  gint64 offset = 12;
  guint64 size64 = 0;
  guint8 head[8];

  for (int i = 0; i < MAX_CHUNKS && facet_sound_source_read (source, offset, head, 8) == 8; i++) {
    guint32 size = read_u32 (head + 4, big);

    offset += 8;
    if (memcmp (head, "ds64", 4) == 0)
      size64 = ds64_data_size (source, offset);
    if (memcmp (head, data_id, 4) == 0) {
      if (size == G_MAXUINT32 && size64 != 0)
        return check_size (source, "data", offset, size64, error);
      return size == 0 || size == G_MAXUINT32 || check_size (source, "data", offset, size, error);
    }
    offset += (gint64) size + (size & 1);
  }
  return TRUE;
}

gboolean
facet_sound_header_check (const FacetSoundSource *source, GError **error)
{
  guint8 head[12];

  if (facet_sound_source_read (source, 0, head, sizeof head) != sizeof head)
    return TRUE;
  if (memcmp (head, "RIFF", 4) == 0 || memcmp (head, "RF64", 4) == 0)
    return check_chunks (source, "data", FALSE, error);
  if (memcmp (head, "RIFX", 4) == 0)
    return check_chunks (source, "data", TRUE, error);
  if (memcmp (head, "FORM", 4) == 0)
    return check_chunks (source, "SSND", TRUE, error);
  if (memcmp (head, ".snd", 4) == 0) {
    guint32 start = read_u32 (head + 4, TRUE), size = read_u32 (head + 8, TRUE);

    if (size != 0 && size != G_MAXUINT32 && start <= source->size)
      return check_size (source, "data", start, size, error);
  }
  return TRUE;
}
