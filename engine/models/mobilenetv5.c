/* MobileNet-V5 (timm's mobilenetv5; blocks of MobileNetV4, arXiv 2404.10518) and
 * the projector of Gemma 3n. Maps of shrinking size and growing depth pass edge
 * residuals, universal inverted residuals and multi-query attention; the last
 * two sizes are fused. Kinds of blocks, kernels and channels follow from the
 * tensors; the keys of the usual vision transformer are dummies in such files. */
#include "models/conv-weights.h"
#include "models/encoder.h"

#include <math.h>
#include <string.h>

#include "media/picture-layout.h"

#define EPS 1e-6f
#define OUT_SIDE 16   /* of the fused map */
#define MAX_HEADS 32  /* query heads that share a key */

typedef enum { EDGE_RESIDUAL, INVERTED_RESIDUAL, ATTENTION } BlockKind;

typedef struct {
  BlockKind kind;
  int       stage, stride;
  FacetConv start, expand, mid, project;                    /* edge: expand and project; start and mid may be missing */
  FacetConv query, key_down, key, value_down, value, output;
  const FacetTensor *norm, *scale;                          /* scale may be missing */
} Block;

typedef struct {
  FacetEncoder base;
  int       side;
  FacetConv stem, fuse_expand, fuse_project;
  const FacetTensor *stem_bias, *fuse_norm, *soft_norm, *projection;
  GArray    *blocks;  /* Block */
  int       n_stages;
  GPtrArray *made, *owned;
} MobileNet;

/* Where the graph has got to. */
typedef struct {
  int x, side, channels;
} Map;

/* ---- reading the file ---- */

static char *
block_name (int stage, int block, const char *part)
{
  return g_strdup_printf ("v.blk.%d.%d.%s", stage, block, part);
}

static gboolean
has_part (FacetConvReader *r, int stage, int block, const char *part)
{
  g_autofree char *name = block_name (stage, block, part);

  return facet_conv_has (r, name);
}

static void
read_part (FacetConvReader *r, FacetConv *conv, gboolean depthwise, int in, int stage, int block, const char *part, const char *norm)
{
  g_autofree char *name = block_name (stage, block, part), *norm_name = norm != NULL ? block_name (stage, block, norm) : NULL;

  facet_conv_read (r, conv, depthwise, in, name, norm_name);
}

/* FALSE: there is no such block. */
static gboolean
find_kind (FacetConvReader *r, int stage, int block, BlockKind *kind)
{
  static const char *const parts[] = { "conv_exp.weight", "pw_exp.conv.weight", "attn.query.proj.weight" };

  for (int k = 0; k < 3; k++)
    if (has_part (r, stage, block, parts[k])) {
      *kind = (BlockKind) k;
      return TRUE;
    }
  return FALSE;
}

static void
read_edge (FacetConvReader *r, Block *b, int block, int in)
{
  read_part (r, &b->expand, FALSE, in, b->stage, block, "conv_exp.weight", "bn1.weight");
  read_part (r, &b->project, FALSE, b->expand.out, b->stage, block, "conv_pwl.weight", "bn2.weight");
}

static void
read_inverted (FacetConvReader *r, Block *b, int block, int in)
{
  if (has_part (r, b->stage, block, "dw_start.conv.weight"))
    read_part (r, &b->start, TRUE, in, b->stage, block, "dw_start.conv.weight", "dw_start.bn.weight");
  read_part (r, &b->expand, FALSE, in, b->stage, block, "pw_exp.conv.weight", "pw_exp.bn.weight");
  if (has_part (r, b->stage, block, "dw_mid.conv.weight"))
    read_part (r, &b->mid, TRUE, b->expand.out, b->stage, block, "dw_mid.conv.weight", "dw_mid.bn.weight");
  read_part (r, &b->project, FALSE, b->expand.out, b->stage, block, "pw_proj.conv.weight", "pw_proj.bn.weight");
  if (b->stride != 1 && b->start.w == NULL && b->mid.w == NULL)
    facet_loader_fault (r->loader, "block v.blk.%d.%d has no convolution that could halve the map", b->stage, block);
}

