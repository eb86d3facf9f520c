/* Gemma 4's picture encoder: a vision transformer over patches of a picture
 * that keeps its proportions. Formulas: the original implementation
 * (transformers' Gemma4VisionModel and Gemma4ImageProcessor). */
#include "models/encoder.h"

#include <math.h>
#include <string.h>

#include "media/picture-layout.h"
#include "models/clipped.h"

#define POOL 3
#define ROPE_BASE 100.0
#define USUAL_DETAIL 280

typedef struct {
  FacetClipped q, k, v, out, gate, up, down;
  const FacetTensor *ln1, *q_norm, *k_norm, *attention_post, *ln2, *ffn_post;
} Block;

typedef struct {
  FacetEncoder base;
  int    patch, inner, ffn, n_layers, n_head, head;
  float  eps;
  FacetTensor patch_weight;       /* the convolution as a matrix: ne = { 3 patch patch, inner } */
  FacetTensor by_col, by_row;     /* positions, ne = { inner, most patches a side } */
  const FacetTensor *std_bias, *std_scale; /* NULL: not in the file */
  FacetClipped projection;
  Block       *blocks;
  GPtrArray   *owned;
} Gemma4Vision;

static const int details[] = { 70, 140, 280, 560, 1120, 0 };

/* ---- reading ---- */

static void
read_hyper_parameters (Gemma4Vision *m, FacetLoader *loader)
{
  m->patch = facet_loader_int (loader, "patch_size", 1, 256);
  m->inner = facet_loader_int (loader, "embedding_length", 4, 1 << 15);
  m->ffn = facet_loader_int (loader, "feed_forward_length", 1, 1 << 17);
  m->n_layers = facet_loader_int (loader, "block_count", 1, 512);
  m->n_head = facet_loader_int (loader, "attention.head_count", 1, 512);
  m->base.width = facet_loader_int (loader, "projection_dim", 1, 1 << 16);
  m->eps = facet_loader_float_or (loader, "attention.layer_norm_epsilon", 1e-6f);
  m->head = m->inner / m->n_head;
  /* Half a head turns by the column, half by the row, in pairs. */
  if (m->inner % m->n_head != 0 || m->head % 4 != 0) {
    facet_loader_fault (loader, "width %d does not divide into %d heads of a multiple of 4", m->inner, m->n_head);
    m->head = 4;
  }
}

/* Two tables in one tensor, columns first. */
static void
read_positions (Gemma4Vision *m, FacetLoader *loader)
{
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, "v.position_embd.weight");

  if (!t || t->ne[0] != m->inner || t->ne[1] < POOL || t->ne[1] > 1 << 20 || t->ne[2] != 2 || t->ne[3] != 1
      || facet_dtype_info (t->dtype)->block != 1) {
    facet_loader_fault (loader, "tensor v.position_embd.weight is missing or not float [%d, positions, 2]", m->inner);
    return;
  }
  m->by_col = *t;
  m->by_col.ne[2] = 1;
  m->by_col.bytes = t->bytes / 2;
  m->by_row = m->by_col;
  m->by_row.data = (const guint8 *) t->data + m->by_col.bytes;
}

static const FacetTensor *
read_vector (FacetLoader *loader, int i, const char *name, int n)
{
  return facet_loader_vector (loader, n, "v.blk.%d.%s.weight", i, name);
}

static void
read_linear (FacetLoader *loader, int i, const char *name, int in, int out, FacetClipped *linear)
{
  g_autofree char *full = g_strdup_printf ("v.blk.%d.%s", i, name);

  facet_clipped_load (linear, loader, in, out, full);
}

static void
read_block (Gemma4Vision *m, FacetLoader *loader, int i)
{
  Block *b = &m->blocks[i];
  int e = m->inner, f = m->ffn;

  b->ln1 = read_vector (loader, i, "ln1", e);
  b->q_norm = read_vector (loader, i, "attn_q_norm", m->head);
  b->k_norm = read_vector (loader, i, "attn_k_norm", m->head);
  b->attention_post = read_vector (loader, i, "attn_post_norm", e);
  b->ln2 = read_vector (loader, i, "ln2", e);
  b->ffn_post = read_vector (loader, i, "ffn_post_norm", e);
  read_linear (loader, i, "attn_q", e, e, &b->q);
  read_linear (loader, i, "attn_k", e, e, &b->k);
  read_linear (loader, i, "attn_v", e, e, &b->v);
  read_linear (loader, i, "attn_out", e, e, &b->out);
  read_linear (loader, i, "ffn_gate", e, f, &b->gate);
  read_linear (loader, i, "ffn_up", e, f, &b->up);
  read_linear (loader, i, "ffn_down", f, e, &b->down);
}

