#include "bench.h"
#include "levels.h"
#include "random.h"

#include <math.h>
#include <string.h>

/* Both sides multiply the same integers (or the same floats) and differ in
 * the order of float additions only: an error of some 1e-6 of the sum of
 * magnitudes. */
#define TOLERANCE 4e-6

typedef struct {
  const TestType *type;
  gboolean        integer;
  int             rows, m, k;
  Fill            fill;
  guint32         seed;
} Case;

typedef struct {
  guint8 *w;
  gsize   w_stride;
  float  *x;
  float  *bias;
  void   *q8;
  float  *y;
  void   *scratch;
  FacetMatmul args;
} Inputs;

static const int all_rows[] = { 1, 2, 3, 6, 7, 14, 33 };
static const int all_m[] = { 1, 5, 16, 40, 67 };
static const int all_k[] = { 32, 64, 96, 256, 640, 2048 };

static void
inputs_init (Inputs *in, const Case *c, const FacetKernels *quantizer)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (c->seed);
  gsize odd = 2;  /* rows that are not aligned */

  in->w_stride = (gsize) (c->k / c->type->block * c->type->bytes) + odd * (c->type->block > 1);
  in->w = guarded_new (in->w_stride * (gsize) c->m);
  for (int m = 0; m < c->m; m++)
    fill_weights (rand, c->fill, c->type, in->w + (gsize) m * in->w_stride, (gsize) c->k);
  in->x = guarded_new (sizeof (float) * (gsize) (c->rows * c->k));
  fill_floats (rand, c->fill, in->x, (gsize) (c->rows * c->k));
  in->bias = guarded_new (sizeof (float) * (gsize) c->m);
  fill_floats (rand, FILL_NORMAL, in->bias, (gsize) c->m);
  in->q8 = guarded_new (facet_q8_bytes (c->rows, c->k));
  in->y = guarded_new (sizeof (float) * (gsize) (c->rows * (c->m + 3)));
  in->scratch = guarded_new (FACET_MATMUL_SCRATCH (c->k));
  in->args = (FacetMatmul) {
    .w = in->w, .w_stride = in->w_stride, .k = c->k, .x = in->x, .xq = facet_q8_at (in->q8, c->rows, c->k),
    .rows = c->rows, .bias = c->seed % 2 ? in->bias : NULL, .y = in->y, .y_stride = (gsize) c->m + 3,
  };
  if (c->k % 32 == 0)
    for (int r = 0; r < c->rows; r++)
      quantizer->quantize_q8 (in->x + (gsize) r * (gsize) c->k, &in->args.xq, r, c->k);
}

static void
inputs_clear (Inputs *in)
{
  guarded_free (in->w);
  guarded_free (in->x);
  guarded_free (in->bias);
  guarded_free (in->q8);
  guarded_free (in->y);
  guarded_free (in->scratch);
}

/* Sum of |x w| of an output: what rounding errors are relative to. */
static double
magnitude (const Case *c, const Inputs *in, const FacetKernels *k, int r, int m)
{
  g_autofree float *w = g_new (float, c->k);
  double sum = in->args.bias != NULL ? fabs ((double) in->bias[m]) : 0;

  k->dequantize[c->type->dtype] (in->w + (gsize) m * in->w_stride, w, (gsize) c->k);
  for (int i = 0; i < c->k; i++)
    sum += fabs ((double) w[i] * (double) in->x[r * c->k + i]);
  return sum;
}

static void
check_case (const Case *c, const Level *reference, const Level *level)
{
  Inputs in;
  g_autofree float *expected = NULL;
  FacetMatmulFunc func = (c->integer ? level->table.matmul_q8 : level->table.matmul_f32)[c->type->dtype];
  FacetMatmulFunc plain = (c->integer ? reference->table.matmul_q8 : reference->table.matmul_f32)[c->type->dtype];
  g_autofree char *what = g_strdup_printf ("%s %s %s: rows %d, m %d, k %d, fill %d, seed %u", level->name,
                                           c->integer ? "q8" : "f32", c->type->name, c->rows, c->m, c->k,
                                           c->fill, c->seed);
  int cut = c->m / 3;

  inputs_init (&in, c, &reference->table);
  plain (&in.args, 0, c->m, in.scratch);
  expected = g_memdup2 (in.y, sizeof (float) * (gsize) (c->rows * (c->m + 3)));
  memset (in.y, 0xff, sizeof (float) * (gsize) (c->rows * (c->m + 3)));
  func (&in.args, 0, cut, in.scratch);
  func (&in.args, cut, c->m, in.scratch);
  for (int r = 0; r < c->rows; r++)
    for (int m = 0; m < c->m + 3; m++) {
      float found = in.y[r * (c->m + 3) + m], wanted = expected[r * (c->m + 3) + m];

      if (m >= c->m) {
        if (!isnan (found))
          g_error ("%s: wrote past column %d of row %d", what, m, r);
      } else if (!(fabs ((double) found - (double) wanted) <= TOLERANCE * magnitude (c, &in, &reference->table, r, m) + 1e-37)) {
        g_error ("%s: [%d][%d] is %.9g instead of %.9g", what, r, m, (double) found, (double) wanted);
      }
    }
  /* Where the matrix is split makes no difference at all. */
  memcpy (expected, in.y, sizeof (float) * (gsize) (c->rows * (c->m + 3)));
  func (&in.args, 0, c->m, in.scratch);
  if (memcmp (expected, in.y, sizeof (float) * (gsize) (c->rows * (c->m + 3))) != 0)
    g_error ("%s: results depend on the split at %d", what, cut);
  if (!guarded_intact (in.y) || !guarded_intact (in.scratch))
    g_error ("%s: wrote outside of its memory", what);
  inputs_clear (&in);
}