static void
read_attention (FacetConvReader *r, Block *b, int block, int in)
{
  g_autofree char *norm = block_name (b->stage, block, "norm.weight");

  b->norm = facet_conv_vector (r, in, norm);
  read_part (r, &b->query, FALSE, in, b->stage, block, "attn.query.proj.weight", NULL);
  if (has_part (r, b->stage, block, "attn.key.down_conv.weight"))
    read_part (r, &b->key_down, TRUE, in, b->stage, block, "attn.key.down_conv.weight", "attn.key.norm.weight");
  read_part (r, &b->key, FALSE, in, b->stage, block, "attn.key.proj.weight", NULL);
  if (has_part (r, b->stage, block, "attn.value.down_conv.weight"))
    read_part (r, &b->value_down, TRUE, in, b->stage, block, "attn.value.down_conv.weight", "attn.value.norm.weight");
  read_part (r, &b->value, FALSE, in, b->stage, block, "attn.value.proj.weight", NULL);
  if (b->query.out % b->key.out != 0 || b->query.out / b->key.out > MAX_HEADS)
    facet_loader_fault (r->loader, "block v.blk.%d.%d: %d query channels are no 1 to %d heads of the %d of a key", b->stage, block,
                        b->query.out, MAX_HEADS, b->key.out);
  if (b->query.k != 1 || b->key.k != 1 || b->value.k != 1 || (b->key_down.w == NULL) != (b->value_down.w == NULL))
    facet_loader_fault (r->loader, "block v.blk.%d.%d: keys and values are of different places", b->stage, block);
  read_part (r, &b->output, FALSE, b->query.out / b->key.out * b->value.out, b->stage, block, "attn.output.proj.weight", NULL);
}

/* Channels that leave it. */
static int
read_block (FacetConvReader *r, Block *b, int block, int in)
{
  int out;

  if (b->kind == EDGE_RESIDUAL)
    read_edge (r, b, block, in);
  else if (b->kind == INVERTED_RESIDUAL)
    read_inverted (r, b, block, in);
  else
    read_attention (r, b, block, in);
  out = b->kind == ATTENTION ? b->output.out : b->project.out;
  if (b->kind == ATTENTION && (out != in || b->stride != 1))
    facet_loader_fault (r->loader, "block v.blk.%d.%d: attention changes the map's shape", b->stage, block);
  if (has_part (r, b->stage, block, "layer_scale.gamma")) {
    g_autofree char *scale = block_name (b->stage, block, "layer_scale.gamma");

    b->scale = facet_conv_vector (r, out, scale);
  }
  return out;
}

/* Each stage's first block halves the map. Writes channels by stage. */
static void
read_stages (MobileNet *m, FacetConvReader *r, GArray *channels)
{
  int in = m->stem.out, n;

  do {
    Block b = { .stage = m->n_stages };

    for (n = 0; find_kind (r, b.stage, n, &b.kind); n++) {
      b = (Block) { .kind = b.kind, .stage = b.stage, .stride = n == 0 ? 2 : 1 };
      in = read_block (r, &b, n, in);
      g_array_append_val (m->blocks, b);
    }
    if (n > 0) {
      g_array_append_val (channels, in);
      m->n_stages++;
    }
  } while (n > 0);
}

static int
side_after (const MobileNet *m, int stages)
{
  int side = facet_conv_out (m->side, 2);

  for (int i = 0; i < stages; i++)
    side = facet_conv_out (side, 2);
  return side;
}

static void
read_fusion (MobileNet *m, FacetConvReader *r, const GArray *channels)
{
  int high, low, in;

  if (m->n_stages < 2) {
    facet_loader_fault (r->loader, "tensors v.blk.STAGE.BLOCK.* make %d stages, not two or more", m->n_stages);
    return;
  }
  high = side_after (m, m->n_stages - 1);
  low = side_after (m, m->n_stages);
  if (high % OUT_SIDE != 0 || high % low != 0)
    facet_loader_fault (r->loader, "a picture of %d pixels ends in maps of %d and %d, not multiples of %d", m->side, high, low, OUT_SIDE);
  in = g_array_index (channels, int, channels->len - 2) + g_array_index (channels, int, channels->len - 1);
  facet_conv_read (r, &m->fuse_expand, FALSE, in, "v.msfa.ffn.pw_exp.conv.weight", "v.msfa.ffn.pw_exp.bn.weight");
  facet_conv_read (r, &m->fuse_project, FALSE, m->fuse_expand.out, "v.msfa.ffn.pw_proj.conv.weight", "v.msfa.ffn.pw_proj.bn.weight");
  m->fuse_norm = facet_conv_vector (r, m->fuse_project.out, "v.msfa.norm.weight");
  m->soft_norm = facet_conv_vector (r, m->fuse_project.out, "mm.soft_emb_norm.weight");
  m->projection = facet_loader_matrix (r->loader, m->fuse_project.out, m->base.width, "mm.input_projection.weight");
}

