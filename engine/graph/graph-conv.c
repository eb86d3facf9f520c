#include "graph/graph.h"
#include "graph/graph-private.h"

int
facet_conv_out (int n, int stride)
{
  return (n + stride - 1) / stride;
}

static FacetNode
map_node (FacetGraph *g, FacetOp op, int x, int map_rows, int map_cols)
{
  const FacetNode *n = facet_graph_node (g, x);

  g_assert (map_rows > 0 && map_cols > 0 && n->rows == map_rows * map_cols);
  return (FacetNode) { .op = op, .rows = n->rows, .cols = n->cols, .src = { x, -1, -1, -1 }, .i = { map_rows, map_cols } };
}

/* A convolution of k x k with this stride. */
static FacetNode
conv_node (FacetGraph *g, FacetOp op, int x, int map_rows, int map_cols, int k, int stride)
{
  FacetNode n = map_node (g, op, x, map_rows, map_cols);

  g_assert (k > 0 && stride > 0);
  n.rows = facet_conv_out (map_rows, stride) * facet_conv_out (map_cols, stride);
  n.i[2] = k;
  n.i[3] = stride;
  return n;
}

int
facet_g_conv (FacetGraph *g, int x, int map_rows, int map_cols, int k, int stride, const FacetTensor *w, const FacetTensor *bias)
{
  FacetNode n = conv_node (g, FACET_OP_CONV, x, map_rows, map_cols, k, stride);

  g_assert (w->ne[0] == (gint64) n.cols * k * k && facet_dtype_info (w->dtype)->block == 1);
  n.cols = (int) w->ne[1];
  n.w[0] = w;
  n.w[1] = bias;
  return facet_graph_append (g, n);
}

int
facet_g_depthwise (FacetGraph *g, int x, int map_rows, int map_cols, int k, int stride, const FacetTensor *w)
{
  FacetNode n = conv_node (g, FACET_OP_DEPTHWISE, x, map_rows, map_cols, k, stride);

  g_assert (w->ne[0] == n.cols && w->ne[1] == (gint64) k * k && w->dtype == FACET_F32);
  n.w[0] = w;
  return facet_graph_append (g, n);
}

int
facet_g_upsample (FacetGraph *g, int x, int map_rows, int map_cols, int factor)
{
  FacetNode n = map_node (g, FACET_OP_UPSAMPLE, x, map_rows, map_cols);

  g_assert (factor > 0);
  n.rows *= factor * factor;
  n.i[2] = factor;
  return facet_graph_append (g, n);
}
