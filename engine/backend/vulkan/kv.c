#include "backend/vulkan/plan.h"

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
