#include "backend/cpu/rows-audio.h"

#include <math.h>
#include <string.h>

G_STATIC_ASSERT (FACET_LOCAL_KEYS >= FACET_MAX_LOCAL_KEYS);

void
facet_cpu_row_reshape (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  memcpy (row_of (run, node, row), source (run, node, 0, 0) + (gsize) row * n->cols, sizeof (float) * n->cols);
}

void
facet_cpu_row_relu (const FacetCpuRun *run, int node, int row)
{
  run->plan->cpu->kernels->clamp (source (run, node, 0, row), 0, INFINITY, row_of (run, node, row), node_at (run, node)->cols);
}

void
facet_cpu_row_silu (const FacetCpuRun *run, int node, int row)
{
  run->plan->cpu->kernels->silu (source (run, node, 0, row), row_of (run, node, row), node_at (run, node)->cols);
}

void
facet_cpu_row_clamp (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  run->plan->cpu->kernels->clamp (source (run, node, 0, row), n->f[0], n->f[1], row_of (run, node, row), n->cols);
}

void
facet_cpu_row_glu (const FacetCpuRun *run, int node, int row)
{
  int cols = node_at (run, node)->cols;
  const float *x = source (run, node, 0, row);

  run->plan->cpu->kernels->glu (x, x + cols, row_of (run, node, row), cols);
}

void
facet_cpu_row_causal_conv (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *w = n->w[0]->data;
  int taps = (int) n->w[0]->ne[1];
  float *y = row_of (run, node, row);

  memset (y, 0, sizeof (float) * n->cols);
  for (int i = MAX (0, taps - 1 - row); i < taps; i++)
    run->plan->cpu->kernels->mul_add (source (run, node, 0, row - (taps - 1) + i), w + (gsize) i * n->cols, y, n->cols);
}

void
facet_cpu_row_local_attention (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int first = MAX (0, row - n->i[1]), head = n->cols / n->i[0];
  FacetLocalAttend a = { .stride = (gsize) n->cols, .keys = row - first + 1, .head = (gsize) head, .cap = n->f[0] };

  for (int at = 0; at < n->cols; at += head) {
    a.q = source (run, node, 0, row) + at;
    a.k = row_of (run, n->src[1], first) + at;
    a.v = row_of (run, n->src[2], first) + at;
    a.pos = row_of (run, n->src[3], 0) + at;
    a.y = row_of (run, node, row) + at;
    run->plan->cpu->kernels->attend_local (&a);
  }
}

void
facet_cpu_row_every (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  memcpy (row_of (run, node, row), source (run, node, 0, row * n->i[0]), sizeof (float) * n->cols);
}

void
facet_cpu_row_cum_stats (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *x = source (run, node, 0, 0);
  gsize a_time = (gsize) n->i[0] * node_at (run, n->src[0])->cols;
  double sum = 0, squares = 0;
  float *y = row_of (run, node, 0);

  for (int t = 0; t < n->cols / 2; t++, x += a_time) {
    double count = (double) a_time * (t + 1), mean;

    for (gsize i = 0; i < a_time; i++)
      sum += x[i];
    mean = sum / count;
    for (gsize i = 0; i < a_time; i++)
      squares += (x[i] - mean) * (x[i] - mean);
    y[2 * t] = (float) mean;
    y[2 * t + 1] = (float) (1 / sqrt (squares / count + n->f[0]));
  }
}

void
facet_cpu_row_cum_norm (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *x = source (run, node, 0, row), *stats = source (run, node, 1, 0) + 2 * (row / n->i[0]);
  const float *gain = n->w[0]->data;
  float *y = row_of (run, node, row);

  for (int c = 0; c < n->cols; c++)
    y[c] = (x[c] - stats[0]) * stats[1] * gain[c];
}
