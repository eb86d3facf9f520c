/* Gemma 3n: four residual streams of which one is computed (AltUp, arXiv
 * 2301.13310), learned low-rank residuals (LAuReL, arXiv 2411.07501), sparse
 * activations, per-layer embeddings, layers that share keys and values. Models
 * nested in larger ones (MatFormer, arXiv 2310.07707) are files with fewer
 * layers and narrower feed-forwards. Definition: transformers, models/gemma3n. */
#include "models/family.h"
#include "models/loader.h"
#include "models/per-layer.h"
#include "models/stem.h"

#include <math.h>

#define MAX_STREAMS 8

typedef struct {
  const FacetTensor *attn_norm, *q, *k, *v, *q_norm, *k_norm, *out, *post_attn_norm;
  const FacetTensor *ffn_norm, *gate, *up, *down, *post_ffn_norm;
  const FacetTensor *laurel_l, *laurel_r, *laurel_norm;
  const FacetTensor *router, *router_norm, *predict, *correct;
  const FacetTensor *correct_scale;                /* as one row */
  const FacetTensor *inp_gate, *proj, *post_norm;  /* of the per-layer embeddings */
  gboolean sliding, own_kv;
  int   ffn;
  int   cache;     /* whose keys and values it reads */
  float sparsity;  /* deviations above the mean that a gate must exceed; -INFINITY: all pass */
} Layer;

typedef struct {
  FacetDecoder base;
  int   n_head, n_kv, head, window;
  int   n_own;                /* layers 0 .. n_own - 1 have keys and values of their own */
  int   n_streams, active;
  float eps;
  FacetRope rope_full, rope_sliding;
  FacetStem stem;
  FacetTensor into[MAX_STREAMS], out_of[MAX_STREAMS]; /* of streams 1 .. n_streams - 1 */
  FacetPerLayer per_layer;
  Layer *layers;
  GPtrArray *owned;
} Gemma3n;

/* ---- reading the file ---- */

static void
read_hyper_parameters (Gemma3n *m, FacetLoader *loader)
{
  FacetDecoder *d = &m->base;
  const char *scaling = facet_gguf_get_string (loader->gguf, "gemma3n.rope.scaling.type");

  d->width = facet_loader_int (loader, "embedding_length", 32, 1 << 16);
  d->n_layers = facet_loader_int (loader, "block_count", 1, 1024);
  d->context_length = facet_loader_int (loader, "context_length", 1, 1 << 24);
  d->embed_scale = sqrtf ((float) d->width);
  m->n_head = facet_loader_int (loader, "attention.head_count", 1, 1024);
  m->n_kv = facet_loader_int_or (loader, "attention.head_count_kv", 1, 1024, m->n_head);
  m->head = facet_loader_int_or (loader, "attention.key_length", 2, 1024, 256);
  m->window = facet_loader_int (loader, "attention.sliding_window", 1, 1 << 24);
  m->n_own = d->n_layers - facet_loader_int_or (loader, "attention.shared_kv_layers", 0, d->n_layers - 1, 0);
  m->n_streams = facet_loader_int_or (loader, "altup.num_inputs", 2, MAX_STREAMS, 4);
  m->active = facet_loader_int_or (loader, "altup.active_idx", 0, m->n_streams - 1, 0);
  m->eps = facet_loader_float_or (loader, "attention.layer_norm_rms_epsilon", 1e-6f);
  if (facet_loader_int_or (loader, "attention.value_length", 1, 1024, m->head) != m->head)
    facet_loader_fault (loader, "key gemma3n.attention.value_length differs from key_length, which is %d", m->head);
  if (m->head % 2 != 0)
    facet_loader_fault (loader, "key gemma3n.attention.key_length is %d, not even", m->head);
  if (m->n_head % m->n_kv != 0)
    facet_loader_fault (loader, "%d query heads do not divide among %d key/value heads", m->n_head, m->n_kv);
  if (scaling != NULL && g_strcmp0 (scaling, "none") != 0)
    facet_loader_fault (loader, "key gemma3n.rope.scaling.type is \"%s\", none is known", scaling);
  m->rope_full = (FacetRope) { .base = facet_loader_float_or (loader, "rope.freq_base", 1e6f), .scale = 1, .head = m->head };
  m->rope_sliding = (FacetRope) { .base = facet_loader_float_or (loader, "rope.freq_base_swa", 1e4f), .scale = 1, .head = m->head };
}

/* The last layer of the same kind that has keys and values of its own. */
static int
cache_of (Gemma3n *m, FacetLoader *l, int i)
{
  int from = MIN (i, m->n_own - 1);

  while (from >= 0 && m->layers[from].sliding != m->layers[i].sliding)
    from--;
  if (from < 0)
    facet_loader_fault (l, "layer %d shares keys and values, but no layer of its kind has any", i);
  return MAX (from, 0);
}

