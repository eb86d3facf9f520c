#include "backend/cpu/plan.h"

/* Output columns are handed out in multiples of this many weight rows. */
#define GRANULE 64
/* Largest piece of a gated pair, so that its two tiles stay in the cache. */
#define GATED_COLUMNS 64
#define GATED_ROWS 512
/* Multiplications of a chunk: 15 ms on a machine of today, since cancelling
 * waits for it. Fewer rows would not pay for unpacking weights. */
#define CHUNK_WORK (1 << 29)
#define CHUNK_ROWS 256
/* So many rows are cut, rather than columns, until everyone is busy; a chunk has
 * as many columns as kernels read a row once for. */
#define WIDE_ROWS 1024
#define WIDE_COLUMNS 256
#define LEAST_ROWS 64

/* Parts of nearly equal height, none above @most. */
static int
count_parts (int rows, int most)
{
  return (rows + most - 1) / most;
}

typedef struct {
  int columns;  /* of a chunk */
  int parts;    /* of the rows */
  int n;        /* chunks */
} Cut;

static Cut
cut_product (const FacetCpuRun *run, const FacetCpuStep *step, int rows)
{
  const FacetGraph *g = run->plan->graph;
  int members = facet_pool_members (run->plan->cpu->pool), k = (int) facet_graph_node (g, step->first)->w[0]->ne[0], total = 0;
  Cut cut = { .columns = WIDE_COLUMNS };

  for (int i = step->first; i < step->first + step->n; i++)
    total += facet_graph_node (g, i)->cols;
  if (rows < WIDE_ROWS)
    cut.columns = CLAMP (total / (8 * members) / GRANULE * GRANULE, GRANULE, 1024);
  for (int i = step->first; i < step->first + step->n; i++)
    cut.n += count_parts (facet_graph_node (g, i)->cols, cut.columns);
  cut.parts = count_parts (rows, MAX (CHUNK_WORK / cut.columns / k, CHUNK_ROWS));
  if (rows >= WIDE_ROWS)
    cut.parts = MAX (cut.parts, MIN (count_parts (16 * members, cut.n), rows / LEAST_ROWS));
  cut.n *= cut.parts;
  return cut;
}

gsize
facet_cpu_matmul_scratch (const FacetPlan *plan, const FacetNode *node)
{
  int rows = facet_cpu_capacity (plan, node->rows);

  return FACET_MATMUL_SCRATCH ((gsize) node->w[0]->ne[0]) + 2 * sizeof (float) * (gsize) MIN (rows, GATED_ROWS) * GATED_COLUMNS;
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

static FacetQ8
q8_from (FacetQ8 q8, gsize element)
{
  return q8.q != NULL ? (FacetQ8) { q8.q + element, q8.d + element / 32, q8.off + element / 32, q8.off16 + element / 16 } : q8;
}

/* Computes rows r0..r1-1 and columns m0..m1-1 of @node into y [rows, stride],
 * the first of them at y. */
static void
product (const FacetCpuRun *run, int node, int r0, int r1, int m0, int m1, float *y, gsize stride, void *scratch)
{
  const FacetNode *n = facet_graph_node (run->plan->graph, node);
  const FacetValue *x = &run->plan->values[n->src[0]];
  gsize from = (gsize) r0 * n->w[0]->ne[0];
  FacetQ8 xq = q8_from (x->q8, from);

  facet_cpu_multiply (run->plan, n->w[0], (gsize) m0, m1 - m0, x->data + from, &xq, r1 - r0,
                      n->w[1] != NULL ? (const float *) n->w[1]->data + m0 : NULL, y, stride, scratch);
}

static void
finish_row (const FacetPlan *plan, const FacetNode *after, float *y, gsize n)
{
  if (after->op == FACET_OP_GELU)
    plan->cpu->kernels->gelu (y, y, n);
  else
    plan->cpu->kernels->clamp (y, after->f[0], after->f[1], y, n);
}

/* The product and, of a step that has it, what is made of it, while it is in the cache. */
static void
finish_product (const FacetCpuRun *run, const FacetCpuStep *step, int node, int r0, int r1, int m0, int m1, void *scratch)
{
  const FacetPlan *plan = run->plan;
  int out = step->after > 0 ? step->after : node;
  gsize cols = facet_graph_node (plan->graph, out)->cols;
  float *y = plan->values[out].data + r0 * cols + m0;

  product (run, node, r0, r1, m0, m1, y, cols, scratch);
  for (int row = r0; row < r1; row++, y += cols) {
    if (step->after > 0)
      finish_row (plan, facet_graph_node (plan->graph, step->after), y, (gsize) (m1 - m0));
    if (plan->values[out].q8.q != NULL)
      facet_cpu_emit (plan, out, row, m0, m1);
  }
}

void
facet_cpu_step_matmul (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  int rows = facet_cpu_rows (run, step->rows);
  Cut cut;

  if (rows == 0)
    return;
  cut = cut_product (run, step, rows);
  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, cut.n)) >= 0;) {
    int part = chunk % cut.parts, node = step->first, of_node, m0;
    int r0 = (int) ((gint64) rows * part / cut.parts), r1 = (int) ((gint64) rows * (part + 1) / cut.parts);

    chunk /= cut.parts;
    while (chunk >= (of_node = count_parts (facet_graph_node (plan->graph, node)->cols, cut.columns))) {
      chunk -= of_node;
      node++;
    }
    m0 = chunk * cut.columns;
    finish_product (run, step, node, r0, r1, m0, MIN (facet_graph_node (plan->graph, node)->cols, m0 + cut.columns),
                    plan->scratch[member]);
  }
}

/* gelu(gate x) * (up x), a tile at a time. */
void
facet_cpu_step_gated (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  int rows = facet_cpu_rows (run, step->rows), parts = count_parts (rows, GATED_ROWS);
  int gate = step->first, up = step->first + 1, out = step->first + 2;
  int cols = facet_graph_node (plan->graph, out)->cols;
  int n_chunks = count_parts (cols, GATED_COLUMNS) * parts;
  float *tiles = (float *) (gpointer) (plan->scratch[member]
                 + FACET_MATMUL_SCRATCH ((gsize) facet_graph_node (plan->graph, gate)->w[0]->ne[0]));

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int part = chunk % parts, m0 = chunk / parts * GATED_COLUMNS, m1 = MIN (cols, m0 + GATED_COLUMNS), n = m1 - m0;
    int r0 = (int) ((gint64) rows * part / parts), r1 = (int) ((gint64) rows * (part + 1) / parts);
    float *g = tiles, *u = tiles + (gsize) (r1 - r0) * n;

    product (run, gate, r0, r1, m0, m1, g, n, plan->scratch[member]);
    product (run, up, r0, r1, m0, m1, u, n, plan->scratch[member]);
    for (int row = r0; row < r1; row++) {
      plan->cpu->kernels->geglu (g + (gsize) (row - r0) * n, u + (gsize) (row - r0) * n,
                                 plan->values[out].data + (gsize) row * cols + m0, n);
      facet_cpu_emit (plan, out, row, m0, m1);
    }
  }
}
