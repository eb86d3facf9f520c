/* Experts of many rows: a device sorts (row, chosen expert), the places, by their
 * experts, and products read each expert's weights once a tile of its places. */
#include "backend/vulkan/plan.h"
#include "push-matrix.h"

/* Places an expert, on average, from which tiles are faster than places one by one. */
#define LEAST_PLACES 2

typedef struct {
  const FacetNode      *n;
  const FacetVkWeight  *w, *up;   /* up: of a gated pair */
  guint32               between;  /* rows from an expert's matrix in w to that in up, if those are one tensor */
  guint32               chosen, experts, least;
  int                   out, x, order;
  FacetVkTier           tier;
  struct FacetPushSort  sort;
  guint32               x_blocks; /* of DOT */
  struct FacetPushHalve halves;   /* of MATRIX */
} Experts;

static guint32
chosen_of (const FacetVkCompiler *c, const FacetNode *n)
{
  return (guint32) facet_graph_node (c->plan->graph, n->src[1])->i[0];
}

/* Every part must hold whole experts, a pair's both matrices. */
static gboolean
has_whole_experts (const FacetVkCompiler *c, const FacetNode *n)
{
  const FacetVkWeight *w = facet_vk_weight (c->plan->vk, n->w[0]);

  return n->w[0]->ne[2] <= FACET_SORT_EXPERTS && w->parts[0].count % (guint32) n->i[1] == 0
         && (n->op != FACET_OP_EXPERTS_UP || n->w[0]->dtype == n->w[1]->dtype);
}

guint32
facet_vk_sorted_experts_least (const FacetVkCompiler *c, const FacetNode *n)
{
  guint32 least = (LEAST_PLACES * (guint32) n->w[0]->ne[2] + chosen_of (c, n) - 1) / chosen_of (c, n);

  return has_whole_experts (c, n) ? MAX (least, FACET_VK_FEW_ROWS + 1) : G_MAXUINT32;
}

/* High tiles read weights less often, low ones are more often full. */
static guint32
rows_of_tile (const FacetVkCompiler *c, const Experts *e)
{
  guint32 average = facet_vk_capacity (c->plan, e->n->rows) * e->chosen / e->experts;
  guint32 matrix_rows = facet_vk_matrix_rows (c->plan->vk, average);

  if (matrix_rows > 0)
    return matrix_rows;
  return c->plan->vk->traits.slow_shared || average < 32 ? 16 : average < 64 ? 32 : 64;
}

/* The value that holds the sorted places, made when first asked for; -1 on failure. */
static int
sort (FacetVkCompiler *c, Experts *e, GError **error)
{
  int route = e->n->src[1];
  guint32 rows = facet_vk_capacity (c->plan, e->n->rows), tile = rows_of_tile (c, e), tiles;
  FacetVkDispatch d;

  e->sort = (struct FacetPushSort) { .rows = (guint32) e->n->rows, .experts = e->experts, .chosen = e->chosen, .tile = tile };
  tiles = (rows * e->chosen + MIN (rows * e->chosen, e->experts) * (tile - 1)) / tile;
  e->sort.places = 1 + FACET_SORT_TILE_WORDS * tiles;
  if (c->orders[route] >= 0)
    return c->orders[route];
  if (!facet_vk_begin (c, &d, "experts-sort", NULL, 0, e->n->rows, error))
    return -1;
  c->orders[route] = facet_vk_scratch (c, sizeof (guint32) * ((gsize) e->sort.places + (gsize) rows * e->chosen));
  facet_vk_bind (&d, 1, c->orders[route], TRUE);
  facet_vk_bind (&d, 2, route, FALSE);
  facet_vk_push (&d, &e->sort, sizeof e->sort);
  d.rows_a_group = rows;
  d.least_rows = e->least;
  d.cost = 4.0 * rows * e->chosen;
  facet_vk_end (c, &d);
  return c->orders[route];
}

static gboolean
begin (FacetVkCompiler *c, const Experts *e, FacetVkDispatch *d, guint32 *columns, GError **error)
{
  FacetVk *vk = c->plan->vk;
  FacetDtype dtype = e->n->w[0]->dtype;
  gboolean lanes = vk->traits.slow_shared && e->tier == FACET_VK_SCALAR;
  guint32 products = e->up != NULL ? 2 : 1;
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (dtype), -1);
  g_autofree char *name = g_strdup_printf ("matmul%s%s-%s", e->up != NULL ? "-gated" : "", lanes ? "-lanes" : e->tier == FACET_VK_DOT ? "-dot" : "", type);

  if (e->tier == FACET_VK_MATRIX) {
    *columns = facet_vk_matrix_columns (vk, e->sort.tile, products);
    return facet_vk_begin_matrix (c, d, dtype, (const guint32[]) { e->sort.tile, *columns }, products, TRUE, e->n->rows, error);
  }
  *columns = lanes && e->up != NULL ? 32 : 64;
  return facet_vk_begin (c, d, name,
                         lanes ? (const guint32[]) { FACET_MATMUL_LANES, e->sort.tile, *columns, TRUE }
                               : (const guint32[]) { e->sort.tile, *columns, 0, TRUE },
                         4, e->n->rows, error);
}

