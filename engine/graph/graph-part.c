#include "graph/graph.h"
#include "graph/graph-private.h"

static void
take_input (FacetGraph *part, const FacetGraph *graph, int node, GArray *inputs, int *numbers)
{
  const FacetNode *n = facet_graph_node (graph, node);

  numbers[node] = facet_g_input (part, (int) inputs->len, n->rows, n->cols);
  g_array_append_val (inputs, node);
}

static void
copy_node (FacetGraph *part, const FacetGraph *graph, int node, int *numbers)
{
  FacetNode copy = *facet_graph_node (graph, node);

  g_assert (copy.op != FACET_OP_INPUT);
  for (int s = 0; s < FACET_MAX_SRC; s++)
    if (copy.src[s] >= 0)
      copy.src[s] = numbers[copy.src[s]];
  facet_graph_begin_block (part, copy.block);
  numbers[node] = facet_graph_append (part, copy);
  facet_graph_mark_layer (part, numbers[node], copy.layer);
}

FacetGraph *
facet_graph_part (const FacetGraph *graph, int from, int to, const GArray *keep, GArray *inputs, int *numbers)
{
  FacetGraph *part = facet_graph_new ();

  for (int i = 0; i < facet_graph_n_nodes (graph); i++)
    numbers[i] = -1;
  for (int i = from; i < to; i++)
    for (int s = 0; s < FACET_MAX_SRC; s++) {
      int src = facet_graph_node (graph, i)->src[s];

      if (src >= 0 && src < from && numbers[src] < 0)
        take_input (part, graph, src, inputs, numbers);
    }
  for (int i = from; i < to; i++)
    copy_node (part, graph, i, numbers);
  for (guint k = 0; keep != NULL && k < keep->len; k++) {
    int number = numbers[g_array_index (keep, int, k)];

    if (facet_graph_node (part, number)->layer == FACET_NOT_A_LAYER)
      facet_graph_mark_layer (part, number, FACET_KEPT);
  }
  if (facet_graph_result (graph) >= from && facet_graph_result (graph) < to)
    facet_graph_set_result (part, numbers[facet_graph_result (graph)]);
  return part;
}
