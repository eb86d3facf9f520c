#include "gguf/gguf-writer.h"

#include <string.h>

#define PART ((gsize) 1 << 20)
#define VERSION 3

/* What stops the work may interrupt a write, too. */
static gboolean
write_part (GgufWriter *w, const void *data, gsize n, GError **error)
{
  if (!facet_is_cancelled (w->cancel)) {
    if (w->write (data, n, w->write_data, error))
      return TRUE;
    if (!facet_is_cancelled (w->cancel))
      return FALSE;
    g_clear_error (error);
  }
  g_set_error_literal (error, FACET_ERROR, FACET_ERROR_CANCELLED, "stopped while the file was written");
  return FALSE;
}

gboolean
gguf_write_bytes (GgufWriter *w, const void *data, gsize n, GError **error)
{
  const guint8 *at = data;

  while (n > 0) {
    gsize part = MIN (n, PART);

    if (!write_part (w, at, part, error))
      return FALSE;
    at += part;
    n -= part;
    w->position += part;
    if (w->progress != NULL)
      w->progress (FACET_PHASE_WRITE, w->position, w->total, w->user_data);
  }
  return TRUE;
}

static gboolean
write_u32 (GgufWriter *w, guint32 value, GError **error)
{
  return gguf_write_bytes (w, &value, sizeof value, error);
}

static gboolean
write_u64 (GgufWriter *w, guint64 value, GError **error)
{
  return gguf_write_bytes (w, &value, sizeof value, error);
}

static gboolean
write_string (GgufWriter *w, const char *text, gsize length, GError **error)
{
  return write_u64 (w, length, error) && gguf_write_bytes (w, text, length, error);
}

gboolean
gguf_write_start (GgufWriter *w, guint64 n_tensors, guint64 n_keys, GError **error)
{
  return gguf_write_bytes (w, "GGUF", 4, error) && write_u32 (w, VERSION, error) && write_u64 (w, n_tensors, error)
         && write_u64 (w, n_keys, error);
}

static gsize
array_bytes (const GgufKv *kv)
{
  const guint8 *at = kv->value;

  if (kv->element != GGUF_STRING)
    return kv->n * gguf_type_bytes (kv->element);
  for (guint64 i = 0; i < kv->n; i++) {
    guint64 length;

    memcpy (&length, at, sizeof length);
    at += sizeof length + length;
  }
  return (gsize) (at - kv->value);
}

gboolean
gguf_write_key (GgufWriter *w, const GgufKv *kv, GError **error)
{
  if (!write_string (w, kv->key, strlen (kv->key), error) || !write_u32 (w, kv->type, error))
    return FALSE;
  if (kv->type == GGUF_STRING)
    return write_string (w, (const char *) kv->value, kv->n, error);
  if (kv->type != GGUF_ARRAY)
    return gguf_write_bytes (w, kv->value, gguf_type_bytes (kv->type), error);
  return write_u32 (w, kv->element, error) && write_u64 (w, kv->n, error) && gguf_write_bytes (w, kv->value, array_bytes (kv), error);
}

gboolean
gguf_write_tensor (GgufWriter *w, const char *name, FacetDtype dtype, const gint64 ne[FACET_MAX_DIMS], guint64 offset, GError **error)
{
  guint32 n_dims = FACET_MAX_DIMS;

  while (n_dims > 1 && ne[n_dims - 1] == 1)
    n_dims--;
  return write_string (w, name, strlen (name), error) && write_u32 (w, n_dims, error)
         && gguf_write_bytes (w, ne, n_dims * sizeof *ne, error) && write_u32 (w, dtype, error) && write_u64 (w, offset, error);
}

gboolean
gguf_write_padding (GgufWriter *w, GError **error)
{
  static const guint8 zeros[4096];
  gsize left = (gsize) ((w->alignment - w->position % w->alignment) % w->alignment);

  while (left > 0) {
    gsize part = MIN (left, sizeof zeros);

    if (!gguf_write_bytes (w, zeros, part, error))
      return FALSE;
    left -= part;
  }
  return TRUE;
}
