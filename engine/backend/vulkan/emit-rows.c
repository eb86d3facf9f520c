#include "backend/vulkan/plan.h"

static guint32
function_of (FacetOp op)
{
  switch (op) {
  case FACET_OP_ADD: return FACET_EW_ADD;
  case FACET_OP_MUL: return FACET_EW_MUL;
  case FACET_OP_SCALE: return FACET_EW_SCALE;
  case FACET_OP_GELU: return FACET_EW_GELU;
  case FACET_OP_GEGLU: return FACET_EW_GEGLU;
  case FACET_OP_SOFTCAP: return FACET_EW_SOFTCAP;
  case FACET_OP_RELU: return FACET_EW_RELU;
  case FACET_OP_SILU: return FACET_EW_SILU;
  case FACET_OP_CLAMP: return FACET_EW_CLAMP;
  case FACET_OP_GLU: return FACET_EW_GLU;
  default: g_assert_not_reached ();
  }
}

gboolean
facet_vk_emit_elementwise (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  guint32 function = function_of (n->op);
  gboolean binary = n->src[1] >= 0;
  struct FacetPushRows push = {
    .rows = (guint32) n->rows,
    .cols = (guint32) n->cols,
    .a = n->f[0],
    .b = n->f[1],
    .one_row = binary && facet_graph_node (c->plan->graph, n->src[1])->rows == 1,
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "elementwise", &function, 1, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  facet_vk_bind (&d, 3, binary ? n->src[1] : n->src[0], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.cols + 255) / 256;
  d.cost = 8.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_norm (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  gboolean rms = n->op == FACET_OP_RMS_NORM;
  guint32 group = (guint32) (rms ? n->i[0] : n->cols);
  struct FacetPushNorm push = {
    .rows = (guint32) n->rows,
    .group = group,
    .groups = (guint32) n->cols / group,
    .eps = n->f[0],
    .has_gain = n->w[0] != NULL,
    .has_bias = n->w[1] != NULL,
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, rms ? "rms-norm" : "layer-norm", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  for (int w = 0; w < 2; w++)
    if (n->w[w] != NULL)
      facet_vk_bind_range (&d, 3 + w, facet_vk_vector (c, n->w[w]), FALSE);
    else
      facet_vk_bind (&d, 3 + w, n->src[0], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = push.groups;
  d.cost = 8.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_rope (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  struct FacetPushRope push = {
    .rows = (guint32) n->rows,
    .head = (guint32) n->u.rope.head,
    .heads = (guint32) (n->cols / n->u.rope.head),
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "rope", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  facet_vk_bind (&d, 3, FACET_VK_ROPE (c->plan->ropes.of_node[node]), FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = ((guint32) n->cols / 2 + 63) / 64;
  d.cost = 8.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_outputs (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  struct FacetPushRows push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "outputs", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.cols + 255) / 256;
  d.cost = (double) facet_vk_capacity (c->plan, n->rows) * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_pool (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  struct FacetPushPool push = { .map_rows = (guint32) n->i[0], .map_cols = (guint32) n->i[1], .k = (guint32) n->i[2],
                                .cols = (guint32) n->cols };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "pool", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.cols + 255) / 256;
  d.cost = (double) n->rows * n->cols * push.k * push.k;
  facet_vk_end (c, &d);
  return TRUE;
}
