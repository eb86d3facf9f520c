/* Gemma 4: as Gemma 3 with per-layer embeddings, layers that share the keys and
 * values of an earlier one, other heads in sliding and full layers, normalised
 * values, unscaled scores and, in one of them, a mixture of experts beside the
 * feed-forward part. Definition: transformers, models/gemma4. */
#include "models/family.h"
#include "models/loader.h"
#include "models/per-layer.h"
#include "models/shared-kv.h"
#include "models/stem.h"

#include <math.h>

typedef struct {
  const FacetTensor *router_gain, *router, *norm, *post_norm, *post_dense_norm, *down, *scale;
  FacetTensor gate, up;  /* views of one tensor, or copies of two */
  int   stride;          /* rows from expert to expert of these */
} Experts;

typedef struct {
  const FacetTensor *attn_norm, *post_attn_norm;
  const FacetTensor *ffn_norm, *gate, *up, *down, *post_ffn_norm;
  const FacetTensor *inp_gate, *proj, *post_norm;  /* of the per-layer embeddings */
  int   ffn;
  float scale;   /* of the block's output */
  Experts *experts;
} Layer;

typedef struct {
  FacetDecoder base;
  int   n_experts, n_chosen;
  float eps;
  FacetStem stem;
  FacetSharedKv attention;
  FacetPerLayer per_layer;
  Layer *layers;
  GPtrArray *owned;
} Gemma4;

static void
read_hyper_parameters (Gemma4 *m, FacetLoader *loader)
{
  FacetDecoder *d = &m->base;

  d->width = facet_loader_int (loader, "embedding_length", 32, 1 << 16);
  d->n_layers = facet_loader_int (loader, "block_count", 1, 1024);
  d->context_length = facet_loader_int (loader, "context_length", 1, 1 << 24);
  d->embed_scale = sqrtf ((float) d->width);
  m->n_experts = facet_loader_int_or (loader, "expert_count", 0, 1024, 0);
  m->n_chosen = m->n_experts > 0 ? facet_loader_int (loader, "expert_used_count", 1, m->n_experts) : 0;
}

static Experts *
read_experts (Gemma4 *m, FacetLoader *l, int i)
{
  Experts *e = g_new0 (Experts, 1);
  int d = m->base.width, n = m->n_experts, f = facet_loader_int_at (l, "expert_feed_forward_length", i, 32, 1 << 20);

  e->router = facet_loader_matrix (l, d, n, "blk.%d.ffn_gate_inp.weight", i);
  e->router_gain = facet_loader_vector (l, d, "blk.%d.ffn_gate_inp.scale", i);
  e->norm = facet_loader_vector (l, d, "blk.%d.pre_ffw_norm_2.weight", i);
  e->post_norm = facet_loader_vector (l, d, "blk.%d.post_ffw_norm_2.weight", i);
  e->post_dense_norm = facet_loader_vector (l, d, "blk.%d.post_ffw_norm_1.weight", i);
  e->down = facet_loader_matrices (l, f, d, n, "blk.%d.ffn_down_exps.weight", i);
  if (facet_loader_has (l, "blk.%d.ffn_down_exps.scale", i))
    e->scale = facet_loader_vector (l, n, "blk.%d.ffn_down_exps.scale", i);
  if (facet_loader_has (l, "blk.%d.ffn_gate_up_exps.weight", i)) {
    const FacetTensor *both = facet_loader_matrices (l, d, 2 * f, n, "blk.%d.ffn_gate_up_exps.weight", i);

    e->stride = 2 * f;
    if (both != NULL) {
      e->gate = e->up = *both;
      e->gate.ne[1] = e->up.ne[1] = f;
      e->up.data = (const guint8 *) both->data + (gsize) f * facet_dtype_row_bytes (both->dtype, (gsize) d);
    }
  } else {
    const FacetTensor *gate = facet_loader_matrices (l, d, f, n, "blk.%d.ffn_gate_exps.weight", i);
    const FacetTensor *up = facet_loader_matrices (l, d, f, n, "blk.%d.ffn_up_exps.weight", i);

    e->stride = f;
    if (gate != NULL && up != NULL) {
      e->gate = *gate;
      e->up = *up;
    }
  }
  return e;
}

