#include "graph/graph.h"
#include "graph/graph-private.h"

static FacetNode
node_like (FacetGraph *g, FacetOp op, int x)
{
  const FacetNode *n = facet_graph_node (g, x);

  return (FacetNode) { .op = op, .rows = n->rows, .cols = n->cols, .src = { x, -1, -1, -1 } };
}

int
facet_g_patches (FacetGraph *g, int x, int map_rows, int map_cols, int zero_rows_before)
{
  FacetNode n = node_like (g, FACET_OP_PATCHES, x);
  gint64 values = (gint64) n.rows * n.cols;

  g_assert (map_rows > 0 && map_cols > 0 && values % ((gint64) map_rows * map_cols) == 0);
  n.i[0] = map_rows;
  n.i[1] = map_cols;
  n.i[2] = zero_rows_before;
  n.i[3] = (map_cols - 1) / 2 + 1;
  n.rows = ((map_rows - 1) / 2 + 1) * n.i[3];
  n.cols = (int) (values / ((gint64) map_rows * map_cols)) * 9;
  return facet_graph_append (g, n);
}

int
facet_g_reshape (FacetGraph *g, int x, int rows, int cols)
{
  FacetNode n = node_like (g, FACET_OP_RESHAPE, x);

  g_assert ((gint64) rows * cols == (gint64) n.rows * n.cols);
  n.rows = rows;
  n.cols = cols;
  return facet_graph_append (g, n);
}

int
facet_g_relu (FacetGraph *g, int x)
{
  return facet_graph_append (g, node_like (g, FACET_OP_RELU, x));
}

int
facet_g_silu (FacetGraph *g, int x)
{
  return facet_graph_append (g, node_like (g, FACET_OP_SILU, x));
}

int
facet_g_clamp (FacetGraph *g, int x, float low, float high)
{
  FacetNode n = node_like (g, FACET_OP_CLAMP, x);

  n.f[0] = low;
  n.f[1] = high;
  return facet_graph_append (g, n);
}

int
facet_g_glu (FacetGraph *g, int x)
{
  FacetNode n = node_like (g, FACET_OP_GLU, x);

  g_assert (n.cols % 2 == 0);
  n.cols /= 2;
  return facet_graph_append (g, n);
}

int
facet_g_causal_conv (FacetGraph *g, int x, const FacetTensor *w)
{
  FacetNode n = node_like (g, FACET_OP_CAUSAL_CONV, x);

  g_assert (w->ne[0] == n.cols && w->dtype == FACET_F32);
  n.w[0] = w;
  return facet_graph_append (g, n);
}

int
facet_g_local_attention (FacetGraph *g, int q, int k, int v, int pos, int n_head, float softcap)
{
  FacetNode n = node_like (g, FACET_OP_LOCAL_ATTENTION, q);

  g_assert (n.cols % n_head == 0 && facet_graph_node (g, pos)->rows <= FACET_MAX_LOCAL_KEYS);
  n.src[1] = k;
  n.src[2] = v;
  n.src[3] = pos;
  n.i[0] = n_head;
  n.i[1] = facet_graph_node (g, pos)->rows - 1;
  n.f[0] = softcap;
  return facet_graph_append (g, n);
}

int
facet_g_every (FacetGraph *g, int x, int step)
{
  FacetNode n = node_like (g, FACET_OP_EVERY, x);

  n.rows = (n.rows + step - 1) / step;
  n.i[0] = step;
  return facet_graph_append (g, n);
}

int
facet_g_cum_norm (FacetGraph *g, int x, int rows_a_time, const FacetTensor *gain, float eps)
{
  FacetNode stats = node_like (g, FACET_OP_CUM_STATS, x), n = node_like (g, FACET_OP_CUM_NORM, x);

  g_assert (stats.rows % rows_a_time == 0 && gain->ne[0] == n.cols);
  stats.cols = 2 * (stats.rows / rows_a_time);
  stats.rows = 1;
  stats.i[0] = n.i[0] = rows_a_time;
  stats.f[0] = eps;
  n.w[0] = gain;
  n.src[1] = facet_graph_append (g, stats);
  return facet_graph_append (g, n);
}