/* Some files standardise the pooled rows. */
static void
read_standardisation (Gemma4Vision *m, FacetLoader *loader)
{
  if (facet_gguf_tensor (loader->gguf, "v.std_bias") == NULL && facet_gguf_tensor (loader->gguf, "v.std_scale") == NULL)
    return;
  m->std_bias = facet_loader_vector (loader, m->inner, "v.std_bias");
  m->std_scale = facet_loader_vector (loader, m->inner, "v.std_scale");
}

/* ---- preparing ---- */

/* Patches of the picture as it will be resized. */
static void
grid_of (const Gemma4Vision *m, int width, int height, int *cols, int *rows)
{
  facet_aspect_size (width, height, m->patch, POOL, m->base.detail, cols, rows);
  *cols /= m->patch;
  *rows /= m->patch;
}

static int
gemma4_count (FacetEncoder *encoder, int width, int height)
{
  int cols, rows;

  grid_of ((Gemma4Vision *) encoder, width, height, &cols, &rows);
  return cols / POOL * (rows / POOL);
}

/* float32 [patches, head]: what ROTATE reads, by column, then by row. The
 * original's arithmetic: 32-bit frequencies times 32-bit positions. */
static float *
make_angles (const Gemma4Vision *m, int cols, int rows)
{
  int half = m->head / 2, pairs = half / 2;
  g_autofree float *frequency = g_new (float, pairs);
  float *angles = g_new (float, (gsize) cols * rows * m->head), *at = angles;

  for (int i = 0; i < pairs; i++)
    frequency[i] = (float) (1.0 / pow (ROPE_BASE, 2.0 * i / half));
  for (int row = 0; row < rows; row++)
    for (int col = 0; col < cols; col++)
      for (int axis = 0; axis < 2; axis++, at += half)
        for (int i = 0; i < pairs; i++) {
          float angle = (float) (axis == 0 ? col : row) * frequency[i];

          at[i] = cosf (angle);
          at[pairs + i] = sinf (angle);
        }
  return angles;
}

static gboolean
gemma4_prepare (FacetEncoder *encoder, const FacetImage *image, const int box[4], FacetEncoderInput *input, GError **error)
{
  static const float middle[3] = { 0.5f, 0.5f, 0.5f };
  Gemma4Vision *m = (Gemma4Vision *) encoder;
  int width = box ? box[2] : facet_image_width (image), height = box ? box[3] : facet_image_height (image), cols, rows;

  memset (input, 0, sizeof *input);
  grid_of (m, width, height, &cols, &rows);
  if (MAX (cols, rows) > m->by_col.ne[1]) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED,
                 "a picture of %d x %d pixels becomes %d x %d patches, the encoder knows %d positions a side", width, height,
                 cols, rows, (int) m->by_col.ne[1]);
    return FALSE;
  }
  input->shape = rows << 16 | cols;
  input->n_tokens = cols / POOL * (rows / POOL);
  facet_encoder_input_resize (input, image, box, cols * m->patch, rows * m->patch, FACET_RESIZE_BICUBIC);
  input->data[0] = g_new (float, (gsize) input->pixel_width * input->pixel_height * 3);
  facet_patchify (input->pixels, input->pixel_width, input->pixel_height, m->patch, middle, middle, input->data[0]);
  input->data[1] = make_angles (m, cols, rows);
  return TRUE;
}

/* ---- describing ---- */

static int
norm (const Gemma4Vision *m, FacetGraph *g, int x, const FacetTensor *gain)
{
  return facet_g_rms_norm (g, x, gain, (int) gain->ne[0], m->eps);
}