static void
read_attention (Gemma3n *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  int d = m->base.width, q = m->n_head * m->head, kv = m->n_kv * m->head;
  gint64 sliding = 0;

  if (!facet_gguf_array_i64 (l->gguf, "gemma3n.attention.sliding_window_pattern", (gsize) i, &sliding))
    facet_loader_fault (l, "key gemma3n.attention.sliding_window_pattern does not say of which kind layer %d is", i);
  layer->sliding = sliding != 0;
  layer->own_kv = i < m->n_own;
  layer->cache = cache_of (m, l, i);
  layer->attn_norm = facet_loader_vector (l, d, "blk.%d.attn_norm.weight", i);
  layer->q = facet_loader_matrix (l, d, q, "blk.%d.attn_q.weight", i);
  layer->q_norm = facet_loader_vector (l, m->head, "blk.%d.attn_q_norm.weight", i);
  layer->out = facet_loader_matrix (l, q, d, "blk.%d.attn_output.weight", i);
  layer->post_attn_norm = facet_loader_vector (l, d, "blk.%d.post_attention_norm.weight", i);
  if (!layer->own_kv)
    return;
  layer->k = facet_loader_matrix (l, d, kv, "blk.%d.attn_k.weight", i);
  layer->v = facet_loader_matrix (l, d, kv, "blk.%d.attn_v.weight", i);
  layer->k_norm = facet_loader_vector (l, m->head, "blk.%d.attn_k_norm.weight", i);
}

static void
read_feed_forward (Gemma3n *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  int d = m->base.width;

  layer->sparsity = -INFINITY;
  if (facet_gguf_has_key (l->gguf, "gemma3n.activation_sparsity_scale")
      && (!facet_gguf_array_f32 (l->gguf, "gemma3n.activation_sparsity_scale", (gsize) i, &layer->sparsity)
          || !(layer->sparsity < INFINITY)))
    facet_loader_fault (l, "key gemma3n.activation_sparsity_scale has no number for layer %d", i);
  layer->ffn = facet_loader_int_at (l, "feed_forward_length", i, 32, 1 << 20);
  layer->ffn_norm = facet_loader_vector (l, d, "blk.%d.ffn_norm.weight", i);
  layer->gate = facet_loader_matrix (l, d, layer->ffn, "blk.%d.ffn_gate.weight", i);
  layer->up = facet_loader_matrix (l, d, layer->ffn, "blk.%d.ffn_up.weight", i);
  layer->down = facet_loader_matrix (l, layer->ffn, d, "blk.%d.ffn_down.weight", i);
  layer->post_ffn_norm = facet_loader_vector (l, d, "blk.%d.post_ffw_norm.weight", i);
}

/* Streams, low-rank residual, per-layer embedding. */
static void
read_side_paths (Gemma3n *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  g_autofree char *name = g_strdup_printf ("blk.%d.laurel_l.weight", i);
  const FacetTensor *laurel = facet_gguf_tensor (l->gguf, name);
  gint64 rank = laurel != NULL ? CLAMP (laurel->ne[1], 1, 1 << 16) : 1;
  int d = m->base.width, n = m->n_streams, p = m->per_layer.width;

  layer->laurel_l = facet_loader_matrix (l, d, rank, "blk.%d.laurel_l.weight", i);
  layer->laurel_r = facet_loader_matrix (l, rank, d, "blk.%d.laurel_r.weight", i);
  layer->laurel_norm = facet_loader_vector (l, d, "blk.%d.laurel_post_norm.weight", i);
  layer->router = facet_loader_matrix (l, d, n, "blk.%d.altup_router.weight", i);
  layer->router_norm = facet_loader_vector (l, d, "blk.%d.altup_router_norm.weight", i);
  layer->predict = facet_loader_matrix (l, n, n * n, "blk.%d.altup_predict_coef.weight", i);
  layer->correct = facet_loader_matrix (l, n, n, "blk.%d.altup_correct_coef.weight", i);
  layer->correct_scale = facet_loader_vector (l, d, "blk.%d.altup_correct_scale.weight", i);
  layer->inp_gate = facet_loader_matrix (l, d, p, "blk.%d.inp_gate.weight", i);
  layer->proj = facet_loader_matrix (l, p, d, "blk.%d.proj.weight", i);
  layer->post_norm = facet_loader_vector (l, d, "blk.%d.post_norm.weight", i);
}

/* One matrix a stream that is not the first. */
static void
read_streams (Gemma3n *m, FacetLoader *l, const char *name, FacetTensor *matrices)
{
  const FacetTensor *all = facet_loader_matrices (l, m->base.width, m->base.width, m->n_streams - 1, "%s", name);

  for (int i = 1; all != NULL && i < m->n_streams; i++)
    matrices[i] = facet_tensor_plane (all, i - 1);
}

