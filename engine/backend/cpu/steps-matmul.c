#include "backend/cpu/plan.h"

/* Output columns are handed out in multiples of this many weight rows. */
#define GRANULE 64
/* Widest piece of a gated pair, so that its two tiles stay in the cache. */
#define GATED_CHUNK 64

static int
chunk_columns (const FacetCpuRun *run, int total)
{
  int share = total / (8 * facet_pool_members (run->plan->cpu->pool));

  return CLAMP (share / GRANULE * GRANULE, GRANULE, 1024);
}

gsize
facet_cpu_matmul_scratch (const FacetPlan *plan, const FacetNode *node)
{
  int rows = facet_cpu_capacity (plan, node->rows);

  return FACET_MATMUL_SCRATCH ((gsize) node->w[0]->ne[0]) + 2 * sizeof (float) * (gsize) rows * GATED_CHUNK;
}

void
facet_cpu_multiply (const FacetPlan *plan, const FacetTensor *w, gsize first, int n, const float *x, const FacetQ8 *xq,
                    int rows, const float *bias, float *y, gsize stride, void *scratch)
{
  gsize w_stride = facet_dtype_row_bytes (w->dtype, (gsize) w->ne[0]);
  FacetMatmul a = {
    .w = (const guint8 *) w->data + first * w_stride,
    .w_stride = w_stride,
    .k = (int) w->ne[0],
    .x = x,
    .xq = *xq,
    .rows = rows,
    .bias = bias,
    .y = y,
    .y_stride = stride,
  };

  if (facet_cpu_uses_q8 (plan->cpu, w))
    plan->cpu->kernels->matmul_q8[w->dtype] (&a, 0, n, scratch);
  else
    plan->cpu->kernels->matmul_f32[w->dtype] (&a, 0, n, scratch);
}

/* Computes columns m0..m1-1 of @node into y [rows, stride], column m0 first. */
static void
product (const FacetCpuRun *run, int node, int rows, int m0, int m1, float *y, gsize stride, void *scratch)
{
  const FacetNode *n = facet_graph_node (run->plan->graph, node);
  const FacetValue *x = &run->plan->values[n->src[0]];

  facet_cpu_multiply (run->plan, n->w[0], (gsize) m0, m1 - m0, x->data, &x->q8, rows,
                      n->w[1] != NULL ? (const float *) n->w[1]->data + m0 : NULL, y, stride, scratch);
}

void
facet_cpu_step_matmul (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  int rows = facet_cpu_rows (run, step->rows);
  int total = 0, n_chunks = 0, columns;

  if (rows == 0)
    return;
  for (int i = step->first; i < step->first + step->n; i++)
    total += facet_graph_node (plan->graph, i)->cols;
  columns = chunk_columns (run, total);
  for (int i = step->first; i < step->first + step->n; i++)
    n_chunks += (facet_graph_node (plan->graph, i)->cols + columns - 1) / columns;

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int node = step->first, cols, of_node, m0, m1;

    while (chunk >= (of_node = (facet_graph_node (plan->graph, node)->cols + columns - 1) / columns)) {
      chunk -= of_node;
      node++;
    }
    cols = facet_graph_node (plan->graph, node)->cols;
    m0 = chunk * columns;
    m1 = MIN (cols, m0 + columns);
    product (run, node, rows, m0, m1, plan->values[node].data + m0, cols, plan->scratch[member]);
    if (plan->values[node].q8.q != NULL)
      for (int row = 0; row < rows; row++)
        facet_cpu_emit (plan, node, row, m0, m1);
  }
}

/* gelu(gate x) * (up x), a tile of columns at a time. */
void
facet_cpu_step_gated (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  int rows = facet_cpu_rows (run, step->rows);
  int gate = step->first, up = step->first + 1, out = step->first + 2;
  int cols = facet_graph_node (plan->graph, out)->cols;
  int n_chunks = (cols + GATED_CHUNK - 1) / GATED_CHUNK;
  float *tiles = (float *) (gpointer) (plan->scratch[member]
                 + FACET_MATMUL_SCRATCH ((gsize) facet_graph_node (plan->graph, gate)->w[0]->ne[0]));

  if (rows == 0)
    return;
  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int m0 = chunk * GATED_CHUNK, m1 = MIN (cols, m0 + GATED_CHUNK), n = m1 - m0;
    float *g = tiles, *u = tiles + (gsize) rows * n;

    product (run, gate, rows, m0, m1, g, n, plan->scratch[member]);
    product (run, up, rows, m0, m1, u, n, plan->scratch[member]);
    for (int row = 0; row < rows; row++) {
      plan->cpu->kernels->geglu (g + (gsize) row * n, u + (gsize) row * n,
                                 plan->values[out].data + (gsize) row * cols + m0, n);
      facet_cpu_emit (plan, out, row, m0, m1);
    }
  }
}
