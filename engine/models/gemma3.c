/* Gemma 3 (arXiv 2503.19786): QK-norm, five sliding layers to one full layer,
 * GeGLU, norms before and after each half of a block. */
#include "models/family.h"
#include "models/loader.h"
#include "models/stem.h"

#include <math.h>

typedef struct {
  const FacetTensor *attn_norm, *q, *k, *v, *q_norm, *k_norm, *out, *post_attn_norm;
  const FacetTensor *ffn_norm, *gate, *up, *down, *post_ffn_norm;
  gboolean sliding;
} Layer;

typedef struct {
  FacetDecoder base;
  int   n_head, n_kv, head;
  int   ffn, window;
  float eps, attention_scale, attention_softcap;
  FacetRope rope_full, rope_sliding;
  FacetStem stem;
  Layer *layers;
  GPtrArray *owned;
} Gemma3;

/* Layer i is full iff (i + 1) % pattern == 0, unless the file lists each layer. */
static gboolean
is_sliding (FacetGguf *gguf, int layer)
{
  const char *key = "gemma3.attention.sliding_window_pattern";
  guint32 pattern = 6;
  gint64 listed;

  if (facet_gguf_array_i64 (gguf, key, (gsize) layer, &listed))
    return listed != 0;
  facet_gguf_get_u32 (gguf, key, &pattern);
  return pattern == 0 || (layer + 1) % (int) MIN (pattern, (guint32) G_MAXINT) != 0;
}

static void
read_hyper_parameters (Gemma3 *m, FacetLoader *loader)
{
  FacetDecoder *d = &m->base;
  g_autofree char *scaling = g_strdup (facet_gguf_get_string (loader->gguf, "gemma3.rope.scaling.type"));
  float factor = 1;

  d->width = facet_loader_int (loader, "embedding_length", 32, 1 << 16);
  d->n_layers = facet_loader_int (loader, "block_count", 1, 1024);
  d->context_length = facet_loader_int (loader, "context_length", 1, 1 << 24);
  m->ffn = facet_loader_int (loader, "feed_forward_length", 32, 1 << 20);
  m->n_head = facet_loader_int (loader, "attention.head_count", 1, 1024);
  m->n_kv = facet_loader_int_or (loader, "attention.head_count_kv", 1, 1024, m->n_head);
  m->head = facet_loader_int_or (loader, "attention.key_length", 2, 1024, 256);
  m->window = facet_loader_int (loader, "attention.sliding_window", 1, 1 << 24);
  m->eps = facet_loader_float_or (loader, "attention.layer_norm_rms_epsilon", 1e-6f);
  m->attention_softcap = facet_loader_float_or (loader, "attn_logit_softcapping", 0);
  if (m->n_head % m->n_kv != 0)
    facet_loader_fault (loader, "%d query heads do not divide among %d key/value heads", m->n_head, m->n_kv);
  if (m->head % 2 != 0)
    facet_loader_fault (loader, "key gemma3.attention.key_length is %d, not even", m->head);

  if (g_strcmp0 (scaling, "linear") == 0)
    factor = facet_loader_float_or (loader, "rope.scaling.factor", 1);
  else if (scaling != NULL && g_strcmp0 (scaling, "none") != 0)
    facet_loader_fault (loader, "key gemma3.rope.scaling.type is \"%s\", only linear is known", scaling);
  if (!(factor >= 1))
    facet_loader_fault (loader, "key gemma3.rope.scaling.factor is %g, less than 1", factor);
  m->rope_full = (FacetRope) { .base = facet_loader_float_or (loader, "rope.freq_base", 1e6f),
                               .scale = 1 / factor, .head = m->head };
  m->rope_sliding = (FacetRope) { .base = facet_loader_float_or (loader, "rope.freq_base_swa", 1e4f),
                                  .scale = 1, .head = m->head };
  /* query_pre_attn_scalar is not stored; it is the head size except in 27B, which has 62 layers. */
  m->attention_scale = 1 / sqrtf (d->n_layers == 62 ? (float) d->width / m->n_head : (float) m->head);
  d->embed_scale = sqrtf ((float) d->width);
}

static void
read_layer (Gemma3 *m, FacetLoader *l, int i)
{
  int d = m->base.width, q = m->n_head * m->head, kv = m->n_kv * m->head;
  Layer *layer = &m->layers[i];

  layer->sliding = is_sliding (l->gguf, i);
  layer->attn_norm = facet_loader_vector (l, d, "blk.%d.attn_norm.weight", i);
  layer->q = facet_loader_matrix (l, d, q, "blk.%d.attn_q.weight", i);
  layer->k = facet_loader_matrix (l, d, kv, "blk.%d.attn_k.weight", i);
  layer->v = facet_loader_matrix (l, d, kv, "blk.%d.attn_v.weight", i);
  layer->q_norm = facet_loader_vector (l, m->head, "blk.%d.attn_q_norm.weight", i);
  layer->k_norm = facet_loader_vector (l, m->head, "blk.%d.attn_k_norm.weight", i);
  layer->out = facet_loader_matrix (l, q, d, "blk.%d.attn_output.weight", i);
  layer->post_attn_norm = facet_loader_vector (l, d, "blk.%d.post_attention_norm.weight", i);
  layer->ffn_norm = facet_loader_vector (l, d, "blk.%d.ffn_norm.weight", i);
  layer->gate = facet_loader_matrix (l, d, m->ffn, "blk.%d.ffn_gate.weight", i);
  layer->up = facet_loader_matrix (l, d, m->ffn, "blk.%d.ffn_up.weight", i);
  layer->down = facet_loader_matrix (l, m->ffn, d, "blk.%d.ffn_down.weight", i);
  layer->post_ffn_norm = facet_loader_vector (l, d, "blk.%d.post_ffw_norm.weight", i);
}

