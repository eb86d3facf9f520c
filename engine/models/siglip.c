/* SigLIP (arXiv 2303.15343, a vision transformer with pre-norm blocks) and the
 * projector of Gemma 3 (arXiv 2503.19786): average pooling, RMS norm, matrix. */
#include "models/encoder.h"
#include "models/loader.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/kernels.h"
#include "media/picture-layout.h"

typedef struct {
  const FacetTensor *ln1, *ln1_bias, *q, *q_bias, *k, *k_bias, *v, *v_bias, *out, *out_bias;
  const FacetTensor *ln2, *ln2_bias, *fc1, *fc1_bias, *fc2, *fc2_bias;
} Layer;

typedef struct {
  FacetEncoder base;
  int    side, patch, grid, pool;  /* pixels, pixels, patches, patches */
  int    inner, ffn, n_layers, n_head;
  float  eps, mean[3], std[3];
  const FacetTensor *patch_bias, *positions, *post_ln, *post_ln_bias, *norm;
  FacetTensor patch_weight;   /* the convolution as a matrix: ne = { 3 patch patch, inner } */
  FacetTensor projection;     /* ne = { inner, width } */
  void       *projection_data;
  Layer      *layers;
  GPtrArray  *owned;
} Siglip;

static void
read_triple (FacetLoader *loader, const char *key, float lo, float values[3])
{
  for (gsize i = 0; i < 3; i++)
    if (!facet_gguf_array_f32 (loader->gguf, key, i, &values[i]) || !(values[i] >= lo && values[i] <= 1)) {
      facet_loader_fault (loader, "key %s is no list of three numbers from %g to 1", key, lo);
      values[i] = 0.5f;
    }
}

static void
read_hyper_parameters (Siglip *m, FacetLoader *loader)
{
  gboolean gelu = FALSE;

  m->side = facet_loader_int (loader, "image_size", 1, 4096);
  m->patch = facet_loader_int (loader, "patch_size", 1, 256);
  m->inner = facet_loader_int (loader, "embedding_length", 1, 1 << 15);
  m->ffn = facet_loader_int (loader, "feed_forward_length", 1, 1 << 17);
  m->n_layers = facet_loader_int (loader, "block_count", 1, 512);
  m->n_head = facet_loader_int (loader, "attention.head_count", 1, 512);
  m->pool = facet_loader_int_or (loader, "projector.scale_factor", 1, 64, 4);
  m->base.width = facet_loader_int (loader, "projection_dim", 1, 1 << 16);
  m->eps = facet_loader_float_or (loader, "attention.layer_norm_epsilon", 1e-6f);
  read_triple (loader, "clip.vision.image_mean", 0, m->mean);
  read_triple (loader, "clip.vision.image_std", 1e-3f, m->std);
  m->grid = m->side / m->patch;
  if (m->grid * m->patch != m->side || m->grid % m->pool != 0 || m->grid == 0)
    facet_loader_fault (loader, "a picture of %d pixels does not divide into patches of %d, pooled by %d", m->side, m->patch, m->pool);
  m->base.detail = (m->grid / m->pool) * (m->grid / m->pool);
  if (m->inner % m->n_head != 0)
    facet_loader_fault (loader, "width %d does not divide among %d heads", m->inner, m->n_head);
  facet_gguf_get_bool (loader->gguf, "clip.use_gelu", &gelu);
  if (!gelu)
    facet_loader_fault (loader, "key clip.use_gelu is not true, other activations are not known");
}

