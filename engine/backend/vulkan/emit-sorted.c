/* Experts of many rows: a device sorts (row, chosen expert), the places, by their
 * experts, and products read each expert's weights once a tile of its places. */
#include "backend/vulkan/plan.h"

/* Places an expert, on average, from which tiles are faster than places one by one. */
#define LEAST_PLACES 2

typedef struct {
  const FacetNode     *n;
  const FacetVkWeight *w, *up;   /* up: of a gated pair */
  guint32              between;  /* rows from an expert's matrix in w to that in up, if those are one tensor */
  guint32              chosen, experts, least;
  int                  out, x, order;
  struct FacetPushSort sort;
  guint32              x_blocks;
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
  FacetDtype dtype = e->n->w[0]->dtype;
  gboolean dot = c->plan->vk->few_tiers[dtype] == FACET_VK_DOT, lanes = c->plan->vk->traits.slow_shared && !dot;
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (dtype), -1);
  g_autofree char *name = g_strdup_printf ("matmul%s%s-%s", e->up != NULL ? "-gated" : "", lanes ? "-lanes" : dot ? "-dot" : "", type);
  const guint32 by_lanes[] = { FACET_MATMUL_LANES, e->sort.tile, e->up != NULL ? 32 : 64, TRUE };
  const guint32 shared[] = { e->sort.tile, 64, 0, TRUE };

  *columns = lanes ? by_lanes[2] : shared[1];
  return facet_vk_begin (c, d, name, lanes ? by_lanes : shared, 4, e->n->rows, error);
}

static gboolean
emit_part (FacetVkCompiler *c, const Experts *e, int part, GError **error)
{
  const FacetVkPart *w = &e->w->parts[part];
  guint32 stride = (guint32) e->n->i[1], columns;
  struct FacetPushMatmul push = {
    .k = (guint32) e->n->w[0]->ne[0],
    .m = (guint32) e->n->w[0]->ne[1],
    .row_bytes = e->w->row_bytes,
    .y_stride = (guint32) e->n->w[0]->ne[1],
    .x_blocks = e->x_blocks,
    .places = e->sort.places,
    .share = e->n->op == FACET_OP_EXPERTS_UP ? e->chosen : 1,
    .first_expert = w->first / stride,
    .n_experts = w->count / stride,
    .expert_rows = stride,
    .up_at = e->between * e->w->row_bytes,
  };
  FacetVkDispatch d;

  if (!begin (c, e, &d, &columns, error))
    return FALSE;
  facet_vk_bind (&d, 1, e->out, TRUE);
  facet_vk_bind (&d, 2, e->x, FALSE);
  facet_vk_bind_range (&d, 3, w->range, FALSE);
  if (e->up != NULL)
    facet_vk_bind_range (&d, 4, e->up->parts[part].range, FALSE);
  else
    facet_vk_bind (&d, 4, e->x, FALSE);
  facet_vk_bind (&d, 5, e->order, FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.kind = FACET_VK_GROUPS_EXPERTS;
  d.rows_a_group = e->sort.tile;
  d.groups_a_row = e->chosen;
  d.experts = e->experts;
  d.least_rows = e->least;
  d.y = (push.m + columns - 1) / columns;
  d.cost = 2.0 * facet_vk_capacity (c->plan, e->n->rows) * e->chosen * push.k * push.m * (e->up != NULL ? 2 : 1) / e->w->n_parts;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_sorted_experts (FacetVkCompiler *c, const FacetNode *n, guint32 least, int out, GError **error)
{
  Experts e = { .n = n, .w = facet_vk_weight (c->plan->vk, n->w[0]), .chosen = chosen_of (c, n), .experts = (guint32) n->w[0]->ne[2],
                .least = least, .out = out, .x = n->src[0] };

  if (n->op == FACET_OP_EXPERTS_UP) {
    e.between = facet_vk_rows_between (n);
    e.up = e.between > 0 ? e.w : facet_vk_weight (c->plan->vk, n->w[1]);
  }
  e.order = sort (c, &e, error);
  if (e.order < 0)
    return FALSE;
  if (c->plan->vk->few_tiers[n->w[0]->dtype] == FACET_VK_DOT && (e.x = facet_vk_eights (c, e.x, &e.x_blocks, error)) < 0)
    return FALSE;
  for (int part = 0; part < e.w->n_parts; part++)
    if (!emit_part (c, &e, part, error))
      return FALSE;
  return TRUE;
}
