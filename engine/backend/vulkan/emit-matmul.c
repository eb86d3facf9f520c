#include "backend/vulkan/plan.h"

/* Columns of one dispatch: groups along y are limited; with any row size the rows before a
 * multiple of it end at an aligned offset. */
#define MOST_COLUMNS 65536
/* Threads that share an output where no size of subgroups can be demanded. */
#define USUAL_LANES 16
/* Work groups that keep a device busy: larger tiles must leave as many. */
#define BUSY_GROUPS 32

static FacetVkRange
from_row (const FacetVkPart *part, guint32 row_bytes, guint32 first, guint32 count)
{
  return (FacetVkRange) { part->range.buffer, part->range.offset + (VkDeviceSize) first * row_bytes, (VkDeviceSize) count * row_bytes };
}

typedef struct {
  const FacetNode     *product;    /* whose shape and input count */
  const FacetVkWeight *w, *up;     /* up: of a gated pair */
  int                  out;        /* value that is written */
  int                  x;          /* value that is read */
  guint32              x_blocks;   /* of 8-bit integers */
  gboolean             few;
  FacetVkTier          tier;
  guint32              tile[2];    /* rows, columns of a work group */
} Product;

static gboolean
has_few_rows (const FacetVkCompiler *c, const FacetNode *n)
{
  return n->op != FACET_OP_CONV && facet_vk_capacity (c->plan, n->rows) <= FACET_VK_FEW_ROWS;
}

FacetVkTier
facet_vk_product_tier (const FacetVkCompiler *c, const FacetNode *product)
{
  const FacetVk *vk = c->plan->vk;
  FacetDtype dtype = product->w[0]->dtype;

  if (product->op == FACET_OP_CONV)
    return FACET_VK_SCALAR;
  return product->op != FACET_OP_MATMUL || has_few_rows (c, product) ? vk->few_tiers[dtype] : vk->tiers[dtype];
}

int
facet_vk_eights (FacetVkCompiler *c, int x, guint32 *blocks, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, x);
  gsize elements = (gsize) facet_vk_capacity (c->plan, n->rows) * n->cols;
  struct FacetPushQuantize push = { .rows = (guint32) n->rows, .k = (guint32) n->cols, .blocks = (guint32) (elements / 8) };
  FacetVkDispatch d;

  *blocks = push.blocks;
  if (c->eights[x] >= 0)
    return c->eights[x];
  if (!facet_vk_begin (c, &d, "quantize", NULL, 0, n->rows, error))
    return -1;
  c->eights[x] = facet_vk_scratch (c, elements + elements / 4);
  facet_vk_bind (&d, 1, c->eights[x], TRUE);
  facet_vk_bind (&d, 2, x, FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.k + 255) / 256;
  d.cost = 4.0 * elements;
  facet_vk_end (c, &d);
  return c->eights[x];
}

gboolean
facet_vk_begin_lanes (FacetVkCompiler *c, FacetVkDispatch *d, const char *name, FacetDtype dtype, guint32 at_once, int rows, guint32 *outputs,
                      GError **error)
{
  FacetVk *vk = c->plan->vk;
  gboolean subgroup = vk->traits.subgroup > 0;
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (dtype), -1);
  g_autofree char *full = g_strdup_printf ("%s%s%s-%s", name, vk->few_tiers[dtype] == FACET_VK_DOT ? "-dot" : "", subgroup ? "-subgroup" : "", type);
  guint32 constants[] = { subgroup ? vk->traits.subgroup : USUAL_LANES, at_once };

  *outputs = FACET_MATVEC_THREADS / constants[0];
  if (!facet_vk_begin (c, d, full, constants, at_once > 0 ? 2 : 1, rows, error))
    return FALSE;
  d->rows_a_group = MAX (at_once, 1);
  return TRUE;
}

/* Zeros before the first of @n places, of those that windows of @side need. */
static guint32
padding_before (int n, int side, int stride)
{
  return (guint32) (MAX (0, (facet_conv_out (n, stride) - 1) * stride + side - n) / 2);
}

/* Bytes of shared memory that matmul.comp takes, in its largest form. */
static guint32
tile_bytes (const Product *p, guint32 rows, guint32 cols)
{
  guint32 products = p->up != NULL ? 2 : 1;

  if (p->tier == FACET_VK_DOT)
    return 4 * (rows * (9 + 1 + 2) + products * cols * (9 + 2 + 2));
  return 4 * 16 * (rows + 1 + products * (cols + 1));
}

/* The fewer tiles, the less often weights and rows are read again. */
static void
choose_tile (const FacetPlan *plan, Product *p)
{
  static const guint32 tiles[][2] = { { 256, 128 }, { 128, 128 }, { 128, 64 } };
  guint32 rows = facet_vk_capacity (plan, p->product->rows), m = (guint32) p->product->cols;

  p->tile[0] = p->tile[1] = 64;
  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    guint32 high = tiles[i][0], wide = tiles[i][1], sums = high * wide * (p->up != NULL ? 2 : 1);

    if (rows < high || m < wide || sums > 256 * 128 || tile_bytes (p, high, wide) > plan->vk->limits.shared
        || (rows + high - 1) / high * ((m + wide - 1) / wide) < BUSY_GROUPS)
      continue;
    p->tile[0] = high;
    p->tile[1] = wide;
    return;
  }
}

/* Products that a subgroup computes from registers. */
static gboolean
by_lanes (const FacetVkCompiler *c, const Product *p)
{
  return c->plan->vk->traits.slow_shared && p->tier == FACET_VK_SCALAR && p->product->op != FACET_OP_CONV;
}