static void
push_part (const Experts *e, FacetVkDispatch *d, const FacetVkPart *w)
{
  guint32 stride = (guint32) e->n->i[1];
  struct FacetPushMatmul push = {
    .k = (guint32) e->n->w[0]->ne[0],
    .m = (guint32) e->n->w[0]->ne[1],
    .row_bytes = e->w->row_bytes,
    .y_stride = (guint32) e->n->w[0]->ne[1],
    .x_blocks = e->x_blocks,
    .sorted = {
      .places = e->sort.places,
      .share = e->n->op == FACET_OP_EXPERTS_UP ? e->chosen : 1,
      .first_expert = w->first / stride,
      .n_experts = w->count / stride,
      .expert_rows = stride,
      .up_at = e->between * e->w->row_bytes,
    },
  };
  struct FacetPushMatrix matrix = { .k = push.k, .m = push.m, .row_bytes = push.row_bytes, .y_stride = push.y_stride,
                                    .stride = e->halves.stride, .scales = e->halves.scales, .sorted = push.sorted };

  if (e->tier == FACET_VK_MATRIX)
    facet_vk_push (d, &matrix, sizeof matrix);
  else
    facet_vk_push (d, &push, sizeof push);
}

static gboolean
emit_part (FacetVkCompiler *c, const Experts *e, int part, GError **error)
{
  const FacetTensor *w = e->n->w[0];
  guint32 m = (guint32) w->ne[1], columns;
  FacetVkDispatch d;

  if (!begin (c, e, &d, &columns, error))
    return FALSE;
  facet_vk_bind (&d, 1, e->out, TRUE);
  facet_vk_bind (&d, 2, e->x, FALSE);
  facet_vk_bind_range (&d, 3, e->w->parts[part].range, FALSE);
  if (e->up != NULL)
    facet_vk_bind_range (&d, 4, e->up->parts[part].range, FALSE);
  else
    facet_vk_bind (&d, 4, e->x, FALSE);
  facet_vk_bind (&d, 5, e->order, FALSE);
  push_part (e, &d, &e->w->parts[part]);
  d.kind = FACET_VK_GROUPS_EXPERTS;
  d.rows_a_group = e->sort.tile;
  d.groups_a_row = e->chosen;
  d.experts = e->experts;
  d.least_rows = e->least;
  d.y = (m + columns - 1) / columns;
  d.cost = 2.0 * facet_vk_capacity (c->plan, e->n->rows) * e->chosen * (guint32) w->ne[0] * m * (e->up != NULL ? 2 : 1) / e->w->n_parts;
  facet_vk_end (c, &d);
  return TRUE;
}

/* Brings x into the form that the tier reads. */
static gboolean
prepare_x (FacetVkCompiler *c, Experts *e, GError **error)
{
  if (e->tier == FACET_VK_MATRIX)
    e->x = facet_vk_halves (c, e->x, e->n->op == FACET_OP_EXPERTS_UP ? 1 : e->chosen, &e->halves, error);
  else if (e->tier == FACET_VK_DOT)
    e->x = facet_vk_eights (c, e->x, &e->x_blocks, error);
  return e->x >= 0;
}

gboolean
facet_vk_emit_sorted_experts (FacetVkCompiler *c, const FacetNode *n, guint32 least, int out, GError **error)
{
  Experts e = { .n = n, .w = facet_vk_weight (c->plan->vk, n->w[0]), .chosen = chosen_of (c, n), .experts = (guint32) n->w[0]->ne[2],
                .least = least, .out = out, .x = n->src[0] };
  FacetDtype dtype = n->w[0]->dtype;

  if (n->op == FACET_OP_EXPERTS_UP) {
    e.between = facet_vk_rows_between (n);
    e.up = e.between > 0 ? e.w : facet_vk_weight (c->plan->vk, n->w[1]);
  }
  e.order = sort (c, &e, error);
  if (e.order < 0)
    return FALSE;
  e.tier = c->plan->vk->tiers[dtype] == FACET_VK_MATRIX ? FACET_VK_MATRIX : c->plan->vk->few_tiers[dtype];
  if (!prepare_x (c, &e, error))
    return FALSE;
  for (int part = 0; part < e.w->n_parts; part++)
    if (!emit_part (c, &e, part, error))
      return FALSE;
  return TRUE;
}
