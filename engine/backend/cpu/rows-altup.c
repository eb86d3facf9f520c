#include "backend/cpu/rows-altup.h"

#include <math.h>
#include <string.h>

/* Sums run in this many lanes, which the compiler may keep in vectors. */
#define LANES 8
/* Least mean square of what is rescaled. */
#define MIN_MEAN_SQUARE 1e-5

typedef enum { SUM, SQUARES } Moment;

/* Sum of (x - mean) or of its squares. */
static double
moment (const float *x, int n, double mean, Moment which)
{
  double lanes[LANES] = { 0 }, sum = 0;
  int i = 0;

  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) {
      double d = (double) x[i + l] - mean;

      lanes[l] += which == SUM ? d : d * d;
    }
  for (; i < n; i++)
    sum += which == SUM ? x[i] - mean : (x[i] - mean) * (x[i] - mean);
  for (int l = 0; l < LANES; l++)
    sum += lanes[l];
  return sum;
}

void
facet_cpu_row_concat (const FacetCpuRun *run, int node, int row)
{
  int first = node_at (run, node_at (run, node)->src[0])->cols;
  float *y = row_of (run, node, row);

  memcpy (y, source (run, node, 0, row), sizeof (float) * first);
  memcpy (y + first, source (run, node, 1, row), sizeof (float) * (node_at (run, node)->cols - first));
}

void
facet_cpu_row_match_rms (const FacetCpuRun *run, int node, int row)
{
  int n = node_at (run, node)->cols;
  const float *x = source (run, node, 0, row), *like = source (run, node, 1, row);
  double have = moment (x, n, 0, SQUARES) / n, want = moment (like, n, 0, SQUARES) / n;

  run->plan->cpu->kernels->scale (x, (float) sqrt (want / MAX (have, MIN_MEAN_SQUARE)), row_of (run, node, row), n);
}

/* The deviation is that of the population: squares over n, not n - 1. */
void
facet_cpu_row_gaussian_topk (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *x = source (run, node, 0, row);
  double mean = moment (x, n->cols, 0, SUM) / n->cols;
  float cut = (float) (mean + n->f[0] * sqrt (moment (x, n->cols, mean, SQUARES) / n->cols));
  float *y = row_of (run, node, row);

  for (int c = 0; c < n->cols; c++)
    y[c] = x[c] > cut ? x[c] - cut : 0;
}

void
facet_cpu_row_altup_predict (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int streams = n->i[0], width = n->cols / streams;
  const float *x = source (run, node, 0, row), *coefficient = source (run, node, 1, row);
  float *y = row_of (run, node, row);

  memcpy (y, x, sizeof (float) * n->cols);
  for (int i = 0; i < streams; i++)
    for (int j = 0; j < streams; j++) {
      float by = coefficient[i * streams + j];
      const float *from = x + (gsize) j * width;
      float *to = y + (gsize) i * width;

      for (int c = 0; c < width; c++)
        to[c] += by * from[c];
    }
}

void
facet_cpu_row_altup_correct (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int streams = n->i[0], width = n->cols / streams;
  const float *predicted = source (run, node, 0, row), *active = predicted + (gsize) n->i[1] * width;
  const float *activated = source (run, node, 1, row), *coefficient = source (run, node, 2, row);
  float *y = row_of (run, node, row);

  for (int i = 0; i < streams; i++) {
    float by = 1 + coefficient[i];
    const float *from = predicted + (gsize) i * width;
    float *to = y + (gsize) i * width;

    for (int c = 0; c < width; c++)
      to[c] = from[c] + by * (activated[c] - active[c]);
  }
}

void
facet_cpu_row_altup_inject (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int width = n->cols / n->i[0];
  const float *x = source (run, node, 0, row), *added = source (run, node, 1, row);
  float *y = row_of (run, node, row);

  memcpy (y, x, sizeof (float) * width);
  for (int i = 1; i < n->i[0]; i++)
    run->plan->cpu->kernels->add (x + (gsize) i * width, added, y + (gsize) i * width, width);
}
