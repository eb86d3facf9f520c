#include "backend/vulkan/plan.h"

guint32
facet_vk_rows_between (const FacetNode *n)
{
  gsize row_bytes = facet_dtype_row_bytes (n->w[0]->dtype, (gsize) n->w[0]->ne[0]);
  const guint8 *gate = n->w[0]->data, *up = n->op == FACET_OP_EXPERTS_UP ? n->w[1]->data : NULL;

  return up > gate && up < gate + row_bytes * (gsize) n->i[1] ? (guint32) ((gsize) (up - gate) / row_bytes) : 0;
}

/* All experts' matrices, a pair's in one if they are. */
static void
require (FacetVkCompiler *c, const FacetNode *n, const FacetTensor *w, GPtrArray *tensors)
{
  FacetTensor *whole = g_memdup2 (w, sizeof *w);

  whole->ne[1] = n->i[1];
  g_ptr_array_add (c->owned, whole);
  g_ptr_array_add (tensors, whole);
}

void
facet_vk_require_experts (FacetVkCompiler *c, const FacetNode *n, GPtrArray *tensors)
{
  require (c, n, n->w[0], tensors);
  if (n->op == FACET_OP_EXPERTS_UP && facet_vk_rows_between (n) == 0)
    require (c, n, n->w[1], tensors);
}

gboolean
facet_vk_emit_route (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  struct FacetPushRoute push = {
    .rows = (guint32) n->rows,
    .experts = (guint32) facet_graph_node (c->plan->graph, n->src[0])->cols,
    .chosen = (guint32) n->i[0],
    .has_scale = n->w[0] != NULL,
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "route", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  if (n->w[0] != NULL)
    facet_vk_bind_range (&d, 3, facet_vk_vector (c, n->w[0]), FALSE);
  else
    facet_vk_bind (&d, 3, n->src[0], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.rows_a_group = 32;
  d.cost = 4.0 * facet_vk_capacity (c->plan, n->rows) * push.experts * push.chosen;
  facet_vk_end (c, &d);
  return TRUE;
}

/* The chosen experts' products with the matrices @w, place by place, into value
 * @out, for steps of @most rows at most. */
static gboolean
emit_places (FacetVkCompiler *c, const FacetNode *n, const FacetTensor *w, guint32 x_step, guint32 most, int out, GError **error)
{
  guint32 offset = w == n->w[1] ? facet_vk_rows_between (n) : 0;
  const FacetVkWeight *weight = facet_vk_weight (c->plan->vk, offset > 0 ? n->w[0] : w);
  int x = n->src[0];
  struct FacetPushExperts push = {
    .rows = (guint32) n->rows,
    .k = (guint32) w->ne[0],
    .m = (guint32) w->ne[1],
    .row_bytes = weight->row_bytes,
    .stride = (guint32) n->i[1],
    .offset = offset,
    .chosen = (guint32) facet_graph_node (c->plan->graph, n->src[1])->i[0],
    .x_cols = (guint32) facet_graph_node (c->plan->graph, n->src[0])->cols,
    .x_step = x_step,
  };

  if (c->plan->vk->few_tiers[w->dtype] == FACET_VK_DOT && (x = facet_vk_eights (c, x, &push.x_blocks, error)) < 0)
    return FALSE;
  for (int part = 0; part < weight->n_parts; part++) {
    FacetVkDispatch d;
    guint32 outputs;

    push.first = weight->parts[part].first;
    push.count = weight->parts[part].count;
    if (!facet_vk_begin_lanes (c, &d, "experts", w->dtype, 0, n->rows, &outputs, error))
      return FALSE;
    facet_vk_bind (&d, 1, out, TRUE);
    facet_vk_bind (&d, 2, x, FALSE);
    facet_vk_bind_range (&d, 3, weight->parts[part].range, FALSE);
    facet_vk_bind (&d, 4, n->src[1], FALSE);
    facet_vk_push (&d, &push, sizeof push);
    d.groups_a_row = push.chosen;
    d.most_rows = most;
    d.y = (push.m + outputs - 1) / outputs;
    d.cost = 2.0 * facet_vk_capacity (c->plan, n->rows) * push.chosen * push.k * push.m / weight->n_parts;
    facet_vk_end (c, &d);
  }
  return TRUE;
}

static gsize
products_bytes (const FacetVkCompiler *c, const FacetNode *n, guint32 most, gint64 columns)
{
  guint32 rows = MIN (facet_vk_capacity (c->plan, n->rows), most);

  return sizeof (float) * rows * (gsize) facet_graph_node (c->plan->graph, n->src[1])->i[0] * (gsize) columns;
}

/* Of node @node, an EXPERTS_UP, for steps of @most rows at most. */
static gboolean
emit_up_places (FacetVkCompiler *c, int node, guint32 most, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  guint32 function = FACET_EW_GEGLU;
  int gate = facet_vk_scratch (c, products_bytes (c, n, most, n->w[0]->ne[1]));
  int up = facet_vk_scratch (c, products_bytes (c, n, most, n->w[1]->ne[1]));
  struct FacetPushRows push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols };
  FacetVkDispatch d;

  if (!emit_places (c, n, n->w[0], 0, most, gate, error) || !emit_places (c, n, n->w[1], 0, most, up, error)
      || !facet_vk_begin (c, &d, "elementwise", &function, 1, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, gate, FALSE);
  facet_vk_bind (&d, 3, up, FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.most_rows = most;
  d.y = (push.cols + 255) / 256;
  d.cost = 8.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}

/* How many rows steps of the node have at least. */
static guint32
fewest_rows (const FacetNode *n)
{
  return n->rows > 0 ? (guint32) n->rows : 1;
}

gboolean
facet_vk_emit_experts_up (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  guint32 least = facet_vk_sorted_experts_least (c, n);

  return (fewest_rows (n) >= least || emit_up_places (c, node, least - 1, error))
         && (facet_vk_capacity (c->plan, n->rows) < least || facet_vk_emit_sorted_experts (c, n, least, node, error));
}

gboolean
facet_vk_emit_experts_down (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  guint32 least = facet_vk_sorted_experts_least (c, n);
  int products = facet_vk_scratch (c, products_bytes (c, n, G_MAXUINT32, n->cols));
  struct FacetPushExperts push = { .rows = (guint32) n->rows, .m = (guint32) n->cols,
                                   .chosen = (guint32) facet_graph_node (c->plan->graph, n->src[1])->i[0] };
  FacetVkDispatch d;

  if ((fewest_rows (n) < least && !emit_places (c, n, n->w[0], (guint32) n->w[0]->ne[0], least - 1, products, error))
      || (facet_vk_capacity (c->plan, n->rows) >= least && !facet_vk_emit_sorted_experts (c, n, least, products, error))
      || !facet_vk_begin (c, &d, "experts-sum", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, products, FALSE);
  facet_vk_bind (&d, 3, n->src[1], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.m + 255) / 256;
  d.cost = 2.0 * facet_vk_capacity (c->plan, n->rows) * push.chosen * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}
