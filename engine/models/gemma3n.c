/* Gemma 3n: four residual streams of which one is computed (AltUp, arXiv
 * 2301.13310), learned low-rank residuals (LAuReL, arXiv 2411.07501), sparse
 * activations, per-layer embeddings, layers that share keys and values. Models
 * nested in larger ones (MatFormer, arXiv 2310.07707) are files with fewer
 * layers and narrower feed-forwards. Definition: transformers, models/gemma3n. */
#include "models/family.h"
#include "models/loader.h"
#include "models/per-layer.h"
#include "models/shared-kv.h"
#include "models/stem.h"

#include <math.h>

#define MAX_STREAMS 8

typedef struct {
  const FacetTensor *attn_norm, *post_attn_norm;
  const FacetTensor *ffn_norm, *gate, *up, *down, *post_ffn_norm;
  const FacetTensor *laurel_l, *laurel_r, *laurel_norm;
  const FacetTensor *router, *router_norm, *predict, *correct;
  const FacetTensor *correct_scale;                /* as one row */
  const FacetTensor *inp_gate, *proj, *post_norm;  /* of the per-layer embeddings */
  int   ffn;
  float sparsity;  /* deviations above the mean that a gate must exceed; -INFINITY: all pass */
} Layer;

typedef struct {
  FacetDecoder base;
  int   n_streams, active;
  float eps;
  FacetStem stem;
  FacetSharedKv attention;
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

  d->width = facet_loader_int (loader, "embedding_length", 32, 1 << 16);
  d->n_layers = facet_loader_int (loader, "block_count", 1, 1024);
  d->context_length = facet_loader_int (loader, "context_length", 1, 1 << 24);
  d->embed_scale = sqrtf ((float) d->width);
  m->n_streams = facet_loader_int_or (loader, "altup.num_inputs", 2, MAX_STREAMS, 4);
  m->active = facet_loader_int_or (loader, "altup.active_idx", 0, m->n_streams - 1, 0);
}

/* The norms of the block and its feed-forward part. */
static void
read_block (Gemma3n *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  int d = m->base.width;

  layer->sparsity = -INFINITY;
  if (facet_gguf_has_key (l->gguf, "gemma3n.activation_sparsity_scale")
      && (!facet_gguf_array_f32 (l->gguf, "gemma3n.activation_sparsity_scale", (gsize) i, &layer->sparsity)
          || !(layer->sparsity < INFINITY)))
    facet_loader_fault (l, "key gemma3n.activation_sparsity_scale has no number for layer %d", i);
  layer->ffn = facet_loader_int_at (l, "feed_forward_length", i, 32, 1 << 20);
  layer->attn_norm = facet_loader_vector (l, d, "blk.%d.attn_norm.weight", i);
  layer->post_attn_norm = facet_loader_vector (l, d, "blk.%d.post_attention_norm.weight", i);
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
  facet_shared_kv_load (&m->attention, l, d);
  m->eps = m->attention.eps;
  read_streams (m, l, "altup_proj.weight", m->into);
  read_streams (m, l, "altup_unembd_proj.weight", m->out_of);
  facet_per_layer_load (&m->per_layer, l, d->width, d->n_layers, m->attention.n_own - 1, m->eps);
  if (m->per_layer.width == 0)
    facet_loader_fault (l, "key gemma3n.embedding_length_per_layer_input is missing or 0");
  d->lookup = m->per_layer.table;
  m->layers = g_new0 (Layer, d->n_layers);
  for (int i = 0; i < d->n_layers; i++) {
    read_block (m, l, i);
    read_side_paths (m, l, i);
  }
}

static void
gemma3n_free (FacetDecoder *decoder)
{
  Gemma3n *m = (Gemma3n *) decoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  facet_shared_kv_clear (&m->attention);
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
activate (Gemma3n *m, FacetGraph *g, int i, int h, int normed)
{
  const Layer *l = &m->layers[i];
  int d = m->base.width, residual = laurel (m, g, l, normed);
  int x = facet_g_rms_norm (g, facet_shared_kv_read (&m->attention, g, i, normed), l->post_attn_norm, d, m->eps);

  h = facet_g_scale (g, facet_g_add (g, facet_g_add (g, h, x), residual), (float) G_SQRT2 / 2);
  x = feed_forward (g, l, facet_g_rms_norm (g, h, l->ffn_norm, d, m->eps));
  return facet_g_add (g, h, facet_g_rms_norm (g, x, l->post_ffn_norm, d, m->eps));
}

/* @p: the layer's per-layer embedding. */
static int
block (Gemma3n *m, FacetGraph *g, int i, int streams, int p, gboolean to_outputs)
{
  const Layer *l = &m->layers[i];
  int d = m->base.width, at = m->active * d, coefficients, h, normed, x;

  coefficients = facet_g_matmul (g, modalities (m, g, l, facet_g_columns (g, streams, at, d)), l->predict, NULL);
  streams = facet_g_altup_predict (g, streams, coefficients, m->n_streams);
  h = facet_g_columns (g, streams, at, d);
  normed = facet_g_rms_norm (g, h, l->attn_norm, d, m->eps);
  facet_shared_kv_store (&m->attention, g, i, normed);
  if (to_outputs) {
    streams = facet_g_outputs (g, streams);
    h = facet_g_outputs (g, h);
    normed = facet_g_outputs (g, normed);
  }
  x = activate (m, g, i, h, normed);
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
                     !all_rows && i == m->attention.n_own - 1);
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