/* The file has it the other way round than all other matrices. */
static void
read_projection (Siglip *m, FacetLoader *loader)
{
  const FacetTensor *t = facet_loader_matrix (loader, m->base.width, m->inner, "mm.input_projection.weight");
  gsize rows = m->inner, cols = m->base.width, stride;
  g_autofree float *row = NULL;
  float *out;

  if (!t)
    return;
  stride = facet_dtype_row_bytes (t->dtype, cols);
  row = g_new (float, cols);
  out = m->projection_data = g_aligned_alloc (rows * cols, sizeof (float), 64);
  for (gsize e = 0; e < rows; e++) {
    facet_kernels_c ()->dequantize[t->dtype] ((const guint8 *) t->data + e * stride, row, cols);
    for (gsize j = 0; j < cols; j++)
      out[j * rows + e] = row[j];
  }
  m->projection = (FacetTensor) { .name = t->name, .dtype = FACET_F32, .ne = { (gint64) rows, (gint64) cols, 1, 1 },
                                  .data = out, .bytes = rows * cols * sizeof (float) };
}

static void
read_layer (Siglip *m, FacetLoader *l, int i)
{
  Layer *layer = &m->layers[i];
  int e = m->inner, f = m->ffn;
  g_autofree char *name = g_strdup_printf ("v.blk.%d.ffn_up.weight", i);
  const FacetTensor *up = facet_gguf_tensor (l->gguf, name);
  /* Old files have the two matrices' names exchanged. */
  gboolean swapped = up && up->ne[0] == f && f != e;
  const char *fc1 = swapped ? "down" : "up", *fc2 = swapped ? "up" : "down";

  layer->ln1 = facet_loader_vector (l, e, "v.blk.%d.ln1.weight", i);
  layer->ln1_bias = facet_loader_vector (l, e, "v.blk.%d.ln1.bias", i);
  layer->q = facet_loader_matrix (l, e, e, "v.blk.%d.attn_q.weight", i);
  layer->q_bias = facet_loader_vector (l, e, "v.blk.%d.attn_q.bias", i);
  layer->k = facet_loader_matrix (l, e, e, "v.blk.%d.attn_k.weight", i);
  layer->k_bias = facet_loader_vector (l, e, "v.blk.%d.attn_k.bias", i);
  layer->v = facet_loader_matrix (l, e, e, "v.blk.%d.attn_v.weight", i);
  layer->v_bias = facet_loader_vector (l, e, "v.blk.%d.attn_v.bias", i);
  layer->out = facet_loader_matrix (l, e, e, "v.blk.%d.attn_out.weight", i);
  layer->out_bias = facet_loader_vector (l, e, "v.blk.%d.attn_out.bias", i);
  layer->ln2 = facet_loader_vector (l, e, "v.blk.%d.ln2.weight", i);
  layer->ln2_bias = facet_loader_vector (l, e, "v.blk.%d.ln2.bias", i);
  layer->fc1 = facet_loader_matrix (l, e, f, "v.blk.%d.ffn_%s.weight", i, fc1);
  layer->fc1_bias = facet_loader_vector (l, f, "v.blk.%d.ffn_%s.bias", i, fc1);
  layer->fc2 = facet_loader_matrix (l, f, e, "v.blk.%d.ffn_%s.weight", i, fc2);
  layer->fc2_bias = facet_loader_vector (l, e, "v.blk.%d.ffn_%s.bias", i, fc2);
}

static int
siglip_count (FacetEncoder *encoder, int width, int height)
{
  return encoder->detail;
}

static gboolean
siglip_prepare (FacetEncoder *encoder, const FacetImage *image, const int box[4], FacetEncoderInput *input, GError **error)
{
  Siglip *m = (Siglip *) encoder;

  memset (input, 0, sizeof *input);
  input->n_tokens = encoder->detail;
  facet_encoder_input_resize (input, image, box, m->side, m->side, FACET_RESIZE_BILINEAR);
  input->data[0] = g_new (float, (gsize) m->side * m->side * 3);
  facet_patchify (input->pixels, m->side, m->side, m->patch, m->mean, m->std, input->data[0]);
  return TRUE;
}

