#include "backend/backend.h"

int
facet_kv_layer_length (const FacetKvLayer *layer, int context, int max_step)
{
  gint64 ring;

  if (layer->window == 0)
    return context;
  /* The keys of the first row's window must survive the storing of the step's last row. */
  ring = ((gint64) layer->window + max_step + 63) / 64 * 64;
  return (int) MIN ((gint64) context, ring);
}

FacetDtype
facet_kv_dtype (FacetKvType type)
{
  return type == FACET_KV_F16 ? FACET_F16 : type == FACET_KV_Q8_0 ? FACET_Q8_0 : FACET_F32;
}

gsize
facet_kv_row_bytes (FacetKvType type, int head)
{
  return facet_dtype_row_bytes (facet_kv_dtype (type), (gsize) head);
}

gsize
facet_kv_bytes (const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type)
{
  gsize total = 0;

  for (int l = 0; l < n_layers; l++) {
    gsize rows = (gsize) facet_kv_layer_length (&layers[l], context, max_step) * layers[l].n_kv;

    total += rows * (facet_kv_row_bytes (type, layers[l].head_k) + facet_kv_row_bytes (type, layers[l].head_v));
  }
  return total;
}
