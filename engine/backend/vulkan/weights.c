/* Where weights lie: in the file's map (import.c), or in memory of the device
 * that they are copied to once (upload.c). */
#include "backend/vulkan/vk.h"

/* Bytes of the buffers that weights share, unless a single part is larger. */
#define CHUNK ((gsize) 256 << 20)

static void
weight_free (gpointer data)
{
  FacetVkWeight *weight = data;

  g_free (weight->parts);
  g_free (weight);
}

static guint64
rows_of (const FacetTensor *tensor)
{
  return (guint64) (tensor->ne[1] * tensor->ne[2] * tensor->ne[3]);
}

/* The weight's parts, yet without a place. */
static FacetVkWeight *
cut (FacetVk *vk, const FacetTensor *tensor, GError **error)
{
  gsize row_bytes = facet_dtype_row_bytes (tensor->dtype, (gsize) tensor->ne[0]);
  guint64 rows = rows_of (tensor), most = MIN (vk->limits.range, vk->limits.allocation) / MAX (row_bytes, 1);
  FacetVkWeight *weight;

  if (row_bytes == 0 || most == 0 || rows > G_MAXINT32) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: tensor \"%s\" has rows of %" G_GSIZE_FORMAT " bytes", tensor->name,
                 row_bytes);
    return NULL;
  }
  /* Matrices of one tensor stay whole if they can. */
  if (most >= (guint64) tensor->ne[1])
    most -= most % (guint64) tensor->ne[1];
  weight = g_new0 (FacetVkWeight, 1);
  weight->row_bytes = (guint32) row_bytes;
  weight->n_parts = (int) ((rows + most - 1) / most);
  weight->parts = g_new0 (FacetVkPart, weight->n_parts);
  for (int i = 0; i < weight->n_parts; i++) {
    FacetVkPart *part = &weight->parts[i];

    part->first = (guint32) (i * most);
    part->count = (guint32) MIN (most, rows - part->first);
    part->range.size = (VkDeviceSize) part->count * row_bytes;
  }
  return weight;
}

static VkDeviceSize
aligned (FacetVk *vk, VkDeviceSize size)
{
  return (size + vk->limits.alignment - 1) / vk->limits.alignment * vk->limits.alignment;
}

/* Gives every part its place. */
static gboolean
place (FacetVk *vk, GPtrArray *weights, GError **error)
{
  VkDeviceSize most = MIN (CHUNK, vk->limits.allocation), used = 0;
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (VkDeviceSize));
  guint first_chunk = vk->chunks->len;

  for (int pass = 0; pass < 2; pass++) {
    guint chunk = 0;

    used = 0;
    for (guint w = 0; w < weights->len; w++) {
      FacetVkWeight *weight = g_ptr_array_index (weights, w);

      for (int i = 0; i < weight->n_parts; i++) {
        FacetVkRange *range = &weight->parts[i].range;

        if (used + range->size > most && used > 0) {
          if (pass == 0)
            g_array_append_val (sizes, used);
          chunk++;
          used = 0;
        }
        if (pass == 1) {
          range->buffer = g_array_index (vk->chunks, FacetVkBuffer, first_chunk + chunk).buffer;
          range->offset = used;
        }
        used += aligned (vk, range->size);
      }
    }
    if (pass == 1)
      break;
    g_array_append_val (sizes, used);
    for (guint i = 0; i < sizes->len; i++) {
      FacetVkBuffer buffer;

      if (!facet_vk_buffer_new (vk, g_array_index (sizes, VkDeviceSize, i), FACET_VK_DEVICE, &buffer, error))
        return FALSE;
      g_array_append_val (vk->chunks, buffer);
    }
  }
  return TRUE;
}

/* Those that were not imported get a place and are copied there. */
static gboolean
bring_rest (FacetVk *vk, GPtrArray *tensors, GPtrArray *weights, GError **error)
{
  g_autoptr (GPtrArray) rest = g_ptr_array_new (), places = g_ptr_array_new ();

  for (guint i = 0; i < weights->len; i++) {
    FacetVkWeight *weight = g_ptr_array_index (weights, i);

    if (weight->parts[0].range.buffer != VK_NULL_HANDLE)
      continue;
    g_ptr_array_add (rest, g_ptr_array_index (tensors, i));
    g_ptr_array_add (places, weight);
  }
  return rest->len == 0 || (place (vk, places, error) && facet_vk_upload (vk, rest, places, error));
}

gboolean
facet_vk_weights_require (FacetVk *vk, GPtrArray *tensors, GError **error)
{
  g_autoptr (GPtrArray) missing = g_ptr_array_new (), weights = g_ptr_array_new_with_free_func (weight_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint first_chunk = vk->chunks->len;

  for (guint i = 0; i < tensors->len; i++) {
    const FacetTensor *tensor = g_ptr_array_index (tensors, i);
    FacetVkWeight *weight;

    if (g_hash_table_contains (vk->weights, tensor->data) || !g_hash_table_add (seen, (gpointer) tensor->data))
      continue;
    weight = cut (vk, tensor, error);
    if (weight == NULL)
      return FALSE;
    g_ptr_array_add (missing, (gpointer) tensor);
    g_ptr_array_add (weights, weight);
  }
  if (vk->imports)
    facet_vk_import (vk, missing, weights);
  if (!bring_rest (vk, missing, weights, error)) {
    for (guint i = first_chunk; i < vk->chunks->len; i++)
      facet_vk_buffer_free (vk, &g_array_index (vk->chunks, FacetVkBuffer, i));
    g_array_set_size (vk->chunks, first_chunk);
    return FALSE;
  }
  for (guint i = 0; i < missing->len; i++)
    g_hash_table_insert (vk->weights, (gpointer) ((const FacetTensor *) g_ptr_array_index (missing, i))->data,
                         g_ptr_array_index (weights, i));
  g_ptr_array_set_free_func (weights, NULL);
  return TRUE;
}

const FacetVkWeight *
facet_vk_weight (FacetVk *vk, const FacetTensor *tensor)
{
  return g_hash_table_lookup (vk->weights, tensor->data);
}

void
facet_vk_weights_init (FacetVk *vk)
{
  vk->weights = g_hash_table_new (NULL, NULL);
  vk->chunks = g_array_new (FALSE, TRUE, sizeof (FacetVkBuffer));
}

void
facet_vk_weights_drop (FacetVk *vk)
{
  GHashTableIter iter;
  gpointer weight;

  g_hash_table_iter_init (&iter, vk->weights);
  while (g_hash_table_iter_next (&iter, NULL, &weight))
    weight_free (weight);
  g_hash_table_remove_all (vk->weights);
  for (guint i = 0; i < vk->chunks->len; i++)
    facet_vk_buffer_free (vk, &g_array_index (vk->chunks, FacetVkBuffer, i));
  g_array_set_size (vk->chunks, 0);
}

void
facet_vk_weights_free (FacetVk *vk)
{
  facet_vk_weights_drop (vk);
  g_hash_table_unref (vk->weights);
  g_array_unref (vk->chunks);
}
