/* One pass over the weights: into memory that the host sees, or else through a
 * ring of two stages, one being filled while the device copies from the other. */
#include "backend/vulkan/vk.h"

#include <string.h>

#define STAGE ((gsize) 16 << 20)

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

typedef struct {
  FacetVk *vk;
  Ring     ring;
  guint64  done, total;  /* bytes */
} Upload;

static gboolean
upload_range (Upload *u, const guint8 *source, const FacetVkRange *range, GError **error)
{
  FacetVk *vk = u->vk;
  Ring *ring = &u->ring;
  FacetVkBuffer *chunk = chunk_of (vk, range->buffer);

  if (chunk->mapped == NULL && ring->vk == NULL && !ring_init (ring, vk, error))
    return FALSE;
  for (VkDeviceSize done = 0, n; done < range->size; done += n) {
    n = MIN (STAGE, range->size - done);
    if (!facet_vk_go_on (vk, FACET_VK_UPLOADING, u->done, u->total, error))
      return FALSE;
    if (chunk->mapped != NULL)
      memcpy (chunk->mapped + range->offset + done, source + done, n);
    else if (!ring_copy (ring, source + done, range->buffer, range->offset + done, n, error))
      return FALSE;
    u->done += n;
  }
  return TRUE;
}

static guint64
count_bytes (GPtrArray *weights)
{
  guint64 bytes = 0;

  for (guint w = 0; w < weights->len; w++) {
    const FacetVkWeight *weight = g_ptr_array_index (weights, w);

    for (int i = 0; i < weight->n_parts; i++)
      bytes += weight->parts[i].range.size;
  }
  return bytes;
}

gboolean
facet_vk_upload (FacetVk *vk, GPtrArray *tensors, GPtrArray *weights, GError **error)
{
  Upload u = { .vk = vk, .total = count_bytes (weights) };
  gboolean done = TRUE;

  for (guint t = 0; done && t < tensors->len; t++) {
    const FacetTensor *tensor = g_ptr_array_index (tensors, t);
    FacetVkWeight *weight = g_ptr_array_index (weights, t);

    for (int i = 0; done && i < weight->n_parts; i++)
      done = upload_range (&u, (const guint8 *) tensor->data + (gsize) weight->parts[i].first * weight->row_bytes,
                           &weight->parts[i].range, error);
  }
  if (u.ring.vk != NULL) {
    done = done && ring_wait (&u.ring, 0, error) && ring_wait (&u.ring, 1, error);
    ring_clear (&u.ring);
  }
  return done;
}