static void
read_layer (Gemma4 *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  int d = m->base.width, p = m->per_layer.width;
  const FacetTensor *scale;

  layer->attn_norm = facet_loader_vector (l, d, "blk.%d.attn_norm.weight", i);
  layer->post_attn_norm = facet_loader_vector (l, d, "blk.%d.post_attention_norm.weight", i);
  layer->ffn = facet_loader_int_at (l, "feed_forward_length", i, 32, 1 << 20);
  layer->ffn_norm = facet_loader_vector (l, d, "blk.%d.ffn_norm.weight", i);
  layer->gate = facet_loader_matrix (l, d, layer->ffn, "blk.%d.ffn_gate.weight", i);
  layer->up = facet_loader_matrix (l, d, layer->ffn, "blk.%d.ffn_up.weight", i);
  layer->down = facet_loader_matrix (l, layer->ffn, d, "blk.%d.ffn_down.weight", i);
  layer->post_ffn_norm = facet_loader_vector (l, d, "blk.%d.post_ffw_norm.weight", i);
  if (p > 0) {
    layer->inp_gate = facet_loader_matrix (l, d, p, "blk.%d.inp_gate.weight", i);
    layer->proj = facet_loader_matrix (l, p, d, "blk.%d.proj.weight", i);
    layer->post_norm = facet_loader_vector (l, d, "blk.%d.post_norm.weight", i);
  }
  if (facet_loader_has (l, "blk.%d.ffn_gate_inp.weight", i)) {
    if (m->n_experts == 0)
      facet_loader_fault (l, "tensor blk.%d.ffn_gate_inp.weight without key gemma4.expert_count", i);
    else
      layer->experts = read_experts (m, l, i);
  }
  layer->scale = 1;
  if (facet_loader_has (l, "blk.%d.layer_output_scale.weight", i)
      && (scale = facet_loader_vector (l, 1, "blk.%d.layer_output_scale.weight", i)) != NULL)
    layer->scale = *(const float *) scale->data;
}

static void
gemma4_free (FacetDecoder *decoder)
{
  Gemma4 *m = (Gemma4 *) decoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  facet_shared_kv_clear (&m->attention);
  g_free (m->base.kv_layers);
  if (m->layers != NULL)
    for (int i = 0; i < decoder->n_layers; i++)
      g_free (m->layers[i].experts);
  g_free (m->layers);
  g_free (m);
}

static int
dense (Gemma4 *m, FacetGraph *g, const Layer *l, int h)
{
  int x = facet_g_rms_norm (g, h, l->ffn_norm, m->base.width, m->eps);
  int gate = facet_g_matmul (g, x, l->gate, NULL), up = facet_g_matmul (g, x, l->up, NULL);

  return facet_g_matmul (g, facet_g_geglu (g, gate, up), l->down, NULL);
}

/* The router looks at the residual itself, normalised on its own. */
static int
mixture (Gemma4 *m, FacetGraph *g, const Experts *e, int h)
{
  int d = m->base.width, x, route;

  x = facet_g_scale (g, facet_g_rms_norm (g, h, e->router_gain, d, m->eps), 1 / sqrtf ((float) d));
  route = facet_g_route (g, facet_g_matmul (g, x, e->router, NULL), m->n_chosen, e->scale);
  x = facet_g_rms_norm (g, h, e->norm, d, m->eps);
  x = facet_g_experts_up (g, x, route, &e->gate, &e->up, e->stride);
  return facet_g_rms_norm (g, facet_g_experts_down (g, x, route, e->down), e->post_norm, d, m->eps);
}

static int
feed_forward (Gemma4 *m, FacetGraph *g, const Layer *l, int h)
{
  int x = dense (m, g, l, h);

  if (l->experts != NULL)
    x = facet_g_add (g, facet_g_rms_norm (g, x, l->experts->post_dense_norm, m->base.width, m->eps),
                     mixture (m, g, l->experts, h));
  return facet_g_rms_norm (g, x, l->post_ffn_norm, m->base.width, m->eps);
}

