#include "models/per-layer.h"

#include <math.h>

void
facet_per_layer_load (FacetPerLayer *p, FacetLoader *loader, int input_width, int n_layers, int split, float eps)
{
  const FacetTensor *table = facet_gguf_tensor (loader->gguf, "per_layer_token_embd.weight"), *proj;
  gint64 rows = table != NULL ? CLAMP (table->ne[1], 1, G_MAXINT32) : 1;

  *p = (FacetPerLayer) { .n_layers = n_layers, .split = split, .eps = eps, .input_width = (float) input_width };
  p->width = facet_loader_int_or (loader, "embedding_length_per_layer_input", 0, 1 << 14, 0);
  if (p->width == 0)
    return;
  p->table = facet_loader_matrix (loader, (gint64) p->width * n_layers, rows, "per_layer_token_embd.weight");
  p->norm = facet_loader_vector (loader, p->width, "per_layer_proj_norm.weight");
  proj = facet_loader_matrix (loader, input_width, (gint64) p->width * n_layers, "per_layer_model_proj.weight");
  if (proj == NULL)
    return;
  p->proj_before = facet_tensor_rows (proj, 0, (gint64) p->width * split);
  p->proj_from = facet_tensor_rows (proj, (gint64) p->width * split, (gint64) p->width * (n_layers - split));
}

static int
inputs (const FacetPerLayer *p, FacetGraph *g, int x0, const FacetTensor *proj, int first, int n)
{
  int b = facet_g_matmul (g, x0, proj, NULL), a;

  a = facet_g_lookup (g, p->table, facet_graph_node (g, x0)->rows, first * p->width, n * p->width,
                      sqrtf ((float) p->width));
  b = facet_g_rms_norm (g, facet_g_scale (g, b, 1 / sqrtf (p->input_width)), p->norm, p->width, p->eps);
  return facet_g_scale (g, facet_g_add (g, a, b), (float) G_SQRT2 / 2);
}

int
facet_per_layer_before (const FacetPerLayer *p, FacetGraph *g, int x0)
{
  return p->split > 0 ? inputs (p, g, x0, &p->proj_before, 0, p->split) : -1;
}

int
facet_per_layer_from (const FacetPerLayer *p, FacetGraph *g, int x0)
{
  return inputs (p, g, x0, &p->proj_from, p->split, p->n_layers - p->split);
}

int
facet_per_layer_of (const FacetPerLayer *p, FacetGraph *g, int before, int from, int layer)
{
  return layer < p->split ? facet_g_columns (g, before, layer * p->width, p->width)
                          : facet_g_columns (g, from, (layer - p->split) * p->width, p->width);
}
