#include "backend/vulkan/plan.h"

#include <string.h>

static gsize
head_stride (FacetVk *vk, FacetKvType type, int ring, int columns)
{
  gsize bytes = (gsize) ring * facet_kv_row_bytes (type, columns);

  return (bytes + vk->limits.alignment - 1) / vk->limits.alignment * vk->limits.alignment;
}

static gboolean
layer_fits (FacetKv *kv, int l, GError **error)
{
  const FacetKvLayer *layer = &kv->layers[l];

  if (kv->type == FACET_KV_Q8_0 && (layer->head_k % 32 != 0 || layer->head_v % 32 != 0)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED,
                 "a q8_0 cache needs head sizes that are multiples of 32, layer %d has %d and %d", l, layer->head_k, layer->head_v);
    return FALSE;
  }
  if (MAX (kv->k_stride[l], kv->v_stride[l]) > kv->vk->limits.range) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: %d positions of a head of layer %d are more than %s can bind",
                 kv->ring[l], l, kv->vk->info->name);
    return FALSE;
  }
  return TRUE;
}

FacetKv *
facet_vk_kv_new (FacetBackend *backend, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type,
                 GError **error)
{
  FacetKv *kv = g_new0 (FacetKv, 1);

  kv->vk = (FacetVk *) backend;
  kv->type = type;
  kv->n_layers = n_layers;
  kv->layers = g_memdup2 (layers, sizeof *layers * n_layers);
  kv->ring = g_new0 (int, n_layers);
  kv->k_stride = g_new0 (gsize, n_layers);
  kv->v_stride = g_new0 (gsize, n_layers);
  kv->buffers = g_new0 (FacetVkBuffer, n_layers);
  for (int l = 0; l < n_layers; l++) {
    kv->ring[l] = facet_kv_layer_length (&layers[l], context, max_step);
    kv->k_stride[l] = head_stride (kv->vk, type, kv->ring[l], layers[l].head_k);
    kv->v_stride[l] = head_stride (kv->vk, type, kv->ring[l], layers[l].head_v);
    if (layers[l].n_kv == 0)
      continue;
    if (!layer_fits (kv, l, error)
        || !facet_vk_buffer_new (kv->vk, layers[l].n_kv * (kv->k_stride[l] + kv->v_stride[l]), FACET_VK_DEVICE, &kv->buffers[l], error)) {
      facet_vk_kv_free (kv);
      return NULL;
    }
  }
  return kv;
}

void
facet_vk_kv_free (FacetKv *kv)
{
  for (int l = 0; l < kv->n_layers; l++)
    facet_vk_buffer_free (kv->vk, &kv->buffers[l]);
  g_free (kv->layers);
  g_free (kv->ring);
  g_free (kv->k_stride);
  g_free (kv->v_stride);
  g_free (kv->buffers);
  g_free (kv);
}

FacetVkRange
facet_vk_kv_k (const FacetKv *kv, int layer, int first, int count)
{
  return (FacetVkRange) { kv->buffers[layer].buffer, first * kv->k_stride[layer], count * kv->k_stride[layer] };
}

FacetVkRange
facet_vk_kv_v (const FacetKv *kv, int layer, int first, int count)
{
  return (FacetVkRange) { kv->buffers[layer].buffer, kv->layers[layer].n_kv * kv->k_stride[layer] + first * kv->v_stride[layer],
                          count * kv->v_stride[layer] };
}

int
facet_vk_heads_a_binding (const FacetPlan *plan, int layer)
{
  gsize stride = MAX (plan->kv->k_stride[layer], plan->kv->v_stride[layer]);

  return (int) MIN ((gsize) plan->kv->layers[layer].n_kv, plan->vk->limits.range / stride);
}

const char *
facet_vk_cache_type (FacetKvType type)
{
  return type == FACET_KV_F16 ? "f16" : type == FACET_KV_Q8_0 ? "q8_0" : "f32";
}

/* ---- copies ---- */

/* Where the rows of one head lie, in the layer's buffer and outside. */
typedef struct {
  gsize at, bytes;
} Run;

static Run
run_of (const FacetKv *kv, int layer, int head, gboolean value, int from, int n)
{
  const FacetKvLayer *l = &kv->layers[layer];
  gsize row = facet_kv_row_bytes (kv->type, value ? l->head_v : l->head_k);
  FacetVkRange range = value ? facet_vk_kv_v (kv, layer, head, 1) : facet_vk_kv_k (kv, layer, head, 1);

  return (Run) { range.offset + (gsize) (from % kv->ring[layer]) * row, (gsize) n * row };
}

/* Through memory that the host sees: all runs of the layer with one submit. */
static gboolean
copy_staged (FacetKv *kv, int layer, int from, int n, gboolean into, FacetVkBuffer *stage, GError **error)
{
  FacetVk *vk = kv->vk;
  const FacetVkFunctions *f = &vk->instance.f;
  VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = vk->pool,
                                       .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
  VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
  VkMemoryBarrier before = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                             .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT };
  VkMemoryBarrier after = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                            .dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT };
  VkCommandBuffer commands;
  gsize at = 0;
  gboolean done;

  if (!facet_vk_check (f->AllocateCommandBuffers (vk->device, &info, &commands), "command buffer", error))
    return FALSE;
  f->BeginCommandBuffer (commands, &begin);
  f->CmdPipelineBarrier (commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &before, 0, NULL, 0, NULL);
  for (int value = 0; value < 2; value++)
    for (int head = 0; head < kv->layers[layer].n_kv; head++) {
      Run run = run_of (kv, layer, head, value, from, n);
      VkBufferCopy copy = { into ? at : run.at, into ? run.at : at, run.bytes };

      f->CmdCopyBuffer (commands, into ? stage->buffer : kv->buffers[layer].buffer, into ? kv->buffers[layer].buffer : stage->buffer, 1, &copy);
      at += run.bytes;
    }
  f->CmdPipelineBarrier (commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1,
                         &after, 0, NULL, 0, NULL);
  done = facet_vk_check (f->EndCommandBuffer (commands), "copy", error) && facet_vk_submit (vk, &commands, 1, error);
  f->FreeCommandBuffers (vk->device, vk->pool, 1, &commands);
  return done;
}

gboolean
facet_vk_kv_copy (FacetKv *kv, int layer, int from, int n, gboolean into, guint8 *rows, GError **error)
{
  const FacetKvLayer *l = &kv->layers[layer];
  gsize bytes = (gsize) n * l->n_kv * (facet_kv_row_bytes (kv->type, l->head_k) + facet_kv_row_bytes (kv->type, l->head_v));
  guint8 *mapped = kv->buffers[layer].mapped;
  FacetVkBuffer stage;
  gboolean done;

  for (int value = 0; mapped != NULL && value < 2; value++)
    for (int head = 0; head < l->n_kv; head++) {
      Run run = run_of (kv, layer, head, value, from, n);

      memcpy (into ? mapped + run.at : rows, into ? rows : mapped + run.at, run.bytes);
      rows += run.bytes;
    }
  if (mapped != NULL)
    return TRUE;
  if (!facet_vk_buffer_new (kv->vk, bytes, into ? FACET_VK_UPLOAD : FACET_VK_READBACK, &stage, error))
    return FALSE;
  if (into)
    memcpy (stage.mapped, rows, bytes);
  done = copy_staged (kv, layer, from, n, into, &stage, error);
  if (done && !into)
    memcpy (rows, stage.mapped, bytes);
  facet_vk_buffer_free (kv->vk, &stage);
  return done;
}
