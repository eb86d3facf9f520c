/* Products of many rows by cooperative matrices. */
#include "backend/vulkan/plan.h"
#include "push-matrix.h"

/* Columns of one dispatch, as groups along y are limited. */
#define MOST_COLUMNS 65536
/* A work group's subgroups, a square. */
#define SUBGROUPS 4
/* Work groups that keep a device busy: larger tiles must leave as many. */
#define BUSY_GROUPS 32
/* Products of matrices that a subgroup has in one step of k, all unrolled:
 * larger code takes long to compile and runs out of registers. */
#define MOST_PRODUCTS 64
/* Side of the smallest tile: half of it is a multiple of every size of matrices. */
#define SMALLEST 32

int
facet_vk_halves (FacetVkCompiler *c, int x, guint32 parts, struct FacetPushHalve *push, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, x);
  guint32 rows = facet_vk_capacity (c->plan, n->rows) * parts, k = (guint32) n->cols / parts;
  FacetVkDispatch d;

  *push = (struct FacetPushHalve) {
    .rows = (guint32) n->rows,
    .k = k,
    .parts = parts,
    .stride = (k + FACET_MATRIX_DEPTH - 1) / FACET_MATRIX_DEPTH * FACET_MATRIX_DEPTH,
  };
  push->scales = rows * push->stride / 2;
  if (c->halves[x] >= 0)
    return c->halves[x];
  if (!facet_vk_begin (c, &d, "halve", NULL, 0, n->rows, error))
    return -1;
  c->halves[x] = facet_vk_scratch (c, sizeof (float) * ((gsize) push->scales + rows));
  facet_vk_bind (&d, 1, c->halves[x], TRUE);
  facet_vk_bind (&d, 2, x, FALSE);
  facet_vk_push (&d, push, sizeof *push);
  d.groups_a_row = parts;
  d.cost = 4.0 * rows * k;
  facet_vk_end (c, &d);
  return c->halves[x];
}

static guint32
shared_bytes (const FacetVk *vk, guint32 rows, guint32 cols, guint32 products)
{
  return 4 * (FACET_MATRIX_DEPTH / 2 + 4) * (rows + products * cols) + 4 * SUBGROUPS * products * vk->traits.matrix.m * vk->traits.matrix.n;
}

static guint32
products_a_step (const FacetVk *vk, guint32 rows, guint32 cols, guint32 products)
{
  return rows * cols / (SUBGROUPS * vk->traits.matrix.m * vk->traits.matrix.n) * (FACET_MATRIX_DEPTH / vk->traits.matrix.k) * products;
}

static gboolean
can_hold (const FacetVk *vk, guint32 rows, guint32 cols, guint32 products)
{
  return products_a_step (vk, rows, cols, products) <= MOST_PRODUCTS && shared_bytes (vk, rows, cols, products) <= vk->limits.shared;
}

/* The fewer tiles, the less often weights and rows are read again. */
static void
choose_tile (const FacetVk *vk, guint32 rows, guint32 m, guint32 products, guint32 tile[2])
{
  static const guint32 tiles[][2] = { { 128, 128 }, { 128, 64 }, { 64, 64 } };

  tile[0] = tile[1] = SMALLEST;
  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    guint32 high = tiles[i][0], wide = tiles[i][1];

    if (rows < high || m < wide || products * high * wide > 128 * 128 || !can_hold (vk, high, wide, products)
        || (rows + high - 1) / high * ((m + wide - 1) / wide) < BUSY_GROUPS)
      continue;
    tile[0] = high;
    tile[1] = wide;
    return;
  }
}

gboolean
facet_vk_begin_matrix (FacetVkCompiler *c, FacetVkDispatch *d, FacetDtype dtype, const guint32 tile[2], guint32 products, gboolean sorted, int rows,
                       GError **error)
{
  const FacetVkTraits *traits = &c->plan->vk->traits;
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (dtype), -1), *name = g_strconcat ("matmul-matrix-", type, NULL);
  const guint32 constants[] = { traits->subgroup, SUBGROUPS * traits->subgroup, traits->matrix.m, traits->matrix.n, traits->matrix.k,
                                tile[0], tile[1], products, (guint32) sorted };

  return facet_vk_begin (c, d, name, constants, G_N_ELEMENTS (constants), rows, error);
}

