#include "bench.h"
#include "levels.h"
#include "random.h"

#include <time.h>

#define ROWS 64
#define K 2048
#define M 2048        /* 4 MiB and more of weights: past the second cache */
#define ROUNDS 5

typedef struct {
  FacetMatmul     args;
  FacetMatmulFunc func;
  void           *scratch;
  int             m;
} Job;

static double
cpu_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static double
best_seconds (const Job *job)
{
  double best = G_MAXDOUBLE;

  for (int i = 0; i < ROUNDS; i++) {
    double start = cpu_seconds ();

    job->func (&job->args, 0, job->m, job->scratch);
    best = MIN (best, cpu_seconds () - start);
  }
  return best;
}

static void
bench_type (const Level *level, const TestType *type, gboolean integer)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gsize stride = (gsize) (K / type->block * type->bytes);
  guint8 *w = guarded_new (stride * M);
  float *x = guarded_new (sizeof (float) * ROWS * K), *y = guarded_new (sizeof (float) * ROWS * M);
  void *q8 = guarded_new (facet_q8_bytes (ROWS, K)), *scratch = guarded_new (FACET_MATMUL_SCRATCH (K));
  Job job = {
    { .w = w, .w_stride = stride, .k = K, .x = x, .xq = facet_q8_at (q8, ROWS, K), .y = y, .y_stride = M },
    (integer ? level->table.matmul_q8 : level->table.matmul_f32)[type->dtype], scratch, M,
  };
  double one, many;

  for (int m = 0; m < M; m++)
    fill_weights (rand, FILL_NORMAL, type, w + (gsize) m * stride, K);
  fill_floats (rand, FILL_NORMAL, x, ROWS * K);
  for (int r = 0; r < ROWS; r++)
    level->table.quantize_q8 (x + (gsize) r * K, &job.args.xq, r, K);
  job.args.rows = 1;
  one = best_seconds (&job);
  job.args.rows = ROWS;
  job.m = M / 8;
  many = best_seconds (&job);
  g_print ("%-12s %-4s %-7s %7.2f GB/s %8.1f G/s\n", level->name, integer ? "q8" : "f32", type->name,
           (double) (stride * M) / one * 1e-9, (double) ROWS * K * M / 8 / many * 1e-9);
  guarded_free (w);
  guarded_free (x);
  guarded_free (y);
  guarded_free (q8);
  guarded_free (scratch);
}

void
bench_matmul (void)
{
  Level levels[MAX_LEVELS];
  int n = levels_get (levels);

  for (int l = 1; l < n; l++)
    for (int t = 0; t < N_TEST_TYPES; t++) {
      if (test_types[t].block > 1)
        bench_type (&levels[l], &test_types[t], TRUE);
      else
        bench_type (&levels[l], &test_types[t], FALSE);
    }
}
