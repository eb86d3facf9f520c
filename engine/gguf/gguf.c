#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "facet.h"
#include "gguf/gguf-parse.h"
#include "gguf/gguf-private.h"
#include "gguf/split.h"

/* Tensor data and numbers are used as they lie in the map. */
G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

static FacetGguf *
gguf_new (const void *data, gsize size, const char *label)
{
  FacetGguf *gguf = g_new0 (FacetGguf, 1);

  gguf->path = g_filename_display_name (label);
  gguf->data = data;
  gguf->size = size;
  gguf->strings = g_string_chunk_new (4096);
  gguf->kvs = g_array_new (FALSE, FALSE, sizeof (GgufKv));
  gguf->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  gguf->tensors = g_array_new (FALSE, FALSE, sizeof (FacetTensor));
  gguf->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  gguf->n_parts = 1;
  gguf->further = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_gguf_close);
  return gguf;
}

void
facet_gguf_close (FacetGguf *gguf)
{
  if (gguf == NULL)
    return;
  g_ptr_array_unref (gguf->further);
  g_hash_table_unref (gguf->by_name);
  g_array_unref (gguf->tensors);
  g_hash_table_unref (gguf->by_key);
  g_array_unref (gguf->kvs);
  g_string_chunk_free (gguf->strings);
  g_clear_pointer (&gguf->map, facet_map_close);
  g_free (gguf->path);
  g_free (gguf);
}

FacetGguf *
gguf_open_file (const char *path, gboolean listing, GError **error)
{
  g_autoptr (FacetGguf) gguf = NULL;
  g_autoptr (FacetMap) map = facet_map_open (path, error);

  if (map == NULL)
    return NULL;
  gguf = gguf_new (facet_map_data (map), facet_map_size (map), path);
  gguf->map = g_steal_pointer (&map);
  return facet_gguf_confirm (gguf, gguf_parse (gguf, listing, error), error) ? g_steal_pointer (&gguf) : NULL;
}

static FacetGguf *
open_all (const char *path, gboolean listing, GError **error)
{
  g_autoptr (FacetGguf) gguf = gguf_open_file (path, listing, error);

  return gguf != NULL && gguf_join (gguf, path, listing, error) ? g_steal_pointer (&gguf) : NULL;
}

FacetGguf *
facet_gguf_open (const char *path, GError **error)
{
  return open_all (path, FALSE, error);
}

FacetGguf *
gguf_open_for_listing (const char *path, GError **error)
{
  return open_all (path, TRUE, error);
}

FacetGguf *
facet_gguf_open_bytes (const void *data, gsize size, const char *label, GError **error)
{
  g_autoptr (FacetGguf) gguf = gguf_new (data, size, label);

  if (!gguf_parse (gguf, FALSE, error) || !gguf_join (gguf, label, FALSE, error))
    return NULL;
  return g_steal_pointer (&gguf);
}

const char *
facet_gguf_path (FacetGguf *gguf)
{
  return gguf->path;
}

guint64
facet_gguf_size (FacetGguf *gguf)
{
  guint64 bytes = gguf->size;

  for (guint i = 0; i < gguf->further->len; i++)
    bytes += ((const FacetGguf *) g_ptr_array_index (gguf->further, i))->size;
  return bytes;
}

static gboolean
is_intact (const FacetGguf *gguf)
{
  return gguf->map == NULL || facet_map_is_intact (gguf->map);
}

gboolean
facet_gguf_confirm (FacetGguf *gguf, gboolean done, GError **error)
{
  const FacetGguf *changed = is_intact (gguf) ? NULL : gguf;

  for (guint i = 0; i < gguf->further->len && changed == NULL; i++) {
    const FacetGguf *part = g_ptr_array_index (gguf->further, i);

    if (!is_intact (part))
      changed = part;
  }
  if (changed == NULL)
    return done;
  g_clear_error (error);
  g_set_error (error, FACET_ERROR, FACET_ERROR_CHANGED, "%s: changed or became unreadable while it was in use", changed->path);
  return FALSE;
}

gsize
facet_gguf_n_tensors (FacetGguf *gguf)
{
  return gguf->tensors->len;
}

const FacetTensor *
facet_gguf_tensor_at (FacetGguf *gguf, gsize index)
{
  g_return_val_if_fail (index < gguf->tensors->len, NULL);
  return &g_array_index (gguf->tensors, FacetTensor, index);
}

const FacetTensor *
facet_gguf_tensor (FacetGguf *gguf, const char *name)
{
  gsize found = GPOINTER_TO_SIZE (g_hash_table_lookup (gguf->by_name, name));

  return found == 0 ? NULL : &g_array_index (gguf->tensors, FacetTensor, found - 1);
}

FacetTensor
facet_tensor_rows (const FacetTensor *matrix, gint64 first, gint64 n)
{
  gsize stride = facet_dtype_row_bytes (matrix->dtype, (gsize) matrix->ne[0]);
  FacetTensor rows = *matrix;

  g_assert (first >= 0 && n >= 0 && first + n <= matrix->ne[1]);
  rows.ne[1] = n;
  rows.data = (const guint8 *) matrix->data + (gsize) first * stride;
  rows.bytes = (gsize) n * stride;
  return rows;
}

FacetTensor
facet_tensor_plane (const FacetTensor *stack, gint64 index)
{
  FacetTensor matrix = *stack;

  g_assert (index >= 0 && index < stack->ne[2]);
  matrix.ne[2] = 1;
  matrix.bytes = stack->bytes / (gsize) (stack->ne[2] * stack->ne[3]);
  matrix.data = (const guint8 *) stack->data + (gsize) index * matrix.bytes;
  return matrix;
}

void
facet_tensor_prefetch_rows (const FacetTensor *matrix, const gint32 *ids, gsize n)
{
  gsize stride = facet_dtype_row_bytes (matrix->dtype, (gsize) matrix->ne[0]);
  guintptr page = (guintptr) sysconf (_SC_PAGESIZE);

  for (gsize i = 0; i < n; i++) {
    guintptr start, end;

    if (ids[i] < 0 || ids[i] >= matrix->ne[1])
      continue;
    start = ((guintptr) matrix->data + (gsize) ids[i] * stride) / page * page;
    end = (guintptr) matrix->data + (gsize) (ids[i] + 1) * stride;
    madvise ((void *) start, end - start, MADV_WILLNEED);
  }
}