static int
block (Siglip *m, FacetGraph *g, const Layer *l, int h)
{
  int head = m->inner / m->n_head;
  FacetAttention at = { .cache = -1, .n_head = m->n_head, .n_kv = m->n_head, .head_k = head, .head_v = head, .scale = 1 / sqrtf ((float) head) };
  int x = facet_g_layer_norm (g, h, l->ln1, l->ln1_bias, m->eps);
  int q = facet_g_matmul (g, x, l->q, l->q_bias);
  int k = facet_g_matmul (g, x, l->k, l->k_bias);
  int v = facet_g_matmul (g, x, l->v, l->v_bias);

  h = facet_g_add (g, h, facet_g_matmul (g, facet_g_attention (g, q, k, v, &at), l->out, l->out_bias));
  x = facet_g_layer_norm (g, h, l->ln2, l->ln2_bias, m->eps);
  x = facet_g_gelu (g, facet_g_matmul (g, x, l->fc1, l->fc1_bias));
  return facet_g_add (g, h, facet_g_matmul (g, x, l->fc2, l->fc2_bias));
}

static FacetGraph *
siglip_build (FacetEncoder *encoder, int shape, gboolean mark)
{
  Siglip *m = (Siglip *) encoder;
  FacetGraph *g = facet_graph_new ();
  int h = facet_g_input (g, 0, m->grid * m->grid, 3 * m->patch * m->patch);

  h = facet_g_matmul (g, h, &m->patch_weight, m->patch_bias);
  h = facet_g_add (g, h, facet_g_table (g, m->positions));
  if (mark)
    facet_graph_mark_layer (g, h, -1);
  for (int i = 0; i < m->n_layers; i++) {
    h = block (m, g, &m->layers[i], h);
    if (mark)
      facet_graph_mark_layer (g, h, i);
  }
  h = facet_g_layer_norm (g, h, m->post_ln, m->post_ln_bias, m->eps);
  if (mark)
    facet_graph_mark_layer (g, h, m->n_layers);
  h = facet_g_pool (g, h, m->grid, m->grid, m->pool);
  h = facet_g_rms_norm (g, h, m->norm, m->inner, m->eps);
  facet_graph_set_result (g, facet_g_matmul (g, h, &m->projection, NULL));
  return g;
}

static void
siglip_free (FacetEncoder *encoder)
{
  Siglip *m = (Siglip *) encoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  g_aligned_free (m->projection_data);
  g_free (m->layers);
  g_free (m);
}

static FacetEncoder *
siglip_load (FacetGguf *gguf, GError **error)
{
  Siglip *m = g_new0 (Siglip, 1);
  FacetLoader loader;

  m->base = (FacetEncoder) { .klass = &facet_encoder_siglip, .pan_and_scan = TRUE, .count = siglip_count, .prepare_image = siglip_prepare,
                             .build = siglip_build, .free = siglip_free };
  facet_loader_init (&loader, gguf, "clip.vision");
  read_hyper_parameters (m, &loader);
  facet_loader_patches (&loader, m->patch, m->inner, &m->patch_weight);
  m->patch_bias = facet_loader_vector (&loader, m->inner, "v.patch_embd.bias");
  m->positions = facet_loader_matrix (&loader, m->inner, (gint64) m->grid * m->grid, "v.position_embd.weight");
  m->post_ln = facet_loader_vector (&loader, m->inner, "v.post_ln.weight");
  m->post_ln_bias = facet_loader_vector (&loader, m->inner, "v.post_ln.bias");
  m->norm = facet_loader_vector (&loader, m->inner, "mm.soft_emb_norm.weight");
  m->layers = g_new0 (Layer, m->n_layers);
  for (int i = 0; i < m->n_layers; i++)
    read_layer (m, &loader, i);
  read_projection (m, &loader);
  if (!facet_loader_finish (&loader, &m->owned, error)) {
    siglip_free (&m->base);
    return NULL;
  }
  return &m->base;
}

const FacetEncoderClass facet_encoder_siglip = {
  .type = "gemma3",
  .audio = FALSE,
  .load = siglip_load,
};
