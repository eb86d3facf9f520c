#include "backend/cpu/conv.h"

#include <string.h>

/* Where the window of an output place begins; it may lie outside of the map. */
static int
window_start (int at, int n, int k, int stride)
{
  int out = (n + stride - 1) / stride, padding = MAX (0, (out - 1) * stride + k - n);

  return at * stride - padding / 2;
}

typedef struct {
  int top, left;
} Window;

static Window
window_of (const FacetNode *n, int row)
{
  int out_cols = (n->i[1] + n->i[3] - 1) / n->i[3];

  return (Window) { window_start (row / out_cols, n->i[0], n->i[2], n->i[3]),
                    window_start (row % out_cols, n->i[1], n->i[2], n->i[3]) };
}

/* The map's values at a place, or NULL outside of it. */
static const float *
place (const FacetCpuRun *run, int node, int r, int c)
{
  const FacetNode *n = node_at (run, node);

  return r >= 0 && r < n->i[0] && c >= 0 && c < n->i[1] ? source (run, node, 0, r * n->i[1] + c) : NULL;
}

/* ---- dense ---- */

gsize
facet_cpu_conv_scratch (gsize k)
{
  return FACET_MATMUL_SCRATCH (k) + FACET_CONV_ROWS * k * sizeof (float);
}

/* The window's values in the order of the weights: channel, row, column. */
static void
gather_patch (const FacetCpuRun *run, int node, int row, float *patch)
{
  const FacetNode *n = node_at (run, node);
  int k = n->i[2], cells = k * k, channels = node_at (run, n->src[0])->cols;
  Window w = window_of (n, row);

  for (int cell = 0; cell < cells; cell++) {
    const float *x = place (run, node, w.top + cell / k, w.left + cell % k);

    for (int ch = 0; ch < channels; ch++)
      patch[ch * cells + cell] = x != NULL ? x[ch] : 0;
  }
}

/* The neighbourhoods of a sound encoder, whose borders its families pad differently. */
static void
gather_neighbours (const FacetCpuRun *run, int node, int row, float *patch)
{
  const FacetNode *n = node_at (run, node);
  const float *map = source (run, node, 0, 0);
  int channels = n->cols / 9, top = row / n->i[3] * 2 - n->i[2], left = row % n->i[3] * 2 - 1;

  for (int cell = 0; cell < 9; cell++) {
    int r = top + cell / 3, c = left + cell % 3;
    gboolean inside = r >= 0 && r < n->i[0] && c >= 0 && c < n->i[1];
    const float *x = inside ? map + ((gsize) r * n->i[1] + c) * channels : NULL;

    for (int ch = 0; ch < channels; ch++)
      patch[ch * 9 + cell] = inside ? x[ch] : 0;
  }
}

void
facet_cpu_row_patches (const FacetCpuRun *run, int node, int row)
{
  gather_neighbours (run, node, row, row_of (run, node, row));
}

/* A convolution, or patches and the product that alone reads them. */
void
facet_cpu_step_conv (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  int node = step->first, out = node + step->n - 1;
  const FacetNode *n = node_at (run, out);
  const FacetTensor *w = n->w[0];
  gboolean neighbours = node_at (run, node)->op == FACET_OP_PATCHES;
  gsize k = (gsize) w->ne[0];
  guint8 *scratch = run->plan->scratch[member];
  float *patches = (float *) (gpointer) (scratch + FACET_MATMUL_SCRATCH (k));
  int n_chunks = (n->rows + FACET_CONV_ROWS - 1) / FACET_CONV_ROWS;

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int first = chunk * FACET_CONV_ROWS, rows = MIN (FACET_CONV_ROWS, n->rows - first);
    FacetMatmul a = { .w = w->data, .w_stride = facet_dtype_row_bytes (w->dtype, k), .k = (int) k, .x = patches, .rows = rows,
                      .bias = n->w[1] != NULL ? n->w[1]->data : NULL, .y = row_of (run, out, first), .y_stride = (gsize) n->cols };

    for (int r = 0; r < rows; r++)
      (neighbours ? gather_neighbours : gather_patch) (run, node, first + r, patches + (gsize) r * k);
    run->plan->cpu->kernels->matmul_f32[w->dtype] (&a, 0, n->cols, scratch);
  }
}

/* ---- by channel ---- */

void
facet_cpu_row_depthwise (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *w = n->w[0]->data;
  int k = n->i[2];
  Window at = window_of (n, row);
  float *y = row_of (run, node, row);

  memset (y, 0, sizeof (float) * n->cols);
  for (int cell = 0; cell < k * k; cell++) {
    const float *x = place (run, node, at.top + cell / k, at.left + cell % k);

    if (x != NULL)
      run->plan->cpu->kernels->mul_add (x, w + (gsize) cell * n->cols, y, n->cols);
  }
}

void
facet_cpu_row_upsample (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int factor = n->i[2], out_cols = n->i[1] * factor;

  memcpy (row_of (run, node, row), place (run, node, row / out_cols / factor, row % out_cols / factor), sizeof (float) * n->cols);
}