static void
read_tensors (Gemma3n *m, FacetLoader *l)
{
  FacetDecoder *d = &m->base;

  facet_stem_load (&m->stem, l, d);
  read_streams (m, l, "altup_proj.weight", m->into);
  read_streams (m, l, "altup_unembd_proj.weight", m->out_of);
  facet_per_layer_load (&m->per_layer, l, d->width, d->n_layers, m->n_own - 1, m->eps);
  if (m->per_layer.width == 0)
    facet_loader_fault (l, "key gemma3n.embedding_length_per_layer_input is missing or 0");
  d->lookup = m->per_layer.table;
  m->layers = g_new0 (Layer, d->n_layers);
  for (int i = 0; i < d->n_layers; i++) {
    read_attention (m, l, i);
    read_feed_forward (m, l, i);
    read_side_paths (m, l, i);
  }
}

static void
gemma3n_free (FacetDecoder *decoder)
{
  Gemma3n *m = (Gemma3n *) decoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  g_free (m->base.kv_layers);
  g_free (m->layers);
  g_free (m);
}

/* ---- the graph ---- */

/* tanh (router (norm (x) / width)): what mixes the streams. */
static int
modalities (Gemma3n *m, FacetGraph *g, const Layer *l, int x)
{
  int d = m->base.width;
  int normed = facet_g_scale (g, facet_g_rms_norm (g, x, l->router_norm, d, m->eps), 1.0f / (float) d);

  return facet_g_softcap (g, facet_g_matmul (g, normed, l->router, NULL), 1);
}

/* All streams side by side. */
static int
spread (Gemma3n *m, FacetGraph *g, int x0)
{
  int streams = x0;

  for (int i = 1; i < m->n_streams; i++)
    streams = facet_g_concat (g, streams, facet_g_match_rms (g, facet_g_matmul (g, x0, &m->into[i], NULL), x0));
  return streams;
}

static int
gather (Gemma3n *m, FacetGraph *g, int streams)
{
  int d = m->base.width, first = facet_g_columns (g, streams, 0, d), sum = first;

  for (int i = 1; i < m->n_streams; i++) {
    int x = facet_g_matmul (g, facet_g_columns (g, streams, i * d, d), &m->out_of[i], NULL);

    sum = facet_g_add (g, sum, facet_g_match_rms (g, x, first));
  }
  return facet_g_scale (g, sum, 1.0f / (float) m->n_streams);
}

/* Keys and values of the layer, stored for it and for those that share them. */
static void
keys_and_values (Gemma3n *m, FacetGraph *g, const Layer *l, int normed, const FacetRope *rope)
{
  int k = facet_g_matmul (g, normed, l->k, NULL), v = facet_g_matmul (g, normed, l->v, NULL);

  k = facet_g_rope (g, facet_g_rms_norm (g, k, l->k_norm, m->head, m->eps), rope);
  v = facet_g_rms_norm (g, v, NULL, m->head, m->eps);
  facet_g_kv_store (g, k, v, l->cache);
}

static int
attention (Gemma3n *m, FacetGraph *g, const Layer *l, int normed, const FacetRope *rope)
{
  FacetAttention at = { .cache = l->cache, .n_head = m->n_head, .n_kv = m->n_kv, .head_k = m->head, .head_v = m->head,
                        .window = l->sliding ? m->window : 0, .scale = 1, .causal = TRUE };
  int q = facet_g_matmul (g, normed, l->q, NULL);

  q = facet_g_rope (g, facet_g_rms_norm (g, q, l->q_norm, m->head, m->eps), rope);
  return facet_g_matmul (g, facet_g_attention (g, q, -1, -1, &at), l->out, NULL);
}

static int
laurel (Gemma3n *m, FacetGraph *g, const Layer *l, int normed)
{
  int x = facet_g_matmul (g, facet_g_matmul (g, normed, l->laurel_l, NULL), l->laurel_r, NULL);

  return facet_g_add (g, normed, facet_g_rms_norm (g, x, l->laurel_norm, m->base.width, m->eps));
}

static int
feed_forward (FacetGraph *g, const Layer *l, int x)
{
  int gate = facet_g_matmul (g, x, l->gate, NULL), up = facet_g_matmul (g, x, l->up, NULL);

  if (isfinite (l->sparsity))
    gate = facet_g_gaussian_topk (g, gate, l->sparsity);
  return facet_g_matmul (g, facet_g_geglu (g, gate, up), l->down, NULL);
}