static void
gemma3_free (FacetDecoder *decoder)
{
  Gemma3 *m = (Gemma3 *) decoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  g_free (m->base.kv_layers);
  g_free (m->layers);
  g_free (m);
}

static int
attention (Gemma3 *m, FacetGraph *g, int i, int normed, gboolean outputs_only)
{
  const Layer *l = &m->layers[i];
  const FacetRope *rope = l->sliding ? &m->rope_sliding : &m->rope_full;
  FacetAttention at = { .cache = i, .n_head = m->n_head, .n_kv = m->n_kv, .head_k = m->head, .head_v = m->head,
                        .window = l->sliding ? m->window : 0, .scale = m->attention_scale,
                        .softcap = m->attention_softcap, .causal = TRUE, .spans = m->base.image_spans };
  int q, k, v;

  k = facet_g_matmul (g, normed, l->k, NULL);
  v = facet_g_matmul (g, normed, l->v, NULL);
  if (outputs_only) {
    k = facet_g_rope (g, facet_g_rms_norm (g, k, l->k_norm, m->head, m->eps), rope);
    facet_g_kv_store (g, k, v, i);
    q = facet_g_matmul (g, facet_g_outputs (g, normed), l->q, NULL);
  } else {
    q = facet_g_matmul (g, normed, l->q, NULL);
    k = facet_g_rope (g, facet_g_rms_norm (g, k, l->k_norm, m->head, m->eps), rope);
    facet_g_kv_store (g, k, v, i);
  }
  q = facet_g_rope (g, facet_g_rms_norm (g, q, l->q_norm, m->head, m->eps), rope);
  return facet_g_matmul (g, facet_g_attention (g, q, -1, -1, &at), l->out, NULL);
}

static int
block (Gemma3 *m, FacetGraph *g, int i, int h, gboolean outputs_only)
{
  const Layer *l = &m->layers[i];
  int normed = facet_g_rms_norm (g, h, l->attn_norm, m->base.width, m->eps);
  int x = attention (m, g, i, normed, outputs_only);

  if (outputs_only)
    h = facet_g_outputs (g, h);
  h = facet_g_add (g, h, facet_g_rms_norm (g, x, l->post_attn_norm, m->base.width, m->eps));
  x = facet_g_rms_norm (g, h, l->ffn_norm, m->base.width, m->eps);
  {
    int gate = facet_g_matmul (g, x, l->gate, NULL);
    int up = facet_g_matmul (g, x, l->up, NULL);

    x = facet_g_matmul (g, facet_g_geglu (g, gate, up), l->down, NULL);
  }
  return facet_g_add (g, h, facet_g_rms_norm (g, x, l->post_ffn_norm, m->base.width, m->eps));
}

static FacetGraph *
gemma3_build (FacetDecoder *decoder, FacetBuild what)
{
  Gemma3 *m = (Gemma3 *) decoder;
  FacetGraph *g = facet_graph_new ();
  gboolean all_rows = (what & FACET_BUILD_ALL_ROWS) != 0, mark = (what & FACET_BUILD_MARK_LAYERS) != 0;
  int h = facet_g_embed (g, m->stem.embed, decoder->embed_scale);

  if (mark)
    facet_graph_mark_layer (g, h, -1);
  for (int i = 0; i < decoder->n_layers; i++) {
    facet_graph_begin_block (g, i);
    h = block (m, g, i, h, !all_rows && i == decoder->n_layers - 1);
    if (mark)
      facet_graph_mark_layer (g, h, i);
  }
  facet_graph_begin_block (g, decoder->n_layers);
  if (all_rows)
    h = facet_g_outputs (g, h);
  facet_stem_finish (&m->stem, g, h, m->eps);
  return g;
}

static FacetDecoder *
gemma3_load (FacetGguf *gguf, GError **error)
{
  Gemma3 *m = g_new0 (Gemma3, 1);
  FacetDecoder *d = &m->base;
  FacetLoader loader;

  d->klass = &facet_family_gemma3;
  d->image_spans = TRUE;
  d->build = gemma3_build;
  d->free = gemma3_free;
  facet_loader_init (&loader, gguf, "gemma3");
  read_hyper_parameters (m, &loader);
  facet_stem_load (&m->stem, &loader, d);
  m->layers = g_new0 (Layer, d->n_layers);
  d->n_kv_layers = d->n_layers;
  d->kv_layers = g_new0 (FacetKvLayer, d->n_layers);
  for (int i = 0; i < d->n_layers; i++) {
    read_layer (m, &loader, i);
    d->kv_layers[i] = (FacetKvLayer) { .n_kv = m->n_kv, .head_k = m->head, .head_v = m->head,
                                       .window = m->layers[i].sliding ? m->window : 0 };
  }
  if (!facet_loader_finish (&loader, &m->owned, error)) {
    gemma3_free (d);
    return NULL;
  }
  return d;
}

const FacetFamilyClass facet_family_gemma3 = {
  .family = FACET_FAMILY_GEMMA3,
  .architecture = "gemma3",
  .load = gemma3_load,
};
