/* Weights are copied once from the file's map: into memory that the host sees,
 * or else through a ring of two stages, one being filled while the device
 * copies from the other. */
#include "backend/vulkan/vk.h"

#include <string.h>

#define STAGE ((gsize) 16 << 20)
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
  guint64 rows = rows_of (tensor), most = vk->limits.range / MAX (row_bytes, 1);
  FacetVkWeight *weight;

  if (row_bytes == 0 || most == 0 || rows > G_MAXINT32) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: tensor \"%s\" has rows of %" G_GSIZE_FORMAT " bytes", tensor->name,
                 row_bytes);
    return NULL;
  }
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

/* Gives every part its place; @ends[i] is where chunk number first + i ends. */
static gboolean
place (FacetVk *vk, GPtrArray *weights, GError **error)
{
  VkDeviceSize most = MIN (MAX (CHUNK, vk->limits.range), vk->limits.allocation), used = 0;
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

static FacetVkBuffer *
chunk_of (FacetVk *vk, VkBuffer buffer)
{
  for (guint i = 0; i < vk->chunks->len; i++)
    if (g_array_index (vk->chunks, FacetVkBuffer, i).buffer == buffer)
      return &g_array_index (vk->chunks, FacetVkBuffer, i);
  g_assert_not_reached ();
}

typedef struct {
  FacetVk        *vk;
  FacetVkBuffer   stages[2];
  VkCommandBuffer commands[2];
  VkFence         fences[2];
  int             next;
} Ring;

static gboolean
ring_init (Ring *ring, FacetVk *vk, GError **error)
{
  const FacetVkFunctions *f = &vk->instance.f;
  VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = vk->pool,
                                       .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 2 };
  VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = VK_FENCE_CREATE_SIGNALED_BIT };

  ring->vk = vk;
  for (int i = 0; i < 2; i++)
    if (!facet_vk_buffer_new (vk, STAGE, FACET_VK_UPLOAD, &ring->stages[i], error)
        || !facet_vk_check (f->CreateFence (vk->device, &fence, NULL, &ring->fences[i]), "fence", error))
      return FALSE;
  return facet_vk_check (f->AllocateCommandBuffers (vk->device, &info, ring->commands), "command buffer", error);
}

static gboolean
ring_wait (Ring *ring, int i, GError **error)
{
  FacetVk *vk = ring->vk;

  if (vk->lost)
    return facet_vk_check (VK_ERROR_DEVICE_LOST, "upload", error);
  vk->lost = !facet_vk_check (vk->instance.f.WaitForFences (vk->device, 1, &ring->fences[i], VK_TRUE, G_MAXUINT64), "upload", error);
  return !vk->lost;
}

static gboolean
ring_copy (Ring *ring, const guint8 *source, VkBuffer target, VkDeviceSize offset, gsize size, GError **error)
{
  FacetVk *vk = ring->vk;
  const FacetVkFunctions *f = &vk->instance.f;
  int i = ring->next;
  VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                     .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT };
  VkSubmitInfo submit = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &ring->commands[i] };

  ring->next = 1 - i;
  if (!ring_wait (ring, i, error))
    return FALSE;
  memcpy (ring->stages[i].mapped, source, size);
  f->BeginCommandBuffer (ring->commands[i], &begin);
  f->CmdCopyBuffer (ring->commands[i], ring->stages[i].buffer, target, 1, &(VkBufferCopy) { 0, offset, size });
  vk->lost = !facet_vk_check (f->EndCommandBuffer (ring->commands[i]), "upload", error)
             || !facet_vk_check (f->ResetFences (vk->device, 1, &ring->fences[i]), "upload", error)
             || !facet_vk_check (f->QueueSubmit (vk->queue, 1, &submit, ring->fences[i]), "upload", error);
  return !vk->lost;
}

static void
ring_clear (Ring *ring)
{
  FacetVk *vk = ring->vk;
  const FacetVkFunctions *f = &vk->instance.f;

  if (ring->commands[0] != VK_NULL_HANDLE) {
    f->DeviceWaitIdle (vk->device);
    f->FreeCommandBuffers (vk->device, vk->pool, 2, ring->commands);
  }
  for (int i = 0; i < 2; i++) {
    if (ring->fences[i] != VK_NULL_HANDLE)
      f->DestroyFence (vk->device, ring->fences[i], NULL);
    facet_vk_buffer_free (vk, &ring->stages[i]);
  }
}

static gboolean
upload_range (FacetVk *vk, Ring *ring, const guint8 *source, const FacetVkRange *range, FacetCancel *cancel, GError **error)
{
  FacetVkBuffer *chunk = chunk_of (vk, range->buffer);

  if (chunk->mapped == NULL && ring->vk == NULL && !ring_init (ring, vk, error))
    return FALSE;
  for (VkDeviceSize done = 0, n; done < range->size; done += n) {
    n = MIN (STAGE, range->size - done);
    if (facet_is_cancelled (cancel)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
    if (chunk->mapped != NULL)
      memcpy (chunk->mapped + range->offset + done, source + done, n);
    else if (!ring_copy (ring, source + done, range->buffer, range->offset + done, n, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
upload (FacetVk *vk, GPtrArray *tensors, GPtrArray *weights, FacetCancel *cancel, GError **error)
{
  Ring ring = { NULL };
  gboolean done = TRUE;

  for (guint t = 0; done && t < tensors->len; t++) {
    const FacetTensor *tensor = g_ptr_array_index (tensors, t);
    FacetVkWeight *weight = g_ptr_array_index (weights, t);

    for (int i = 0; done && i < weight->n_parts; i++)
      done = upload_range (vk, &ring, (const guint8 *) tensor->data + (gsize) weight->parts[i].first * weight->row_bytes,
                           &weight->parts[i].range, cancel, error);
  }
  if (ring.vk != NULL) {
    done = done && ring_wait (&ring, 0, error) && ring_wait (&ring, 1, error);
    ring_clear (&ring);
  }
  return done;
}

gboolean
facet_vk_weights_require (FacetVk *vk, GPtrArray *tensors, FacetCancel *cancel, GError **error)
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
  if (missing->len == 0)
    return TRUE;
  if (!place (vk, weights, error) || !upload (vk, missing, weights, cancel, error)) {
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