/* What the block makes of its input @h, the active stream's prediction. */
static int
activate (Gemma3n *m, FacetGraph *g, const Layer *l, int h, int normed, const FacetRope *rope)
{
  int d = m->base.width, residual = laurel (m, g, l, normed);
  int x = facet_g_rms_norm (g, attention (m, g, l, normed, rope), l->post_attn_norm, d, m->eps);

  h = facet_g_scale (g, facet_g_add (g, facet_g_add (g, h, x), residual), (float) G_SQRT2 / 2);
  x = feed_forward (g, l, facet_g_rms_norm (g, h, l->ffn_norm, d, m->eps));
  return facet_g_add (g, h, facet_g_rms_norm (g, x, l->post_ffn_norm, d, m->eps));
}

/* @p: the layer's per-layer embedding. */
static int
block (Gemma3n *m, FacetGraph *g, int i, int streams, int p, gboolean to_outputs)
{
  const Layer *l = &m->layers[i];
  const FacetRope *rope = l->sliding ? &m->rope_sliding : &m->rope_full;
  int d = m->base.width, at = m->active * d, coefficients, h, normed, x;

  coefficients = facet_g_matmul (g, modalities (m, g, l, facet_g_columns (g, streams, at, d)), l->predict, NULL);
  streams = facet_g_altup_predict (g, streams, coefficients, m->n_streams);
  h = facet_g_columns (g, streams, at, d);
  normed = facet_g_rms_norm (g, h, l->attn_norm, d, m->eps);
  if (l->own_kv)
    keys_and_values (m, g, l, normed, rope);
  if (to_outputs) {
    streams = facet_g_outputs (g, streams);
    h = facet_g_outputs (g, h);
    normed = facet_g_outputs (g, normed);
  }
  x = activate (m, g, l, h, normed, rope);
  streams = facet_g_altup_correct (g, streams, x, facet_g_matmul (g, modalities (m, g, l, x), l->correct, NULL), m->active);

  x = facet_g_mul (g, facet_g_columns (g, streams, at, d), facet_g_table (g, l->correct_scale));
  x = facet_g_geglu (g, facet_g_matmul (g, x, l->inp_gate, NULL), p);
  x = facet_g_rms_norm (g, facet_g_matmul (g, x, l->proj, NULL), l->post_norm, d, m->eps);
  return facet_g_altup_inject (g, streams, x);
}

/* Rows whose logits are not wanted end once the last keys and values are
 * stored: nothing above reads them. */
static FacetGraph *
gemma3n_build (FacetDecoder *decoder, FacetBuild what)
{
  Gemma3n *m = (Gemma3n *) decoder;
  FacetGraph *g = facet_graph_new ();
  gboolean all_rows = (what & FACET_BUILD_ALL_ROWS) != 0, mark = (what & FACET_BUILD_MARK_LAYERS) != 0;
  int h = facet_g_embed (g, m->stem.embed, decoder->embed_scale), before, from, streams;

  if (mark)
    facet_graph_mark_layer (g, h, -1);
  before = facet_per_layer_before (&m->per_layer, g, h);
  from = facet_per_layer_from (&m->per_layer, g, all_rows ? h : facet_g_outputs (g, h));
  streams = spread (m, g, h);
  for (int i = 0; i < decoder->n_layers; i++) {
    facet_graph_begin_block (g, i);
    streams = block (m, g, i, streams, facet_per_layer_of (&m->per_layer, g, before, from, i),
                     !all_rows && i == m->n_own - 1);
    if (mark)
      facet_graph_mark_layer (g, streams, i);
  }
  facet_graph_begin_block (g, decoder->n_layers);
  if (all_rows)
    streams = facet_g_outputs (g, streams);
  facet_stem_finish (&m->stem, g, gather (m, g, streams), m->eps);
  return g;
}

static FacetDecoder *
gemma3n_load (FacetGguf *gguf, GError **error)
{
  Gemma3n *m = g_new0 (Gemma3n, 1);
  FacetDecoder *d = &m->base;
  FacetLoader loader;

  d->klass = &facet_family_gemma3n;
  d->build = gemma3n_build;
  d->free = gemma3n_free;
  facet_loader_init (&loader, gguf, "gemma3n");
  read_hyper_parameters (m, &loader);
  read_tensors (m, &loader);
  d->n_kv_layers = m->n_own;
  d->kv_layers = g_new0 (FacetKvLayer, d->n_kv_layers);
  for (int i = 0; i < d->n_kv_layers; i++)
    d->kv_layers[i] = (FacetKvLayer) { .n_kv = m->n_kv, .head_k = m->head, .head_v = m->head,
                                       .window = m->layers[i].sliding ? m->window : 0 };
  if (!facet_loader_finish (&loader, &m->owned, error)) {
    gemma3n_free (d);
    return NULL;
  }
  return d;
}

const FacetFamilyClass facet_family_gemma3n = {
  .family = FACET_FAMILY_GEMMA3N,
  .architecture = "gemma3n",
  .load = gemma3n_load,
};
