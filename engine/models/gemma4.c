/* Gemma 4: as Gemma 3 with per-layer embeddings, layers that share the keys and
 * values of an earlier one, other heads in sliding and full layers, normalised
 * values, unscaled scores and, in one of them, a mixture of experts beside the
 * feed-forward part. Definition: transformers, models/gemma4. */
#include "models/family.h"
#include "models/loader.h"
#include "models/per-layer.h"
#include "models/stem.h"

#include <math.h>

typedef struct {
  const FacetTensor *router_gain, *router, *norm, *post_norm, *post_dense_norm, *down, *scale;
  FacetTensor gate, up;  /* views of one tensor, or copies of two */
  int   stride;          /* rows from expert to expert of these */
} Experts;

typedef struct {
  const FacetTensor *attn_norm, *q, *k, *v /* NULL: the keys before norm and rotation */, *q_norm, *k_norm, *out, *post_attn_norm;
  const FacetTensor *ffn_norm, *gate, *up, *down, *post_ffn_norm;
  const FacetTensor *inp_gate, *proj, *post_norm;  /* of the per-layer embeddings */
  gboolean sliding, own_kv;
  int   head, n_kv, ffn;
  int   cache;   /* whose keys and values it reads */
  float scale;   /* of the block's output */
  Experts *experts;
} Layer;

typedef struct {
  FacetDecoder base;
  int   n_head, n_own;   /* layers 0 .. n_own - 1 have keys and values of their own */
  int   window;
  int   n_experts, n_chosen;
  float eps;
  FacetRope rope_full, rope_sliding;
  FacetStem stem;
  FacetPerLayer per_layer;
  Layer *layers;
  GPtrArray *owned;
} Gemma4;

static int
head_size (FacetLoader *loader, const char *suffix)
{
  g_autofree char *key = g_strconcat ("attention.key_length", suffix, NULL);
  g_autofree char *value_key = g_strconcat ("attention.value_length", suffix, NULL);
  g_autofree char *rope_key = g_strconcat ("rope.dimension_count", suffix, NULL);
  int head = facet_loader_int (loader, key, 2, 1024);

  if (head % 2 != 0)
    facet_loader_fault (loader, "key gemma4.%s is %d, not even", key, head);
  if (facet_loader_int_or (loader, value_key, 1, 1024, head) != head)
    facet_loader_fault (loader, "key gemma4.%s differs from gemma4.%s, which is %d", value_key, key, head);
  if (facet_loader_int_or (loader, rope_key, 1, 1024, head) != head)
    facet_loader_fault (loader, "key gemma4.%s differs from gemma4.%s, which is %d", rope_key, key, head);
  return head;
}

static void
read_hyper_parameters (Gemma4 *m, FacetLoader *loader)
{
  FacetDecoder *d = &m->base;
  const char *scaling = facet_gguf_get_string (loader->gguf, "gemma4.rope.scaling.type");

  d->width = facet_loader_int (loader, "embedding_length", 32, 1 << 16);
  d->n_layers = facet_loader_int (loader, "block_count", 1, 1024);
  d->context_length = facet_loader_int (loader, "context_length", 1, 1 << 24);
  d->embed_scale = sqrtf ((float) d->width);
  m->n_head = facet_loader_int (loader, "attention.head_count", 1, 1024);
  m->window = facet_loader_int (loader, "attention.sliding_window", 1, 1 << 24);
  m->n_own = d->n_layers - facet_loader_int_or (loader, "attention.shared_kv_layers", 0, d->n_layers - 1, 0);
  m->n_experts = facet_loader_int_or (loader, "expert_count", 0, 1024, 0);
  m->n_chosen = m->n_experts > 0 ? facet_loader_int (loader, "expert_used_count", 1, m->n_experts) : 0;
  m->eps = facet_loader_float_or (loader, "attention.layer_norm_rms_epsilon", 1e-6f);
  if (scaling != NULL && g_strcmp0 (scaling, "none") != 0)
    facet_loader_fault (loader, "key gemma4.rope.scaling.type is \"%s\", none is known", scaling);
  m->rope_full = (FacetRope) { .base = facet_loader_float_or (loader, "rope.freq_base", 1e6f), .scale = 1,
                               .head = head_size (loader, "") };
  m->rope_sliding = (FacetRope) { .base = facet_loader_float_or (loader, "rope.freq_base_swa", 1e4f), .scale = 1,
                                  .head = head_size (loader, "_swa") };
}

/* The last layer of the same kind that has keys and values of its own. */
static int
cache_of (Gemma4 *m, FacetLoader *l, int i)
{
  int from = MIN (i, m->n_own - 1);

  while (from >= 0 && m->layers[from].sliding != m->layers[i].sliding)
    from--;
  if (from < 0)
    facet_loader_fault (l, "layer %d shares keys and values, but no layer of its kind has any", i);
  return MAX (from, 0);
}