static int
block (const Gemma4Vision *m, FacetGraph *g, const Block *b, int angles, int h)
{
  FacetAttention at = { .cache = -1, .n_head = m->n_head, .n_kv = m->n_head, .head_k = m->head, .head_v = m->head, .scale = 1 };
  int x = norm (m, g, h, b->ln1);
  int q = facet_clipped_build (g, &b->q, x), k = facet_clipped_build (g, &b->k, x), v = facet_clipped_build (g, &b->v, x);

  q = facet_g_rotate (g, norm (m, g, q, b->q_norm), angles, m->head / 2);
  k = facet_g_rotate (g, norm (m, g, k, b->k_norm), angles, m->head / 2);
  v = facet_g_rms_norm (g, v, NULL, m->head, m->eps);
  x = facet_clipped_build (g, &b->out, facet_g_attention (g, q, k, v, &at));
  h = facet_g_add (g, h, norm (m, g, x, b->attention_post));
  x = norm (m, g, h, b->ln2);
  x = facet_g_geglu (g, facet_clipped_build (g, &b->gate, x), facet_clipped_build (g, &b->up, x));
  return facet_g_add (g, h, norm (m, g, facet_clipped_build (g, &b->down, x), b->ffn_post));
}

/* Layer n_layers is the pooled map, n_layers + 1 the same as the projection sees it. */
static FacetGraph *
gemma4_build (FacetEncoder *encoder, int shape, gboolean mark)
{
  Gemma4Vision *m = (Gemma4Vision *) encoder;
  FacetGraph *g = facet_graph_new ();
  int rows = shape >> 16, cols = shape & 0xffff;
  int h = facet_g_input (g, 0, rows * cols, 3 * m->patch * m->patch);
  int angles = facet_g_input (g, 1, rows * cols, m->head);

  h = facet_g_matmul (g, h, &m->patch_weight, NULL);
  h = facet_g_add (g, h, facet_g_table_2d (g, &m->by_col, &m->by_row, rows, cols));
  if (mark)
    facet_graph_mark_layer (g, h, -1);
  for (int i = 0; i < m->n_layers; i++) {
    h = block (m, g, &m->blocks[i], angles, h);
    if (mark)
      facet_graph_mark_layer (g, h, i);
  }
  h = facet_g_scale (g, facet_g_pool (g, h, rows, cols, POOL), sqrtf ((float) m->inner));
  if (mark)
    facet_graph_mark_layer (g, h, m->n_layers);
  if (m->std_bias) {
    h = facet_g_add (g, h, facet_g_scale (g, facet_g_table (g, m->std_bias), -1));
    h = facet_g_mul (g, h, facet_g_table (g, m->std_scale));
  }
  if (mark && m->std_bias)
    facet_graph_mark_layer (g, h, m->n_layers + 1);
  h = facet_g_rms_norm (g, h, NULL, m->inner, m->eps);
  facet_graph_set_result (g, facet_clipped_build (g, &m->projection, h));
  return g;
}

static void
gemma4_free (FacetEncoder *encoder)
{
  Gemma4Vision *m = (Gemma4Vision *) encoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  g_free (m->blocks);
  g_free (m);
}

static FacetEncoder *
gemma4_load (FacetGguf *gguf, GError **error)
{
  Gemma4Vision *m = g_new0 (Gemma4Vision, 1);
  FacetLoader loader;

  m->base = (FacetEncoder) { .klass = &facet_encoder_gemma4_vision, .details = details, .detail = USUAL_DETAIL,
                             .count = gemma4_count, .prepare_image = gemma4_prepare, .build = gemma4_build, .free = gemma4_free };
  facet_loader_init (&loader, gguf, "clip.vision");
  read_hyper_parameters (m, &loader);
  facet_loader_patches (&loader, m->patch, m->inner, &m->patch_weight);
  read_positions (m, &loader);
  m->blocks = g_new0 (Block, m->n_layers);
  for (int i = 0; i < m->n_layers; i++)
    read_block (m, &loader, i);
  read_standardisation (m, &loader);
  facet_clipped_load (&m->projection, &loader, m->inner, m->base.width, "mm.input_projection");
  if (!facet_loader_finish (&loader, &m->owned, error)) {
    gemma4_free (&m->base);
    return NULL;
  }
  return &m->base;
}

const FacetEncoderClass facet_encoder_gemma4_vision = {
  .type = "gemma4v",
  .audio = FALSE,
  .load = gemma4_load,
};