static void
test_type (gconstpointer data)
{
  const TestType *type = &test_types[GPOINTER_TO_UINT (data) / 2];
  gboolean integer = GPOINTER_TO_UINT (data) % 2;
  Level levels[MAX_LEVELS];
  int n = levels_get (levels);
  guint32 seed = 1;

  for (guint k = 0; k < G_N_ELEMENTS (all_k); k++)
    for (guint r = 0; r < G_N_ELEMENTS (all_rows); r++)
      for (guint m = 0; m < G_N_ELEMENTS (all_m); m++)
        for (int l = 1; l < n; l++, seed++) {
          Case c = { type, integer, all_rows[r], all_m[m], all_k[k], (Fill) (seed % N_FILLS), seed };

          /* Large shapes once each are enough. */
          if (c.k % type->block != 0 || (c.k == 2048 && c.rows > 7))
            continue;
          check_case (&c, &levels[0], &levels[l]);
        }
}

/* Float kernels take any k when the type has no blocks. */
static void
test_odd_k (void)
{
  Level levels[MAX_LEVELS];
  int n = levels_get (levels);

  for (int t = 0; t < 3; t++)
    for (int k = 1; k < 90; k += 11)
      for (int l = 1; l < n; l++)
        for (int rows = 1; rows < 10; rows += 4) {
          Case c = { &test_types[t], FALSE, rows, 35, k, FILL_NORMAL, (guint32) (100 * k + rows) };

          check_case (&c, &levels[0], &levels[l]);
        }
}

/* The reference's own 8-bit product is the float product of the rounded
 * activations. */
static void
test_reference (void)
{
  Level levels[MAX_LEVELS];

  levels_get (levels);
  for (int t = 3; t < N_TEST_TYPES; t++) {
    Case c = { &test_types[t], TRUE, 2, 7, 512, FILL_NORMAL, 7 };
    Inputs in;
    g_autofree float *integer = NULL;

    inputs_init (&in, &c, &levels[0].table);
    levels[0].table.matmul_q8[c.type->dtype] (&in.args, 0, c.m, in.scratch);
    integer = g_memdup2 (in.y, sizeof (float) * (gsize) (c.rows * (c.m + 3)));
    for (int i = 0; i < c.rows * c.k; i++)
      in.x[i] = (float) in.args.xq.q[i] * in.args.xq.d[i / 32];
    levels[0].table.matmul_f32[c.type->dtype] (&in.args, 0, c.m, in.scratch);
    for (int r = 0; r < c.rows; r++)
      for (int m = 0; m < c.m; m++)
        g_assert_cmpfloat_with_epsilon (in.y[r * (c.m + 3) + m], integer[r * (c.m + 3) + m],
                                        (float) (TOLERANCE * magnitude (&c, &in, &levels[0].table, r, m)));
    inputs_clear (&in);
  }
}

static void
test_quantize (void)
{
  Level levels[MAX_LEVELS];
  int n = levels_get (levels);

  for (int l = 0; l < n; l++)
    for (guint32 seed = 0; seed < 64; seed++) {
      g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
      int k = 32 * (1 + (int) seed % 9);
      float *x = guarded_new (sizeof (float) * (gsize) k);
      void *wanted = guarded_new (facet_q8_bytes (3, k)), *found = guarded_new (facet_q8_bytes (3, k));
      FacetQ8 a = facet_q8_at (wanted, 3, k), b = facet_q8_at (found, 3, k);

      fill_floats (rand, (Fill) (seed % N_FILLS), x, (gsize) k);
      levels[0].table.quantize_q8 (x, &a, 1, k);
      levels[l].table.quantize_q8 (x, &b, 1, k);
      if (memcmp (wanted, found, facet_q8_bytes (3, k)) != 0 || !guarded_intact (found))
        g_error ("%s: quantize_q8 differs: k %d, seed %u", levels[l].name, k, seed);
      for (int i = 0; i < k; i++)
        g_assert_cmpfloat_with_epsilon (x[i], (float) a.q[k + i] * a.d[(k + i) / 32],
                                        a.d[(k + i) / 32] * 0.501f + FACET_Q8_TINY);
      guarded_free (x);
      guarded_free (wanted);
      guarded_free (found);
    }
}

int
main (int argc, char *argv[])
{
  if (argc == 2 && g_str_equal (argv[1], "--bench")) {
    bench_matmul ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/matmul/reference", test_reference);
  g_test_add_func ("/matmul/quantize", test_quantize);
  for (guint t = 0; t < 2 * N_TEST_TYPES; t++) {
    g_autofree char *path = g_strdup_printf ("/matmul/%s/%s", t % 2 ? "q8" : "f32", test_types[t / 2].name);

    if (t % 2 == 0 || test_types[t / 2].block > 1)
      g_test_add_data_func (path, GUINT_TO_POINTER (t), test_type);
  }
  g_test_add_func ("/matmul/odd-k", test_odd_k);
  return g_test_run ();
}