/* The widest of which compiling does not take long: all of a thread's sums are unrolled. */
static gboolean
begin_by_lanes (FacetVkCompiler *c, const Product *p, const char *type, FacetVkDispatch *d, guint32 *columns, GError **error)
{
  const guint32 constants[] = { FACET_MATMUL_LANES, 16, p->up != NULL ? 32 : 64 };
  g_autofree char *name = g_strdup_printf ("matmul%s-lanes-%s", p->up != NULL ? "-gated" : "", type);

  if (!facet_vk_begin (c, d, name, constants, G_N_ELEMENTS (constants), p->product->rows, error))
    return FALSE;
  d->rows_a_group = constants[1];
  *columns = constants[2];
  return TRUE;
}

static gboolean
begin_product (FacetVkCompiler *c, const Product *p, FacetVkDispatch *d, guint32 *columns, GError **error)
{
  const FacetTensor *w = p->product->w[0];
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (w->dtype), -1), *name = NULL;

  if (p->few)
    return facet_vk_begin_lanes (c, d, p->up != NULL ? "matvec-gated" : "matvec", w->dtype,
                                 MIN (facet_vk_capacity (c->plan, p->product->rows), FACET_VK_FEW_ROWS), p->product->rows, columns, error);
  if (by_lanes (c, p))
    return begin_by_lanes (c, p, type, d, columns, error);
  name = p->product->op == FACET_OP_CONV
         ? g_strdup_printf ("conv-%s", type)
         : g_strdup_printf ("matmul%s%s-%s", p->up != NULL ? "-gated" : "", p->tier == FACET_VK_DOT ? "-dot" : "", type);
  *columns = p->tile[1];
  if (!facet_vk_begin (c, d, name, p->tile, 2, p->product->rows, error))
    return FALSE;
  d->rows_a_group = p->tile[0];
  return TRUE;
}

static gboolean
emit_columns (FacetVkCompiler *c, const Product *p, int part, guint32 first, guint32 count, GError **error)
{
  const FacetTensor *tensor = p->product->w[0], *bias = p->product->w[1];
  guint32 k = (guint32) tensor->ne[0], columns;
  struct FacetPushMatmul push = {
    .rows = (guint32) p->product->rows,
    .k = k,
    .m = count,
    .row_bytes = p->w->row_bytes,
    .y_stride = (guint32) p->product->cols,
    .y_first = p->w->parts[part].first + first,
    .has_bias = bias != NULL,
    .x_blocks = p->x_blocks,
  };
  FacetVkDispatch d;

  if (p->product->op == FACET_OP_CONV) {
    push.map_rows = (guint32) p->product->i[0];
    push.map_cols = (guint32) p->product->i[1];
    push.side = (guint32) p->product->i[2];
    push.stride = (guint32) p->product->i[3];
    push.pad_top = padding_before (p->product->i[0], p->product->i[2], p->product->i[3]);
    push.pad_left = padding_before (p->product->i[1], p->product->i[2], p->product->i[3]);
  }
  if (!begin_product (c, p, &d, &columns, error))
    return FALSE;
  facet_vk_bind (&d, 1, p->out, TRUE);
  facet_vk_bind (&d, 2, p->x, FALSE);
  facet_vk_bind_range (&d, 3, from_row (&p->w->parts[part], p->w->row_bytes, first, count), FALSE);
  if (p->up != NULL)
    facet_vk_bind_range (&d, 4, from_row (&p->up->parts[part], p->w->row_bytes, first, count), FALSE);
  else if (bias != NULL)
    facet_vk_bind_range (&d, 4, facet_vk_vector (c, bias), FALSE);
  else
    facet_vk_bind (&d, 4, p->x, FALSE);
  facet_vk_bind (&d, 5, p->x, FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (count + columns - 1) / columns;
  d.cost = 2.0 * facet_vk_capacity (c->plan, p->product->rows) * k * count * (p->up != NULL ? 2 : 1);
  d.divisible = TRUE;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_matmul (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  Product p = { .product = n, .out = node, .few = has_few_rows (c, n) };

  if (n->op == FACET_OP_GEGLU) {
    p.product = facet_graph_node (c->plan->graph, n->src[0]);
    p.up = facet_vk_weight (c->plan->vk, facet_graph_node (c->plan->graph, n->src[1])->w[0]);
  }
  p.tier = facet_vk_product_tier (c, p.product);
  if (p.tier == FACET_VK_MATRIX)
    return facet_vk_emit_matrix (c, node, error);
  p.w = facet_vk_weight (c->plan->vk, p.product->w[0]);
  p.x = p.product->src[0];
  if (p.tier == FACET_VK_DOT) {
    p.x = facet_vk_eights (c, p.x, &p.x_blocks, error);
    if (p.x < 0)
      return FALSE;
  }
  choose_tile (c->plan, &p);
  for (int part = 0; part < p.w->n_parts; part++)
    for (guint32 first = 0; first < p.w->parts[part].count; first += MOST_COLUMNS)
      if (!emit_columns (c, &p, part, first, MIN (MOST_COLUMNS, p.w->parts[part].count - first), error))
        return FALSE;
  return TRUE;
}

gboolean
facet_vk_emit_depthwise (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  struct FacetPushDepthwise push = {
    .cols = (guint32) n->cols,
    .map_rows = (guint32) n->i[0],
    .map_cols = (guint32) n->i[1],
    .side = (guint32) n->i[2],
    .stride = (guint32) n->i[3],
    .pad_top = padding_before (n->i[0], n->i[2], n->i[3]),
    .pad_left = padding_before (n->i[1], n->i[2], n->i[3]),
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "depthwise", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  facet_vk_bind_range (&d, 3, facet_vk_vector (c, n->w[0]), FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.cols + 255) / 256;
  d.cost = 2.0 * n->rows * n->cols * n->i[2] * n->i[2];
  facet_vk_end (c, &d);
  return TRUE;
}
