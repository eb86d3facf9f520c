#include "backend/cpu/plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

FacetKv *
facet_cpu_kv_new (FacetBackend *backend, const FacetKvLayer *layers, int n_layers,
                  int context, int max_step, FacetKvType type, GError **error)
{
  FacetKv *kv;
  gsize offset = 0;

  for (int l = 0; l < n_layers; l++)
    if (type == FACET_KV_Q8_0 && (layers[l].head_k % 32 != 0 || layers[l].head_v % 32 != 0)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED,
                   "a q8_0 cache needs head sizes that are multiples of 32, layer %d has %d and %d",
                   l, layers[l].head_k, layers[l].head_v);
      return NULL;
    }

  kv = g_new0 (FacetKv, 1);
  kv->type = type;
  kv->n_layers = n_layers;
  kv->layers = g_memdup2 (layers, sizeof *layers * n_layers);
  kv->length = g_new0 (int, n_layers);
  kv->k = g_new0 (guint8 *, n_layers);
  kv->v = g_new0 (guint8 *, n_layers);
  kv->bytes = MAX (facet_kv_bytes (layers, n_layers, context, max_step, type), 1);
  /* Pages that no token has reached yet cost nothing. */
  kv->memory = mmap (NULL, kv->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (kv->memory == MAP_FAILED) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY,
                 "no memory for a KV cache of %" G_GSIZE_FORMAT " bytes: %s", kv->bytes, g_strerror (errno));
    kv->memory = NULL;
    facet_cpu_kv_free (kv);
    return NULL;
  }
  for (int l = 0; l < n_layers; l++) {
    gsize rows;

    kv->length[l] = facet_kv_layer_length (&layers[l], context, max_step);
    rows = (gsize) kv->length[l] * layers[l].n_kv;
    kv->k[l] = (guint8 *) kv->memory + offset;
    offset += rows * facet_kv_row_bytes (type, layers[l].head_k);
    kv->v[l] = (guint8 *) kv->memory + offset;
    offset += rows * facet_kv_row_bytes (type, layers[l].head_v);
  }
  return kv;
}

void
facet_cpu_kv_free (FacetKv *kv)
{
  if (kv == NULL)
    return;
  if (kv->memory != NULL)
    munmap (kv->memory, kv->bytes);
  g_free (kv->layers);
  g_free (kv->length);
  g_free (kv->k);
  g_free (kv->v);
  g_free (kv);
}

static guint8 *
row_at (const FacetKv *kv, guint8 *base, int layer, int head, int position, int columns)
{
  gsize row = (gsize) head * kv->length[layer] + position % kv->length[layer];

  return base + row * facet_kv_row_bytes (kv->type, columns);
}

guint8 *
facet_cpu_kv_k (const FacetKv *kv, int layer, int head, int position)
{
  return row_at (kv, kv->k[layer], layer, head, position, kv->layers[layer].head_k);
}

guint8 *
facet_cpu_kv_v (const FacetKv *kv, int layer, int head, int position)
{
  return row_at (kv, kv->v[layer], layer, head, position, kv->layers[layer].head_v);
}

gboolean
facet_cpu_kv_copy (FacetKv *kv, int layer, int from, int n, gboolean into, guint8 *rows, GError **error)
{
  const FacetKvLayer *l = &kv->layers[layer];

  for (int value = 0; value < 2; value++)
    for (int head = 0; head < l->n_kv; head++) {
      guint8 *here = value ? facet_cpu_kv_v (kv, layer, head, from) : facet_cpu_kv_k (kv, layer, head, from);
      gsize bytes = (gsize) n * facet_kv_row_bytes (kv->type, value ? l->head_v : l->head_k);

      memcpy (into ? here : rows, into ? rows : here, bytes);
      rows += bytes;
    }
  return TRUE;
}