static void
mobilenet_free (FacetEncoder *encoder)
{
  MobileNet *m = (MobileNet *) encoder;

  g_clear_pointer (&m->owned, g_ptr_array_unref);
  g_clear_pointer (&m->made, g_ptr_array_unref);
  g_array_unref (m->blocks);
  g_free (m);
}

/* ---- the graph ---- */

/* The convolution and its norm; the map is what comes out. */
static void
convolve (FacetGraph *g, Map *map, const FacetConv *conv, int stride, const FacetTensor *bias)
{
  if (conv->depthwise)
    map->x = facet_g_depthwise (g, map->x, map->side, map->side, conv->k, stride, conv->w);
  else if (conv->k == 1 && stride == 1)
    map->x = facet_g_matmul (g, map->x, conv->w, bias);
  else
    map->x = facet_g_conv (g, map->x, map->side, map->side, conv->k, stride, conv->w, bias);
  map->side = facet_conv_out (map->side, stride);
  map->channels = conv->out;
  if (conv->norm != NULL)
    map->x = facet_g_rms_norm (g, map->x, conv->norm, conv->out, EPS);
}

static void
activate (FacetGraph *g, Map *map)
{
  map->x = facet_g_gelu (g, map->x);
}

static void
residual (FacetGraph *g, Map *map, const Block *b)
{
  if (b->start.w != NULL)
    convolve (g, map, &b->start, b->mid.w != NULL ? 1 : b->stride, NULL);
  convolve (g, map, &b->expand, b->kind == EDGE_RESIDUAL ? b->stride : 1, NULL);
  activate (g, map);
  if (b->mid.w != NULL) {
    convolve (g, map, &b->mid, b->stride, NULL);
    activate (g, map);
  }
  convolve (g, map, &b->project, 1, NULL);
}

/* Keys and values of one head, which all queries share; they may be of a
 * smaller map. */
static void
attend (FacetGraph *g, Map *map, const Block *b)
{
  int n_head = b->query.out / b->key.out;
  FacetAttention at = { .cache = -1, .n_head = n_head, .n_kv = 1, .head_k = b->key.out, .head_v = b->value.out,
                        .scale = 1 / sqrtf ((float) b->key.out) };
  Map query = *map, key, value;

  query.x = facet_g_rms_norm (g, map->x, b->norm, map->channels, EPS);
  key = value = query;
  if (b->key_down.w != NULL) {
    convolve (g, &key, &b->key_down, 2, NULL);
    convolve (g, &value, &b->value_down, 2, NULL);
  }
  convolve (g, &query, &b->query, 1, NULL);
  convolve (g, &key, &b->key, 1, NULL);
  convolve (g, &value, &b->value, 1, NULL);
  map->x = facet_g_attention (g, query.x, key.x, value.x, &at);
  convolve (g, map, &b->output, 1, NULL);
}

static void
block (FacetGraph *g, Map *map, const Block *b)
{
  int scale = b->scale != NULL ? facet_g_table (g, b->scale) : -1;
  Map before = *map;

  if (b->kind == ATTENTION)
    attend (g, map, b);
  else
    residual (g, map, b);
  if (scale >= 0)
    map->x = facet_g_mul (g, map->x, scale);
  if (map->side == before.side && map->channels == before.channels)
    map->x = facet_g_add (g, map->x, before.x);
}

