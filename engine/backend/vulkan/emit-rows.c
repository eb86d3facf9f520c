#include "backend/vulkan/plan.h"

#define COLUMNS 256 /* of a work group of most shaders here */

static const FacetNode *
node_at (const FacetVkCompiler *c, int node)
{
  return facet_graph_node (c->plan->graph, node);
}

static guint32
columns_of (const FacetVkCompiler *c, int node)
{
  return node >= 0 ? (guint32) node_at (c, node)->cols : 0;
}

/* Binds the result, then the sources in order; those that are none stand for
 * the first, which the shader does not read then. */
static gboolean
begin (FacetVkCompiler *c, FacetVkDispatch *d, int node, const char *shader, const guint32 *constant, double cost, GError **error)
{
  const FacetNode *n = node_at (c, node);

  if (!facet_vk_begin (c, d, shader, constant, constant != NULL ? 1 : 0, n->rows, error))
    return FALSE;
  facet_vk_bind (d, 1, node, TRUE);
  for (int s = 0; s < FACET_MAX_SRC; s++)
    facet_vk_bind (d, 2 + s, n->src[s] >= 0 ? n->src[s] : n->src[0], FALSE);
  d->y = ((guint32) n->cols + COLUMNS - 1) / COLUMNS;
  d->cost = cost * facet_vk_capacity (c->plan, n->rows) * n->cols;
  return TRUE;
}

static gboolean
end (FacetVkCompiler *c, FacetVkDispatch *d, gconstpointer push, gsize bytes)
{
  facet_vk_push (d, push, bytes);
  facet_vk_end (c, d);
  return TRUE;
}

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
  case FACET_OP_COLUMNS: return FACET_SHAPE_COLUMNS;
  case FACET_OP_CONCAT: return FACET_SHAPE_CONCAT;
  case FACET_OP_EVERY: return FACET_SHAPE_EVERY;
  case FACET_OP_RESHAPE: return FACET_SHAPE_COPY;
  case FACET_OP_PATCHES: return FACET_SHAPE_PATCHES;
  case FACET_OP_UPSAMPLE: return FACET_SHAPE_UPSAMPLE;
  case FACET_OP_ALTUP_PREDICT: return FACET_ALTUP_PREDICT;
  case FACET_OP_ALTUP_CORRECT: return FACET_ALTUP_CORRECT;
  case FACET_OP_ALTUP_INJECT: return FACET_ALTUP_INJECT;
  case FACET_OP_MATCH_RMS: return FACET_ROW_MATCH_RMS;
  case FACET_OP_GAUSSIAN_TOPK: return FACET_ROW_GAUSSIAN_TOPK;
  default: g_assert_not_reached ();
  }
}

gboolean
facet_vk_emit_elementwise (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  guint32 function = function_of (n->op);
  struct FacetPushRows push = {
    .rows = (guint32) n->rows,
    .cols = (guint32) n->cols,
    .a = n->f[0],
    .b = n->f[1],
    .one_row = n->src[1] >= 0 && node_at (c, n->src[1])->rows == 1,
  };
  FacetVkDispatch d;

  return begin (c, &d, node, "elementwise", &function, 8, error) && end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_shape (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  guint32 function = function_of (n->op);
  struct FacetPushShape push = {
    .rows = (guint32) n->rows,
    .cols = (guint32) n->cols,
    .a_cols = columns_of (c, n->src[0]),
    .b_cols = columns_of (c, n->src[1]),
    .i0 = (guint32) n->i[0],
    .i1 = (guint32) n->i[1],
    .i2 = (guint32) n->i[2],
    .i3 = (guint32) n->i[3],
  };
  FacetVkDispatch d;

  return begin (c, &d, node, "shape", &function, 2, error) && end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_altup (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  guint32 function = function_of (n->op);
  struct FacetPushAltup push = {
    .rows = (guint32) n->rows,
    .cols = (guint32) n->cols,
    .streams = (guint32) n->i[0],
    .made = (guint32) n->i[1],
  };
  FacetVkDispatch d;

  return begin (c, &d, node, "altup", &function, 2.0 * n->i[0], error) && end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_row_statistics (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  guint32 function = function_of (n->op);
  struct FacetPushRows push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols, .a = n->f[0] };
  FacetVkDispatch d;

  if (!begin (c, &d, node, "row-statistics", &function, 8, error))
    return FALSE;
  d.y = 1;
  return end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_norm (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
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

  if (!begin (c, &d, node, rms ? "rms-norm" : "layer-norm", NULL, 8, error))
    return FALSE;
  for (int w = 0; w < 2; w++)
    if (n->w[w] != NULL)
      facet_vk_bind_range (&d, 3 + w, facet_vk_vector (c, n->w[w]), FALSE);
  d.y = push.groups;
  return end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_rotate (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  struct FacetPushRotate push = {
    .rows = (guint32) n->rows,
    .cols = (guint32) n->cols,
    .group = (guint32) n->i[0],
    .period = columns_of (c, n->src[1]),
  };
  FacetVkDispatch d;

  if (!begin (c, &d, node, "rotate", NULL, 8, error))
    return FALSE;
  d.y = ((guint32) n->cols / 2 + 63) / 64;
  return end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_outputs (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  struct FacetPushRows push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols };
  FacetVkDispatch d;

  return begin (c, &d, node, "outputs", NULL, 1, error) && end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_pool (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  struct FacetPushPool push = { .map_rows = (guint32) n->i[0], .map_cols = (guint32) n->i[1], .k = (guint32) n->i[2],
                                .cols = (guint32) n->cols };
  FacetVkDispatch d;

  return begin (c, &d, node, "pool", NULL, (double) n->i[2] * n->i[2], error) && end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_causal_conv (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  struct FacetPushConv push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols, .taps = (guint32) n->w[0]->ne[1] };
  FacetVkDispatch d;

  if (!begin (c, &d, node, "causal-conv", NULL, 2.0 * n->w[0]->ne[1], error))
    return FALSE;
  facet_vk_bind_range (&d, 3, facet_vk_vector (c, n->w[0]), FALSE);
  return end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_local_attention (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  struct FacetPushLocalAttention push = {
    .rows = (guint32) n->rows,
    .cols = (guint32) n->cols,
    .head = (guint32) (n->cols / n->i[0]),
    /* As on the CPU: 64 keys at most. */
    .span = (guint32) MIN (n->i[1], 63),
    .softcap = n->f[0],
  };
  FacetVkDispatch d;

  if (!begin (c, &d, node, "local-attention", NULL, 6.0 * n->i[1], error))
    return FALSE;
  d.y = (guint32) n->i[0];
  return end (c, &d, &push, sizeof push);
}

gboolean
facet_vk_emit_cumulative (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node), *map = node_at (c, n->src[0]);
  gboolean norm = n->op == FACET_OP_CUM_NORM;
  struct FacetPushCumulative push = {
    .rows = (guint32) map->rows,
    .cols = (guint32) map->cols,
    .rows_a_time = (guint32) n->i[0],
    .eps = n->f[0],
  };
  FacetVkDispatch d;

  if (!begin (c, &d, node, norm ? "cumulative-norm" : "cumulative-statistics", NULL, 4, error))
    return FALSE;
  if (norm)
    facet_vk_bind_range (&d, 4, facet_vk_vector (c, n->w[0]), FALSE);
  else
    d.y = 1;
  return end (c, &d, &push, sizeof push);
}