guint32
facet_vk_matrix_rows (const FacetVk *vk, guint32 average)
{
  for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++)
    if (vk->tiers[dtype] == FACET_VK_MATRIX)
      return average >= 2 * SMALLEST && can_hold (vk, 2 * SMALLEST, SMALLEST, 2) ? 2 * SMALLEST : SMALLEST;
  return 0;
}

guint32
facet_vk_matrix_columns (const FacetVk *vk, guint32 rows, guint32 products)
{
  return can_hold (vk, rows, 2 * SMALLEST, products) ? 2 * SMALLEST : SMALLEST;
}

typedef struct {
  const FacetNode       *product;  /* whose shape and input count */
  const FacetVkWeight   *w, *up;   /* up: of a gated pair */
  int                    out, x;
  struct FacetPushHalve  halves;
} Product;

static gboolean
emit_columns (FacetVkCompiler *c, const Product *p, int part, guint32 first, guint32 count, GError **error)
{
  const FacetTensor *tensor = p->product->w[0], *bias = p->product->w[1];
  VkDeviceSize offset = (VkDeviceSize) first * p->w->row_bytes, bytes = (VkDeviceSize) count * p->w->row_bytes;
  FacetVkRange range = p->w->parts[part].range;
  guint32 products = p->up != NULL ? 2 : 1, rows = facet_vk_capacity (c->plan, p->product->rows), tile[2];
  struct FacetPushMatrix push = {
    .rows = (guint32) p->product->rows,
    .k = (guint32) tensor->ne[0],
    .m = count,
    .row_bytes = p->w->row_bytes,
    .y_stride = (guint32) p->product->cols,
    .y_first = p->w->parts[part].first + first,
    .has_bias = bias != NULL,
    .stride = p->halves.stride,
    .scales = p->halves.scales,
  };
  FacetVkDispatch d;

  choose_tile (c->plan->vk, rows, count, products, tile);
  if (!facet_vk_begin_matrix (c, &d, tensor->dtype, tile, products, FALSE, p->product->rows, error))
    return FALSE;
  d.rows_a_group = tile[0];
  facet_vk_bind (&d, 1, p->out, TRUE);
  facet_vk_bind (&d, 2, p->x, FALSE);
  facet_vk_bind_range (&d, 3, (FacetVkRange) { range.buffer, range.offset + offset, bytes }, FALSE);
  range = p->up != NULL ? p->up->parts[part].range : range;
  if (p->up != NULL)
    facet_vk_bind_range (&d, 4, (FacetVkRange) { range.buffer, range.offset + offset, bytes }, FALSE);
  else if (bias != NULL)
    facet_vk_bind_range (&d, 4, facet_vk_vector (c, bias), FALSE);
  else
    facet_vk_bind (&d, 4, p->x, FALSE);
  facet_vk_bind (&d, 5, p->x, FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (count + tile[1] - 1) / tile[1];
  d.cost = 2.0 * rows * push.k * count * products;
  d.divisible = TRUE;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_matrix (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  Product p = { .product = n, .out = node };

  if (n->op == FACET_OP_GEGLU) {
    p.product = facet_graph_node (c->plan->graph, n->src[0]);
    p.up = facet_vk_weight (c->plan->vk, facet_graph_node (c->plan->graph, n->src[1])->w[0]);
  }
  p.w = facet_vk_weight (c->plan->vk, p.product->w[0]);
  p.x = facet_vk_halves (c, p.product->src[0], 1, &p.halves, error);
  if (p.x < 0)
    return FALSE;
  for (int part = 0; part < p.w->n_parts; part++)
    for (guint32 first = 0; first < p.w->parts[part].count; first += MOST_COLUMNS)
      if (!emit_columns (c, &p, part, first, MIN (MOST_COLUMNS, p.w->parts[part].count - first), error))
        return FALSE;
  return TRUE;
}
