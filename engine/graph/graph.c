#include "graph/graph.h"
#include "graph/graph-private.h"

struct FacetGraph {
  GArray *nodes; /* FacetNode */
  int     result;
  int     block; /* of nodes to come */
};

FacetGraph *
facet_graph_new (void)
{
  FacetGraph *graph = g_new0 (FacetGraph, 1);

  graph->nodes = g_array_new (FALSE, TRUE, sizeof (FacetNode));
  graph->result = -1;
  graph->block = -1;
  return graph;
}

void
facet_graph_free (FacetGraph *graph)
{
  if (graph == NULL)
    return;
  g_array_unref (graph->nodes);
  g_free (graph);
}

int
facet_graph_n_nodes (const FacetGraph *graph)
{
  return (int) graph->nodes->len;
}

const FacetNode *
facet_graph_node (const FacetGraph *graph, int index)
{
  g_assert (index >= 0 && index < (int) graph->nodes->len);
  return &g_array_index (graph->nodes, FacetNode, index);
}

void
facet_graph_set_result (FacetGraph *graph, int node)
{
  g_assert (node >= 0 && node < (int) graph->nodes->len);
  graph->result = node;
}

int
facet_graph_result (const FacetGraph *graph)
{
  return graph->result;
}

guint64
facet_graph_work (const FacetGraph *graph)
{
  guint64 work = 0;

  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *n = facet_graph_node (graph, i);
    const FacetAttention *at = &n->u.attention;

    if (n->op == FACET_OP_MATMUL || n->op == FACET_OP_CONV)
      work += 2 * (guint64) n->rows * n->cols * n->w[0]->ne[0];
    else if (n->op == FACET_OP_ATTENTION && at->cache < 0)
      work += 2 * (guint64) n->rows * facet_graph_node (graph, n->src[1])->rows * at->n_head * (at->head_k + at->head_v);
    else if (n->op == FACET_OP_LOCAL_ATTENTION)
      work += 2 * (guint64) n->rows * n->cols * 2 * (n->i[1] + 1);
    else if (n->op == FACET_OP_CAUSAL_CONV)
      work += 2 * (guint64) n->rows * n->cols * n->w[0]->ne[1];
  }
  return work;
}

void
facet_graph_mark_layer (FacetGraph *graph, int node, int layer)
{
  g_array_index (graph->nodes, FacetNode, node).layer = layer;
}

void
facet_graph_begin_block (FacetGraph *graph, int block)
{
  graph->block = block;
}

/* ---- builders ---- */

int
facet_graph_append (FacetGraph *g, FacetNode node)
{
  node.layer = FACET_NOT_A_LAYER;
  node.block = g->block;
  g_array_append_val (g->nodes, node);
  return (int) g->nodes->len - 1;
}

static FacetNode
node_of (FacetOp op, int rows, int cols, int a, int b, int c)
{
  return (FacetNode) { .op = op, .rows = rows, .cols = cols, .src = { a, b, c, -1 } };
}

/* A node with the shape of @x. */
static FacetNode
node_like (FacetGraph *g, FacetOp op, int x, int other)
{
  const FacetNode *n = facet_graph_node (g, x);

  return node_of (op, n->rows, n->cols, x, other, -1);
}

static int
cols_of (FacetGraph *g, int x)
{
  return facet_graph_node (g, x)->cols;
}

int
facet_g_embed (FacetGraph *g, const FacetTensor *table, float scale)
{
  FacetNode n = node_of (FACET_OP_EMBED, FACET_ROWS_TOKENS, (int) table->ne[0], -1, -1, -1);

  n.w[0] = table;
  n.f[0] = scale;
  return facet_graph_append (g, n);
}

int
facet_g_lookup (FacetGraph *g, const FacetTensor *table, int rows, int first_col, int cols, float scale)
{
  FacetNode n = node_of (FACET_OP_LOOKUP, rows, cols, -1, -1, -1);

  g_assert (first_col >= 0 && cols > 0 && first_col + cols <= table->ne[0]);
  n.w[0] = table;
  n.i[0] = first_col;
  n.f[0] = scale;
  return facet_graph_append (g, n);
}

