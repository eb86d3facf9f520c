#include "models/shared-kv.h"

/* Which layers see a sliding window. */
#define KINDS ".attention.sliding_window_pattern"

static int
head_size (FacetLoader *l, const char *suffix)
{
  g_autofree char *key = g_strconcat ("attention.key_length", suffix, NULL);
  g_autofree char *value_key = g_strconcat ("attention.value_length", suffix, NULL);
  g_autofree char *rope_key = g_strconcat ("rope.dimension_count", suffix, NULL);
  int head = facet_loader_int (l, key, 2, 1024);

  if (head % 2 != 0)
    facet_loader_fault (l, "key %s.%s is %d, not even", l->prefix, key, head);
  if (facet_loader_int_or (l, value_key, 1, 1024, head) != head)
    facet_loader_fault (l, "key %s.%s differs from %s.%s, which is %d", l->prefix, value_key, l->prefix, key, head);
  if (facet_loader_int_or (l, rope_key, 1, 1024, head) != head)
    facet_loader_fault (l, "key %s.%s differs from %s.%s, which is %d", l->prefix, rope_key, l->prefix, key, head);
  return head;
}

static void
read_hyper_parameters (FacetSharedKv *a, FacetLoader *l, int n_layers)
{
  g_autofree char *scaling_key = g_strconcat (l->prefix, ".rope.scaling.type", NULL);
  g_autofree char *sliding_key = g_strconcat (l->prefix, ".attention.key_length_swa", NULL);
  const char *scaling = facet_gguf_get_string (l->gguf, scaling_key);
  int head = head_size (l, "");

  a->n_head = facet_loader_int (l, "attention.head_count", 1, 1024);
  a->window = facet_loader_int (l, "attention.sliding_window", 1, 1 << 24);
  a->n_own = n_layers - facet_loader_int_or (l, "attention.shared_kv_layers", 0, n_layers - 1, 0);
  a->eps = facet_loader_float_or (l, "attention.layer_norm_rms_epsilon", 1e-6f);
  if (scaling != NULL && g_strcmp0 (scaling, "none") != 0)
    facet_loader_fault (l, "key %s is \"%s\", none is known", scaling_key, scaling);
  a->full = (FacetRope) { .base = facet_loader_float_or (l, "rope.freq_base", 1e6f), .scale = 1, .head = head };
  a->sliding = (FacetRope) { .base = facet_loader_float_or (l, "rope.freq_base_swa", 1e4f), .scale = 1,
                             .head = facet_gguf_has_key (l->gguf, sliding_key) ? head_size (l, "_swa") : head };
}

static const FacetRope *
rope_of (const FacetSharedKv *a, const FacetSharedLayer *layer)
{
  return layer->sliding ? &a->sliding : &a->full;
}

/* FALSE if the file does not say. */
static gboolean
is_sliding (FacetGguf *gguf, const char *prefix, int i)
{
  g_autofree char *key = g_strconcat (prefix, KINDS, NULL);
  gint64 sliding = 0;

  facet_gguf_array_i64 (gguf, key, (gsize) i, &sliding);
  return sliding != 0;
}

int
facet_shared_kv_source (FacetGguf *gguf, const char *prefix, int n_own, int i)
{
  int from = MIN (i, n_own - 1);

  while (from >= 0 && is_sliding (gguf, prefix, from) != is_sliding (gguf, prefix, i))
    from--;
  return from;
}

static int
cache_of (const FacetSharedKv *a, FacetLoader *l, int i)
{
  int from = facet_shared_kv_source (l->gguf, l->prefix, a->n_own, i);

  if (from < 0)
    facet_loader_fault (l, "layer %d shares keys and values, but no layer of its kind has any", i);
  return MAX (from, 0);
}

