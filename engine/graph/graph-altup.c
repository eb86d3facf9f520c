#include "graph/graph.h"
#include "graph/graph-private.h"

static FacetNode
node_like (FacetGraph *g, FacetOp op, int x, int other, int third)
{
  const FacetNode *n = facet_graph_node (g, x);

  return (FacetNode) { .op = op, .rows = n->rows, .cols = n->cols, .src = { x, other, third, -1 } };
}

static int
cols_of (FacetGraph *g, int x)
{
  return facet_graph_node (g, x)->cols;
}

int
facet_g_concat (FacetGraph *g, int a, int b)
{
  FacetNode n = node_like (g, FACET_OP_CONCAT, a, b, -1);

  g_assert (n.rows == facet_graph_node (g, b)->rows);
  n.cols += cols_of (g, b);
  return facet_graph_append (g, n);
}

int
facet_g_match_rms (FacetGraph *g, int x, int like)
{
  g_assert (cols_of (g, x) == cols_of (g, like));
  return facet_graph_append (g, node_like (g, FACET_OP_MATCH_RMS, x, like, -1));
}

int
facet_g_gaussian_topk (FacetGraph *g, int x, float n_std)
{
  FacetNode n = node_like (g, FACET_OP_GAUSSIAN_TOPK, x, -1, -1);

  n.f[0] = n_std;
  return facet_graph_append (g, n);
}

int
facet_g_altup_predict (FacetGraph *g, int streams, int coefficients, int n_streams)
{
  FacetNode n = node_like (g, FACET_OP_ALTUP_PREDICT, streams, coefficients, -1);

  g_assert (n.cols % n_streams == 0 && cols_of (g, coefficients) == n_streams * n_streams);
  n.i[0] = n_streams;
  return facet_graph_append (g, n);
}

int
facet_g_altup_correct (FacetGraph *g, int predicted, int activated, int coefficients, int active)
{
  FacetNode n = node_like (g, FACET_OP_ALTUP_CORRECT, predicted, activated, coefficients);

  n.i[0] = cols_of (g, coefficients);
  n.i[1] = active;
  g_assert (n.cols == n.i[0] * cols_of (g, activated) && active >= 0 && active < n.i[0]);
  return facet_graph_append (g, n);
}

int
facet_g_altup_inject (FacetGraph *g, int streams, int x)
{
  FacetNode n = node_like (g, FACET_OP_ALTUP_INJECT, streams, x, -1);

  n.i[0] = n.cols / cols_of (g, x);
  g_assert (n.cols == n.i[0] * cols_of (g, x));
  return facet_graph_append (g, n);
}