int
facet_g_input (FacetGraph *g, int slot, int rows, int cols)
{
  FacetNode n = node_of (FACET_OP_INPUT, rows, cols, -1, -1, -1);

  n.i[0] = slot;
  return facet_graph_append (g, n);
}

int
facet_g_table (FacetGraph *g, const FacetTensor *table)
{
  FacetNode n = node_of (FACET_OP_TABLE, (int) table->ne[1], (int) table->ne[0], -1, -1, -1);

  n.w[0] = table;
  return facet_graph_append (g, n);
}

int
facet_g_table_2d (FacetGraph *g, const FacetTensor *by_col, const FacetTensor *by_row, int map_rows, int map_cols)
{
  FacetNode n = node_of (FACET_OP_TABLE_2D, map_rows * map_cols, (int) by_col->ne[0], -1, -1, -1);

  g_assert (by_col->ne[1] >= map_cols && by_row->ne[1] >= map_rows && by_row->ne[0] == n.cols);
  n.w[0] = by_col;
  n.w[1] = by_row;
  n.i[0] = map_cols;
  return facet_graph_append (g, n);
}

int
facet_g_outputs (FacetGraph *g, int x)
{
  g_assert (facet_graph_node (g, x)->rows == FACET_ROWS_TOKENS);
  return facet_graph_append (g, node_of (FACET_OP_OUTPUTS, FACET_ROWS_OUTPUTS, cols_of (g, x), x, -1, -1));
}

int
facet_g_columns (FacetGraph *g, int x, int first_col, int cols)
{
  FacetNode n = node_like (g, FACET_OP_COLUMNS, x, -1);

  g_assert (first_col >= 0 && cols > 0 && first_col + cols <= n.cols);
  n.i[0] = first_col;
  n.cols = cols;
  return facet_graph_append (g, n);
}

int
facet_g_matmul (FacetGraph *g, int x, const FacetTensor *w, const FacetTensor *bias)
{
  FacetNode n = node_of (FACET_OP_MATMUL, facet_graph_node (g, x)->rows, (int) w->ne[1], x, -1, -1);

  g_assert (w->ne[0] == cols_of (g, x));
  n.w[0] = w;
  n.w[1] = bias;
  return facet_graph_append (g, n);
}

int
facet_g_route (FacetGraph *g, int scores, int chosen, const FacetTensor *scale)
{
  FacetNode n = node_like (g, FACET_OP_ROUTE, scores, -1);

  g_assert (chosen > 0 && chosen <= n.cols && (scale == NULL || scale->ne[0] == n.cols));
  n.cols = 2 * chosen;
  n.i[0] = chosen;
  n.w[0] = scale;
  return facet_graph_append (g, n);
}

int
facet_g_experts_up (FacetGraph *g, int x, int route, const FacetTensor *gate, const FacetTensor *up, int stride)
{
  FacetNode n = node_like (g, FACET_OP_EXPERTS_UP, x, route);

  g_assert (gate->ne[0] == n.cols && up->ne[0] == n.cols && gate->ne[1] == up->ne[1] && gate->ne[2] == up->ne[2]);
  n.cols = cols_of (g, route) / 2 * (int) gate->ne[1];
  n.w[0] = gate;
  n.w[1] = up;
  n.i[1] = stride;
  return facet_graph_append (g, n);
}

int
facet_g_experts_down (FacetGraph *g, int x, int route, const FacetTensor *down)
{
  FacetNode n = node_like (g, FACET_OP_EXPERTS_DOWN, x, route);

  g_assert (n.cols == cols_of (g, route) / 2 * down->ne[0]);
  n.cols = (int) down->ne[1];
  n.w[0] = down;
  n.i[1] = (int) down->ne[1];
  return facet_graph_append (g, n);
}