static void
read_attention (Gemma4 *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  int d = m->base.width, q, kv;
  gint64 sliding = 0;

  if (!facet_gguf_array_i64 (l->gguf, "gemma4.attention.sliding_window_pattern", (gsize) i, &sliding))
    facet_loader_fault (l, "key gemma4.attention.sliding_window_pattern does not say of which kind layer %d is", i);
  layer->sliding = sliding != 0;
  layer->head = layer->sliding ? m->rope_sliding.head : m->rope_full.head;
  layer->n_kv = facet_loader_int_at (l, "attention.head_count_kv", i, 1, 1024);
  layer->own_kv = i < m->n_own;
  layer->cache = cache_of (m, l, i);
  if (m->n_head % layer->n_kv != 0)
    facet_loader_fault (l, "layer %d: %d query heads do not divide among %d key/value heads", i, m->n_head, layer->n_kv);
  if (m->layers[layer->cache].n_kv != layer->n_kv)
    facet_loader_fault (l, "layer %d has %d key/value heads, layer %d, which it shares them with, %d", i, layer->n_kv,
                        layer->cache, m->layers[layer->cache].n_kv);
  q = m->n_head * layer->head;
  kv = layer->n_kv * layer->head;
  layer->attn_norm = facet_loader_vector (l, d, "blk.%d.attn_norm.weight", i);
  layer->q = facet_loader_matrix (l, d, q, "blk.%d.attn_q.weight", i);
  layer->q_norm = facet_loader_vector (l, layer->head, "blk.%d.attn_q_norm.weight", i);
  layer->out = facet_loader_matrix (l, q, d, "blk.%d.attn_output.weight", i);
  layer->post_attn_norm = facet_loader_vector (l, d, "blk.%d.post_attention_norm.weight", i);
  if (!layer->own_kv)
    return;
  layer->k = facet_loader_matrix (l, d, kv, "blk.%d.attn_k.weight", i);
  if (layer->sliding || facet_loader_has (l, "blk.%d.attn_v.weight", i))
    layer->v = facet_loader_matrix (l, d, kv, "blk.%d.attn_v.weight", i);
  layer->k_norm = facet_loader_vector (l, layer->head, "blk.%d.attn_k_norm.weight", i);
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

  read_attention (m, l, i);
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
  g_free (m->base.kv_layers);
  if (m->layers != NULL)
    for (int i = 0; i < decoder->n_layers; i++)
      g_free (m->layers[i].experts);
  g_free (m->layers);
  g_free (m);
}

/* Keys and values of the layer, stored for it and for those that share them. */
static void
keys_and_values (Gemma4 *m, FacetGraph *g, const Layer *l, int normed, const FacetRope *rope)
{
  int k = facet_g_matmul (g, normed, l->k, NULL);
  int v = l->v != NULL ? facet_g_matmul (g, normed, l->v, NULL) : k;

  k = facet_g_rope (g, facet_g_rms_norm (g, k, l->k_norm, l->head, m->eps), rope);
  v = facet_g_rms_norm (g, v, NULL, l->head, m->eps);
  facet_g_kv_store (g, k, v, l->cache);
}

static int
attention (Gemma4 *m, FacetGraph *g, const Layer *l, int normed, gboolean to_outputs)
{
  const FacetRope *rope = l->sliding ? &m->rope_sliding : &m->rope_full;
  FacetAttention at = { .cache = l->cache, .n_head = m->n_head, .n_kv = l->n_kv, .head_k = l->head, .head_v = l->head,
                        .window = l->sliding ? m->window : 0, .scale = 1, .causal = TRUE,
                        .spans = m->base.image_spans && l->sliding };
  int q;

  if (l->own_kv)
    keys_and_values (m, g, l, normed, rope);
  q = facet_g_matmul (g, to_outputs ? facet_g_outputs (g, normed) : normed, l->q, NULL);
  q = facet_g_rope (g, facet_g_rms_norm (g, q, l->q_norm, l->head, m->eps), rope);
  return facet_g_matmul (g, facet_g_attention (g, q, -1, -1, &at), l->out, NULL);
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
  int d = m->base.width, x;

  x = attention (m, g, l, facet_g_rms_norm (g, h, l->attn_norm, d, m->eps), to_outputs);
  if (to_outputs)
    h = facet_g_outputs (g, h);
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
    h = block (m, g, i, h, before, from, !all_rows && i == m->n_own - 1);
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
  divisors = facet_loader_vector (l, m->rope_full.head / 2, "rope_freqs.weight");
  m->rope_full.divisors = divisors != NULL ? divisors->data : NULL;
  facet_per_layer_load (&m->per_layer, l, d->width, d->n_layers, m->n_own - 1, m->eps);
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
  d->n_kv_layers = m->n_own;
  d->kv_layers = g_new0 (FacetKvLayer, d->n_kv_layers);
  for (int i = 0; i < d->n_kv_layers; i++)
    d->kv_layers[i] = (FacetKvLayer) { .n_kv = m->layers[i].n_kv, .head_k = m->layers[i].head,
                                       .head_v = m->layers[i].head, .window = m->layers[i].sliding ? m->window : 0 };
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
