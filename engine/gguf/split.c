#include "gguf/split.h"

#include <string.h>

#include "facet.h"

#define MAX_PARTS 99999 /* five digits */

static gboolean
read_place (FacetGguf *gguf, GError **error)
{
  guint32 count = 1, part = 0;

  gguf->n_parts = 1;
  if (!facet_gguf_get_u32 (gguf, "split.count", &count) || count <= 1)
    return TRUE;
  if (count > MAX_PARTS || !facet_gguf_get_u32 (gguf, "split.no", &part) || part >= count) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: split.count: one of %u parts, split.no does not say which", gguf->path, count);
    return FALSE;
  }
  gguf->part = part;
  gguf->n_parts = count;
  return TRUE;
}

char *
gguf_part_path (const FacetGguf *gguf, const char *path, guint32 part)
{
  g_autofree char *end = g_strdup_printf ("-%05u-of-%05u.gguf", gguf->part + 1, gguf->n_parts);

  if (!g_str_has_suffix (path, end))
    return NULL;
  return g_strdup_printf ("%.*s-%05u-of-%05u.gguf", (int) (strlen (path) - strlen (end)), path, part + 1, gguf->n_parts);
}

static gboolean
add_tensors (FacetGguf *gguf, const FacetGguf *part, GError **error)
{
  for (guint i = 0; i < part->tensors->len; i++) {
    FacetTensor tensor = g_array_index (part->tensors, FacetTensor, i);

    g_array_append_val (gguf->tensors, tensor);
    if (!g_hash_table_insert (gguf->by_name, (gpointer) tensor.name, GSIZE_TO_POINTER (gguf->tensors->len))) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: tensor %s: the name is in an earlier part, too", part->path, tensor.name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
add_part (FacetGguf *gguf, const char *path, guint32 index, gboolean listing, GError **error)
{
  FacetGguf *part = gguf_open_file (path, listing, error);

  if (part == NULL) {
    g_prefix_error (error, "part %u of %u: ", index + 1, gguf->n_parts);
    return FALSE;
  }
  g_ptr_array_add (gguf->further, part);
  if (!read_place (part, error))
    return FALSE;
  if (part->part != index || part->n_parts != gguf->n_parts) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: split.no: part %u of %u, not %u of %u as the name says", part->path,
                 part->part + 1, part->n_parts, index + 1, gguf->n_parts);
    return FALSE;
  }
  return add_tensors (gguf, part, error);
}

static gboolean
check_total (FacetGguf *gguf, GError **error)
{
  guint32 total;

  if (!facet_gguf_get_u32 (gguf, "split.tensors.count", &total) || total == gguf->tensors->len)
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_CORRUPT, "%s: split.tensors.count: %u tensors, but the parts have %u", gguf->path, total,
               gguf->tensors->len);
  return FALSE;
}

gboolean
gguf_join (FacetGguf *gguf, const char *path, gboolean listing, GError **error)
{
  g_autofree char *first = NULL;

  if (!read_place (gguf, error))
    return FALSE;
  if (gguf->n_parts == 1 || (listing && gguf->part > 0))
    return TRUE;
  first = gguf_part_path (gguf, path, 0);
  if (first == NULL) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED,
                 "%s: split.count: one of %u parts, but not named -%05u-of-%05u.gguf, by which the others are found", gguf->path,
                 gguf->n_parts, gguf->part + 1, gguf->n_parts);
    return FALSE;
  }
  if (gguf->part > 0) {
    g_autofree char *shown = g_filename_display_name (first);

    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: split.no: part %u of %u; the first one stands for all: %s", gguf->path,
                 gguf->part + 1, gguf->n_parts, shown);
    return FALSE;
  }
  for (guint32 i = 1; i < gguf->n_parts; i++) {
    g_autofree char *next = gguf_part_path (gguf, path, i);

    if (!add_part (gguf, next, i, listing, error))
      return FALSE;
  }
  return check_total (gguf, error);
}