/* Both maps in the size of the larger one, side by side, mixed and pooled. */
static int
fuse (const MobileNet *m, FacetGraph *g, const Map *high, const Map *low)
{
  Map map = *high;

  map.x = facet_g_concat (g, high->x, facet_g_upsample (g, low->x, low->side, low->side, high->side / low->side));
  convolve (g, &map, &m->fuse_expand, 1, NULL);
  activate (g, &map);
  convolve (g, &map, &m->fuse_project, 1, NULL);
  map.x = facet_g_pool (g, map.x, map.side, map.side, map.side / OUT_SIDE);
  return facet_g_rms_norm (g, map.x, m->fuse_norm, map.channels, EPS);
}

static FacetGraph *
mobilenet_build (FacetEncoder *encoder, int shape, gboolean mark)
{
  MobileNet *m = (MobileNet *) encoder;
  FacetGraph *g = facet_graph_new ();
  Map map = { facet_g_input (g, 0, m->side * m->side, 3), m->side, 3 }, high = map;
  int inner = m->fuse_project.out, x;

  convolve (g, &map, &m->stem, 2, m->stem_bias);
  activate (g, &map);
  if (mark)
    facet_graph_mark_layer (g, map.x, -1);
  for (guint i = 0; i < m->blocks->len; i++) {
    const Block *b = &g_array_index (m->blocks, Block, i);

    if (b->stage == m->n_stages - 1 && b->stride == 2)
      high = map;
    block (g, &map, b);
    if (mark)
      facet_graph_mark_layer (g, map.x, (int) i);
  }
  x = fuse (m, g, &high, &map);
  if (mark)
    facet_graph_mark_layer (g, x, (int) m->blocks->len);
  x = facet_g_rms_norm (g, facet_g_scale (g, x, sqrtf ((float) inner)), m->soft_norm, inner, EPS);
  x = facet_g_matmul (g, x, m->projection, NULL);
  facet_graph_set_result (g, facet_g_rms_norm (g, x, NULL, m->base.width, EPS));
  return g;
}

/* ---- pictures ---- */

static int
mobilenet_count (FacetEncoder *encoder, int width, int height)
{
  return encoder->detail;
}

/* Stretched to the square, values 0 to 1. */
static gboolean
mobilenet_prepare (FacetEncoder *encoder, const FacetImage *image, const int box[4], FacetEncoderInput *input, GError **error)
{
  static const float mean[3] = { 0, 0, 0 }, std[3] = { 1, 1, 1 };
  MobileNet *m = (MobileNet *) encoder;

  memset (input, 0, sizeof *input);
  input->n_tokens = encoder->detail;
  facet_encoder_input_resize (input, image, box, m->side, m->side, FACET_RESIZE_BILINEAR);
  input->data[0] = g_new (float, (gsize) m->side * m->side * 3);
  facet_patchify (input->pixels, m->side, m->side, 1, mean, std, input->data[0]);
  return TRUE;
}

static FacetEncoder *
mobilenet_load (FacetGguf *gguf, GError **error)
{
  MobileNet *m = g_new0 (MobileNet, 1);
  g_autoptr (GArray) channels = g_array_new (FALSE, FALSE, sizeof (int));
  FacetLoader loader;
  FacetConvReader reader;

  m->base = (FacetEncoder) { .klass = &facet_encoder_mobilenetv5, .detail = OUT_SIDE * OUT_SIDE, .count = mobilenet_count,
                             .prepare_image = mobilenet_prepare, .build = mobilenet_build, .free = mobilenet_free };
  m->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  facet_loader_init (&loader, gguf, "clip.vision");
  facet_conv_reader_init (&reader, &loader);
  m->side = facet_loader_int (&loader, "image_size", OUT_SIDE, 4096);
  m->base.width = facet_loader_int (&loader, "projection_dim", 1, 1 << 16);
  facet_conv_read (&reader, &m->stem, FALSE, 3, "v.conv_stem.conv.weight", "v.conv_stem.bn.weight");
  m->stem_bias = facet_conv_vector (&reader, m->stem.out, "v.conv_stem.conv.bias");
  read_stages (m, &reader, channels);
  read_fusion (m, &reader, channels);
  m->made = facet_conv_reader_finish (&reader, "v.");
  if (!facet_loader_finish (&loader, &m->owned, error)) {
    mobilenet_free (&m->base);
    return NULL;
  }
  return &m->base;
}

const FacetEncoderClass facet_encoder_mobilenetv5 = {
  .type = "gemma3nv",
  .audio = FALSE,
  .load = mobilenet_load,
};
