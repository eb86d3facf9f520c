#include "backend/cpu/rows-audio.h"

#include <math.h>
#include <string.h>

#define MAX_SPAN 64 /* keys of local attention */

void
facet_cpu_row_patches (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *map = source (run, node, 0, 0);
  int channels = n->cols / 9, top = row / n->i[3] * 2 - n->i[2], left = row % n->i[3] * 2 - 1;
  float *y = row_of (run, node, row);

  for (int cell = 0; cell < 9; cell++) {
    int r = top + cell / 3, c = left + cell % 3;
    gboolean inside = r >= 0 && r < n->i[0] && c >= 0 && c < n->i[1];
    const float *x = inside ? map + ((gsize) r * n->i[1] + c) * channels : NULL;

    for (int ch = 0; ch < channels; ch++)
      y[ch * 9 + cell] = inside ? x[ch] : 0;
  }
}

void
facet_cpu_row_reshape (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  memcpy (row_of (run, node, row), source (run, node, 0, 0) + (gsize) row * n->cols, sizeof (float) * n->cols);
}

void
facet_cpu_row_relu (const FacetCpuRun *run, int node, int row)
{
  const float *x = source (run, node, 0, row);
  float *y = row_of (run, node, row);

  for (int c = 0; c < node_at (run, node)->cols; c++)
    y[c] = x[c] > 0 ? x[c] : 0;
}

void
facet_cpu_row_silu (const FacetCpuRun *run, int node, int row)
{
  const float *x = source (run, node, 0, row);
  float *y = row_of (run, node, row);

  for (int c = 0; c < node_at (run, node)->cols; c++)
    y[c] = x[c] / (1 + expf (-x[c]));
}

void
facet_cpu_row_clamp (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *x = source (run, node, 0, row);
  float *y = row_of (run, node, row);

  for (int c = 0; c < n->cols; c++)
    y[c] = x[c] < n->f[0] ? n->f[0] : x[c] > n->f[1] ? n->f[1] : x[c];
}

void
facet_cpu_row_glu (const FacetCpuRun *run, int node, int row)
{
  int cols = node_at (run, node)->cols;
  const float *x = source (run, node, 0, row), *gate = x + cols;
  float *y = row_of (run, node, row);

  for (int c = 0; c < cols; c++)
    y[c] = x[c] / (1 + expf (-gate[c]));
}

void
facet_cpu_row_causal_conv (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *w = n->w[0]->data;
  int taps = (int) n->w[0]->ne[1];
  float *y = row_of (run, node, row);

  memset (y, 0, sizeof (float) * n->cols);
  for (int i = MAX (0, taps - 1 - row); i < taps; i++) {
    const float *x = source (run, node, 0, row - (taps - 1) + i), *wi = w + (gsize) i * n->cols;

    for (int c = 0; c < n->cols; c++)
      y[c] += x[c] * wi[c];
  }
}

/* Probabilities of @n keys from their scores, in place. */
static void
softmax (float *s, int n, float cap)
{
  float max = -INFINITY, sum = 0;

  for (int j = 0; j < n; j++) {
    s[j] = cap * tanhf (s[j] / cap);
    max = MAX (max, s[j]);
  }
  for (int j = 0; j < n; j++)
    sum += s[j] = expf (s[j] - max);
  for (int j = 0; j < n; j++)
    s[j] /= sum;
}

void
facet_cpu_row_local_attention (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int head = n->cols / n->i[0], span = MIN (n->i[1], MAX_SPAN - 1), first = MAX (0, row - span);
  const float *q = source (run, node, 0, row);
  float *y = row_of (run, node, row), score[MAX_SPAN];

  memset (y, 0, sizeof (float) * n->cols);
  for (int at = 0; at < n->cols; at += head) {
    for (int j = first; j <= row; j++) {
      const float *k = source (run, node, 1, j) + at, *pos = source (run, node, 3, row - j) + at;
      float sum = 0;

      for (int c = 0; c < head; c++)
        sum += q[at + c] * (k[c] + pos[c]);
      score[j - first] = sum;
    }
    softmax (score, row - first + 1, n->f[0]);
    for (int j = first; j <= row; j++) {
      const float *v = source (run, node, 2, j) + at;

      for (int c = 0; c < head; c++)
        y[at + c] += score[j - first] * v[c];
    }
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