static void
read_shape (FacetSharedKv *a, FacetLoader *l, int i)
{
  g_autofree char *key = g_strconcat (l->prefix, KINDS, NULL);
  FacetSharedLayer *layer = &a->layers[i];
  const FacetSharedLayer *source;
  gint64 sliding = 0;

  if (!facet_gguf_array_i64 (l->gguf, key, (gsize) i, &sliding))
    facet_loader_fault (l, "key %s does not say of which kind layer %d is", key, i);
  layer->sliding = sliding != 0;
  layer->n_kv = facet_loader_int_at (l, "attention.head_count_kv", i, 1, 1024);
  layer->cache = cache_of (a, l, i);
  source = &a->layers[layer->cache];
  if (a->n_head % layer->n_kv != 0)
    facet_loader_fault (l, "layer %d: %d query heads do not divide among %d key/value heads", i, a->n_head, layer->n_kv);
  if (source->n_kv != layer->n_kv)
    facet_loader_fault (l, "layer %d has %d key/value heads, layer %d, which it shares them with, %d", i, layer->n_kv,
                        layer->cache, source->n_kv);
}

static void
read_tensors (FacetSharedKv *a, FacetLoader *l, int i, int width)
{
  FacetSharedLayer *layer = &a->layers[i];
  int head = rope_of (a, layer)->head, q = a->n_head * head, kv = layer->n_kv * head;

  layer->q = facet_loader_matrix (l, width, q, "blk.%d.attn_q.weight", i);
  layer->q_norm = facet_loader_vector (l, head, "blk.%d.attn_q_norm.weight", i);
  layer->out = facet_loader_matrix (l, q, width, "blk.%d.attn_output.weight", i);
  if (i >= a->n_own)
    return;
  layer->k = facet_loader_matrix (l, width, kv, "blk.%d.attn_k.weight", i);
  if (layer->sliding || facet_loader_has (l, "blk.%d.attn_v.weight", i))
    layer->v = facet_loader_matrix (l, width, kv, "blk.%d.attn_v.weight", i);
  layer->k_norm = facet_loader_vector (l, head, "blk.%d.attn_k_norm.weight", i);
}

void
facet_shared_kv_load (FacetSharedKv *a, FacetLoader *loader, FacetDecoder *decoder)
{
  a->decoder = decoder;
  read_hyper_parameters (a, loader, decoder->n_layers);
  a->layers = g_new0 (FacetSharedLayer, decoder->n_layers);
  for (int i = 0; i < decoder->n_layers; i++) {
    read_shape (a, loader, i);
    read_tensors (a, loader, i, decoder->width);
  }
  decoder->n_kv_layers = a->n_own;
  decoder->kv_layers = g_new0 (FacetKvLayer, a->n_own);
  for (int i = 0; i < a->n_own; i++) {
    const FacetSharedLayer *layer = &a->layers[i];
    int head = rope_of (a, layer)->head;

    decoder->kv_layers[i] = (FacetKvLayer) { .n_kv = layer->n_kv, .head_k = head, .head_v = head,
                                             .window = layer->sliding ? a->window : 0 };
  }
}

void
facet_shared_kv_clear (FacetSharedKv *a)
{
  g_clear_pointer (&a->layers, g_free);
}

void
facet_shared_kv_store (const FacetSharedKv *a, FacetGraph *g, int i, int normed)
{
  const FacetSharedLayer *layer = &a->layers[i];
  const FacetRope *rope = rope_of (a, layer);
  int k, v;

  if (i >= a->n_own)
    return;
  k = facet_g_matmul (g, normed, layer->k, NULL);
  v = layer->v != NULL ? facet_g_matmul (g, normed, layer->v, NULL) : k;
  k = facet_g_rope (g, facet_g_rms_norm (g, k, layer->k_norm, rope->head, a->eps), rope);
  v = facet_g_rms_norm (g, v, NULL, rope->head, a->eps);
  facet_g_kv_store (g, k, v, layer->cache);
}

int
facet_shared_kv_read (const FacetSharedKv *a, FacetGraph *g, int i, int normed)
{
  const FacetSharedLayer *layer = &a->layers[i];
  const FacetRope *rope = rope_of (a, layer);
  FacetAttention at = { .cache = layer->cache, .n_head = a->n_head, .n_kv = layer->n_kv, .head_k = rope->head,
                        .head_v = rope->head, .window = layer->sliding ? a->window : 0, .scale = 1, .causal = TRUE,
                        .spans = a->decoder->image_spans && layer->sliding };
  int q = facet_g_matmul (g, normed, layer->q, NULL);

  q = facet_g_rope (g, facet_g_rms_norm (g, q, layer->q_norm, rope->head, a->eps), rope);
  return facet_g_matmul (g, facet_g_attention (g, q, -1, -1, &at), layer->out, NULL);
}
