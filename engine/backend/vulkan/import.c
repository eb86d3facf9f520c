/* Where the device computes in the processor's memory, weights are read where
 * they lie in the file's map: nothing is copied, nothing is held twice. What
 * cannot be had so, for its alignment or because the driver refuses those
 * pages, is left to be copied. */
#include "backend/vulkan/vk.h"

/* Neighbours in the file come in one import; small gaps between them do not matter. */
#define GAP ((gsize) 1 << 20)
/* Bytes of an import of several: what the driver refuses is copied whole. */
#define MOST ((gsize) 1 << 30)

typedef struct {
  const FacetTensor *tensor;
  FacetVkWeight     *weight;
} Item;

static const guint8 *
start_of (const Item *item)
{
  return item->tensor->data;
}

static const guint8 *
end_of (const Item *item)
{
  const FacetVkPart *last = &item->weight->parts[item->weight->n_parts - 1];

  return start_of (item) + (gsize) (last->first + last->count) * item->weight->row_bytes;
}

static int
compare_items (gconstpointer a, gconstpointer b)
{
  const guint8 *x = start_of (a), *y = start_of (b);

  return x < y ? -1 : x > y;
}

/* Every part must begin where a binding may. */
static gboolean
is_aligned (const FacetVk *vk, const Item *item)
{
  for (int i = 0; i < item->weight->n_parts; i++)
    if ((guintptr) (start_of (item) + (gsize) item->weight->parts[i].first * item->weight->row_bytes) % vk->limits.alignment != 0)
      return FALSE;
  return TRUE;
}

static GArray *
find_items (const FacetVk *vk, GPtrArray *tensors, GPtrArray *weights)
{
  GArray *items = g_array_new (FALSE, FALSE, sizeof (Item));

  for (guint i = 0; i < tensors->len; i++) {
    Item item = { g_ptr_array_index (tensors, i), g_ptr_array_index (weights, i) };

    if (item.tensor->mapped && is_aligned (vk, &item))
      g_array_append_val (items, item);
  }
  g_array_sort (items, compare_items);
  return items;
}

static void
import_items (FacetVk *vk, const Item *items, guint n, const guint8 *end)
{
  guintptr first = (guintptr) start_of (&items[0]) / vk->import_alignment * vk->import_alignment;
  guintptr last = ((guintptr) end + vk->import_alignment - 1) / vk->import_alignment * vk->import_alignment;
  g_autoptr (GError) error = NULL;
  FacetVkBuffer buffer;

  if (!facet_vk_buffer_import (vk, (void *) first, last - first, &buffer, &error)) {
    g_info ("%u weights are copied: %s", n, error->message);
    return;
  }
  g_array_append_val (vk->chunks, buffer);
  for (guint i = 0; i < n; i++)
    for (int p = 0; p < items[i].weight->n_parts; p++) {
      FacetVkPart *part = &items[i].weight->parts[p];

      part->range.buffer = buffer.buffer;
      part->range.offset = (guintptr) start_of (&items[i]) + (gsize) part->first * items[i].weight->row_bytes - first;
    }
}

void
facet_vk_import (FacetVk *vk, GPtrArray *tensors, GPtrArray *weights)
{
  g_autoptr (GArray) items = find_items (vk, tensors, weights);
  const Item *all = (const Item *) (gpointer) items->data;

  for (guint first = 0, end; first < items->len; first = end) {
    const guint8 *reach = end_of (&all[first]);

    for (end = first + 1; end < items->len; end++) {
      const guint8 *next = MAX (reach, end_of (&all[end]));

      if (start_of (&all[end]) > reach + GAP || (gsize) (next - start_of (&all[first])) > MIN (MOST, vk->limits.allocation))
        break;
      reach = next;
    }
    import_items (vk, &all[first], end - first, reach);
  }
}