/* @before, @from: per-layer embeddings on either side of the split. */
static int
block (Gemma4 *m, FacetGraph *g, int i, int h, int before, int from, gboolean to_outputs)
{
  const Layer *l = &m->layers[i];
  int d = m->base.width, x = facet_g_rms_norm (g, h, l->attn_norm, d, m->eps);

  facet_shared_kv_store (&m->attention, g, i, x);
  if (to_outputs) {
    x = facet_g_outputs (g, x);
    h = facet_g_outputs (g, h);
  }
  x = facet_shared_kv_read (&m->attention, g, i, x);
  h = facet_g_add (g, h, facet_g_rms_norm (g, x, l->post_attn_norm, d, m->eps));
  h = facet_g_add (g, h, feed_forward (m, g, l, h));
  if (m->per_layer.width > 0) {
    x = facet_g_matmul (g, h, l->inp_gate, NULL);
    x = facet_g_geglu (g, x, facet_per_layer_of (&m->per_layer, g, before, from, i));
    x = facet_g_rms_norm (g, facet_g_matmul (g, x, l->proj, NULL), l->post_norm, d, m->eps);
    h = facet_g_add (g, h, x);
  }
  return l->scale != 1 ? facet_g_scale (g, h, l->scale) : h;
}

/* Rows whose logits are not wanted end once the last keys and values are
 * stored: nothing above reads them. */
static FacetGraph *
gemma4_build (FacetDecoder *decoder, FacetBuild what)
{
  Gemma4 *m = (Gemma4 *) decoder;
  FacetGraph *g = facet_graph_new ();
  gboolean all_rows = (what & FACET_BUILD_ALL_ROWS) != 0, mark = (what & FACET_BUILD_MARK_LAYERS) != 0;
  int h = facet_g_embed (g, m->stem.embed, decoder->embed_scale), before = -1, from = -1;

  if (mark)
    facet_graph_mark_layer (g, h, -1);
  if (m->per_layer.width > 0) {
    before = facet_per_layer_before (&m->per_layer, g, h);
    from = facet_per_layer_from (&m->per_layer, g, all_rows ? h : facet_g_outputs (g, h));
  }
  for (int i = 0; i < decoder->n_layers; i++) {
    facet_graph_begin_block (g, i);
    h = block (m, g, i, h, before, from, !all_rows && i == m->attention.n_own - 1);
    if (mark)
      facet_graph_mark_layer (g, h, i);
  }
  facet_graph_begin_block (g, decoder->n_layers);
  if (all_rows)
    h = facet_g_outputs (g, h);
  facet_stem_finish (&m->stem, g, h, m->eps);
  return g;
}

static void
read_tensors (Gemma4 *m, FacetLoader *l)
{
  FacetDecoder *d = &m->base;
  const FacetTensor *divisors;

  facet_stem_load (&m->stem, l, d);
  facet_shared_kv_load (&m->attention, l, d);
  m->eps = m->attention.eps;
  divisors = facet_loader_vector (l, m->attention.full.head / 2, "rope_freqs.weight");
  m->attention.full.divisors = divisors != NULL ? divisors->data : NULL;
  facet_per_layer_load (&m->per_layer, l, d->width, d->n_layers, m->attention.n_own - 1, m->eps);
  d->lookup = m->per_layer.table;
  /* The file does not say; of the released models, those without per-layer embeddings see pictures so. */
  d->image_spans = m->per_layer.width == 0;
  m->layers = g_new0 (Layer, d->n_layers);
  for (int i = 0; i < d->n_layers; i++)
    read_layer (m, l, i);
}

static FacetDecoder *
gemma4_load (FacetGguf *gguf, GError **error)
{
  Gemma4 *m = g_new0 (Gemma4, 1);
  FacetDecoder *d = &m->base;
  FacetLoader loader;

  d->klass = &facet_family_gemma4;
  d->build = gemma4_build;
  d->free = gemma4_free;
  facet_loader_init (&loader, gguf, "gemma4");
  read_hyper_parameters (m, &loader);
  read_tensors (m, &loader);
  if (!facet_loader_finish (&loader, &m->owned, error)) {
    gemma4_free (d);
    return NULL;
  }
  return d;
}

const FacetFamilyClass facet_family_gemma4 = {
  .family = FACET_FAMILY_GEMMA4,
  .architecture = "gemma4",
  .load = gemma4_load,
};