int
facet_g_rms_norm (FacetGraph *g, int x, const FacetTensor *gain, int group, float eps)
{
  FacetNode n = node_like (g, FACET_OP_RMS_NORM, x, -1);

  g_assert (group > 0 && n.cols % group == 0);
  n.w[0] = gain;
  n.i[0] = group;
  n.f[0] = eps;
  return facet_graph_append (g, n);
}

int
facet_g_layer_norm (FacetGraph *g, int x, const FacetTensor *gain, const FacetTensor *bias, float eps)
{
  FacetNode n = node_like (g, FACET_OP_LAYER_NORM, x, -1);

  n.w[0] = gain;
  n.w[1] = bias;
  n.f[0] = eps;
  return facet_graph_append (g, n);
}

int
facet_g_add (FacetGraph *g, int a, int b)
{
  g_assert (cols_of (g, a) == cols_of (g, b));
  return facet_graph_append (g, node_like (g, FACET_OP_ADD, a, b));
}

int
facet_g_mul (FacetGraph *g, int a, int b)
{
  g_assert (cols_of (g, a) == cols_of (g, b));
  return facet_graph_append (g, node_like (g, FACET_OP_MUL, a, b));
}

int
facet_g_scale (FacetGraph *g, int x, float factor)
{
  FacetNode n = node_like (g, FACET_OP_SCALE, x, -1);

  n.f[0] = factor;
  return facet_graph_append (g, n);
}

int
facet_g_gelu (FacetGraph *g, int x)
{
  return facet_graph_append (g, node_like (g, FACET_OP_GELU, x, -1));
}

int
facet_g_geglu (FacetGraph *g, int gate, int up)
{
  g_assert (cols_of (g, gate) == cols_of (g, up));
  return facet_graph_append (g, node_like (g, FACET_OP_GEGLU, gate, up));
}

int
facet_g_rope (FacetGraph *g, int x, const FacetRope *rope)
{
  FacetNode n = node_like (g, FACET_OP_ROPE, x, -1);

  g_assert (n.cols % rope->head == 0);
  n.i[0] = rope->head;
  n.u.rope = *rope;
  return facet_graph_append (g, n);
}

int
facet_g_rotate (FacetGraph *g, int x, int angles, int group)
{
  FacetNode n = node_like (g, FACET_OP_ROTATE, x, angles);
  int period = cols_of (g, angles);

  g_assert (group > 0 && group % 2 == 0 && period % group == 0 && n.cols % period == 0);
  n.i[0] = group;
  return facet_graph_append (g, n);
}

int
facet_g_kv_store (FacetGraph *g, int k, int v, int cache_layer)
{
  FacetNode n = node_of (FACET_OP_KV_STORE, facet_graph_node (g, k)->rows, 0, k, v, -1);

  n.i[0] = cache_layer;
  return facet_graph_append (g, n);
}

int
facet_g_attention (FacetGraph *g, int q, int k, int v, const FacetAttention *attention)
{
  FacetNode n = node_of (FACET_OP_ATTENTION, facet_graph_node (g, q)->rows,
                         attention->n_head * attention->head_v, q, k, v);

  g_assert (cols_of (g, q) == attention->n_head * attention->head_k);
  n.u.attention = *attention;
  return facet_graph_append (g, n);
}

int
facet_g_softcap (FacetGraph *g, int x, float cap)
{
  FacetNode n = node_like (g, FACET_OP_SOFTCAP, x, -1);

  n.f[0] = cap;
  return facet_graph_append (g, n);
}

int
facet_g_pool (FacetGraph *g, int x, int map_rows, int map_cols, int k)
{
  FacetNode n = node_like (g, FACET_OP_POOL, x, -1);

  g_assert (n.rows == map_rows * map_cols);
  n.rows = (map_rows / k) * (map_cols / k);
  n.i[0] = map_rows;
  n.i[1] = map_cols;
  n.i[2] = k;
  return facet_graph_append (g, n);
}
