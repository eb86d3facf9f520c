#include <string.h>

#include "gguf/gguf-private.h"

gsize
gguf_type_bytes (guint32 type)
{
  static const guint8 bytes[GGUF_N_TYPES] = {
    [GGUF_U8] = 1, [GGUF_I8] = 1, [GGUF_BOOL] = 1, [GGUF_U16] = 2, [GGUF_I16] = 2,
    [GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
  };

  return type < GGUF_N_TYPES ? bytes[type] : 0;
}

const GgufKv *
gguf_find (FacetGguf *gguf, const char *key)
{
  gsize found = GPOINTER_TO_SIZE (g_hash_table_lookup (gguf->by_key, key));

  return found == 0 ? NULL : &g_array_index (gguf->kvs, GgufKv, found - 1);
}

static GgufType
number_type (const GgufKv *kv)
{
  return kv->type == GGUF_ARRAY ? kv->element : kv->type;
}

static guint64
read_bits (const GgufKv *kv, gsize index)
{
  gsize each = gguf_type_bytes (number_type (kv));
  guint64 bits = 0;

  memcpy (&bits, kv->value + index * each, each);
  return bits;
}

gboolean
gguf_read_i64 (const GgufKv *kv, gsize index, gint64 *value)
{
  switch (number_type (kv)) {
  case GGUF_I8:
    *value = (gint8) read_bits (kv, index);
    return TRUE;
  case GGUF_I16:
    *value = (gint16) read_bits (kv, index);
    return TRUE;
  case GGUF_I32:
    *value = (gint32) read_bits (kv, index);
    return TRUE;
  case GGUF_U8:
  case GGUF_U16:
  case GGUF_U32:
  case GGUF_I64:
    *value = (gint64) read_bits (kv, index);
    return TRUE;
  case GGUF_BOOL:
    *value = read_bits (kv, index) != 0;
    return TRUE;
  case GGUF_U64:
    if (read_bits (kv, index) > G_MAXINT64)
      return FALSE;
    *value = (gint64) read_bits (kv, index);
    return TRUE;
  default:
    return FALSE;
  }
}

gboolean
gguf_read_f64 (const GgufKv *kv, gsize index, double *value)
{
  guint64 bits;
  guint32 low;
  float single;
  gint64 whole;

  switch (number_type (kv)) {
  case GGUF_F32:
    low = (guint32) read_bits (kv, index);
    memcpy (&single, &low, sizeof single);
    *value = single;
    return TRUE;
  case GGUF_F64:
    bits = read_bits (kv, index);
    memcpy (value, &bits, sizeof *value);
    return TRUE;
  case GGUF_U64:
    *value = (double) read_bits (kv, index);
    return TRUE;
  case GGUF_STRING:
  case GGUF_BOOL:
    return FALSE;
  default:
    if (!gguf_read_i64 (kv, index, &whole))
      return FALSE;
    *value = (double) whole;
    return TRUE;
  }
}

gboolean
facet_gguf_get_u32 (FacetGguf *gguf, const char *key, guint32 *value)
{
  const GgufKv *kv = gguf_find (gguf, key);
  gint64 number;

  if (kv == NULL || kv->type == GGUF_ARRAY || kv->type == GGUF_BOOL || !gguf_read_i64 (kv, 0, &number))
    return FALSE;
  if (number < 0 || number > G_MAXUINT32)
    return FALSE;
  *value = (guint32) number;
  return TRUE;
}

gboolean
facet_gguf_get_f32 (FacetGguf *gguf, const char *key, float *value)
{
  const GgufKv *kv = gguf_find (gguf, key);
  double number;

  if (kv == NULL || kv->type == GGUF_ARRAY || !gguf_read_f64 (kv, 0, &number))
    return FALSE;
  *value = (float) number;
  return TRUE;
}

gboolean
facet_gguf_get_bool (FacetGguf *gguf, const char *key, gboolean *value)
{
  const GgufKv *kv = gguf_find (gguf, key);

  if (kv == NULL || kv->type != GGUF_BOOL)
    return FALSE;
  *value = *kv->value != 0;
  return TRUE;
}

const char *
facet_gguf_get_string (FacetGguf *gguf, const char *key)
{
  const GgufKv *kv = gguf_find (gguf, key);

  return kv == NULL ? NULL : kv->string;
}

gboolean
facet_gguf_has_key (FacetGguf *gguf, const char *key)
{
  return gguf_find (gguf, key) != NULL;
}

static const GgufKv *
find_array (FacetGguf *gguf, const char *key)
{
  const GgufKv *kv = gguf_find (gguf, key);

  return kv != NULL && kv->type == GGUF_ARRAY ? kv : NULL;
}

gsize
facet_gguf_array_length (FacetGguf *gguf, const char *key)
{
  const GgufKv *kv = find_array (gguf, key);

  return kv == NULL ? 0 : kv->n;
}

gboolean
facet_gguf_array_f32 (FacetGguf *gguf, const char *key, gsize index, float *value)
{
  const GgufKv *kv = find_array (gguf, key);
  double number;

  if (kv == NULL || index >= kv->n || !gguf_read_f64 (kv, index, &number))
    return FALSE;
  *value = (float) number;
  return TRUE;
}

gboolean
facet_gguf_array_i64 (FacetGguf *gguf, const char *key, gsize index, gint64 *value)
{
  const GgufKv *kv = find_array (gguf, key);

  return kv != NULL && index < kv->n && gguf_read_i64 (kv, index, value);
}

gboolean
facet_gguf_array_strings (FacetGguf *gguf, const char *key, FacetGgufStringFunc func, gpointer user_data)
{
  const GgufKv *kv = find_array (gguf, key);
  const guint8 *at;
  guint64 length;

  if (kv == NULL || kv->element != GGUF_STRING)
    return FALSE;
  at = kv->value;
  for (gsize i = 0; i < kv->n; i++) {
    memcpy (&length, at, sizeof length);
    at += sizeof length;
    if (!func (i, (const char *) at, length, user_data))
      return FALSE;
    at += length;
  }
  return TRUE;
}

const void *
facet_gguf_array_data (FacetGguf *gguf, const char *key, guint32 gguf_type, gsize *n)
{
  const GgufKv *kv = find_array (gguf, key);

  if (kv == NULL || kv->element != gguf_type || gguf_type_bytes (gguf_type) == 0)
    return NULL;
  *n = kv->n;
  return kv->value;
}
