/* What happens to heads before attention: keys are normalised, rotated and
 * stored in one dispatch with the values, queries normalised and rotated in one.
 * The cache's rows are compared with what the reference stores. */
#include "beside.h"
#include "device.h"

#include <math.h>

#include "backend/cpu/kernels.h"

#define CONTEXT 40

typedef struct {
  FacetKvType type;
  int         n_kv, head_k, head_v;
  gboolean    rotated, divided;    /* keys; angles by divisors, too */
  gboolean    normed_k, normed_v, gains;
  gboolean    same;                /* values are made of what keys are made of */
  gboolean    read;                /* rotated keys are read by something else, too */
  int         stores;              /* dispatches that are left of all this */
  int         others;
} Case;

static FacetRope
rope_of (int head, gboolean divided)
{
  static float divisors[256];

  /* The second half does not turn, as where a part of the columns is rotated. */
  for (int i = 0; i < head / 2; i++)
    divisors[i] = i < head / 4 ? 1.0f + (float) i / 8 : INFINITY;
  return (FacetRope) { .base = 10000, .scale = 0.5f, .head = head, .divisors = divided ? divisors : NULL };
}

static int
normed (int x, gboolean wanted, gboolean gain, int head)
{
  return wanted ? facet_g_rms_norm (beside.graph, x, gain ? beside_floats (head, 1) : NULL, head, 1e-6f) : x;
}

/* Ends with something that can be read. */
static void
build (const Case *c, int rows)
{
  FacetGraph *g = beside.graph;
  FacetRope rope = rope_of (c->head_k, c->divided);
  int x = beside_input (FACET_ROWS_TOKENS, rows, c->n_kv * c->head_k);
  int v = c->same ? x : beside_input (FACET_ROWS_TOKENS, rows, c->n_kv * c->head_v);
  int k = normed (x, c->normed_k, c->gains, c->head_k);

  if (c->rotated)
    k = facet_g_rope (g, k, &rope);
  facet_g_kv_store (g, k, normed (v, c->normed_v, c->gains, c->head_v), 0);
  facet_graph_set_result (g, c->read ? k : facet_g_scale (g, x, 2));
}

/* What is left of the graph's dispatches: of stores, and of norms and rotations. */
static void
check_dispatches (const Case *c, FacetPlan *plan, int rows)
{
  FacetStep step = { .n = rows };
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (FacetKernelCount));
  int stores = 0, others = 0;

  beside.gpu->klass->count (plan, &step, counts);
  for (guint i = 0; i < counts->len; i++) {
    const FacetKernelCount *count = &g_array_index (counts, FacetKernelCount, i);

    if (g_str_equal (count->kernel, "kv-store"))
      stores += count->dispatches;
    else if (g_str_equal (count->kernel, "rms-norm") || g_str_equal (count->kernel, "rope"))
      others += count->dispatches;
  }
  g_assert_cmpint (stores, ==, c->stores);
  g_assert_cmpint (others, ==, c->others);
}

/* Runs a step and reads its rows out of the cache, as floats. */
static float *
store (const Case *c, FacetBackend *backend, int position, int rows, gsize *n)
{
  FacetKvLayer layer = { .n_kv = c->n_kv, .head_k = c->head_k, .head_v = c->head_v };
  FacetStep step = { .n = rows, .position = position, .inputs = (const float *const *) beside.inputs };
  gsize bytes = (facet_kv_row_bytes (c->type, c->head_k) + facet_kv_row_bytes (c->type, c->head_v)) * (gsize) (c->n_kv * rows);
  FacetDtype dtype = facet_kv_dtype (c->type);
  g_autofree guint8 *packed = g_malloc (bytes);
  g_autoptr (GError) error = NULL;
  FacetKv *kv = backend->klass->kv_new (backend, &layer, 1, CONTEXT, rows, c->type, &error);
  FacetPlan *plan;
  float *values;

  g_assert_no_error (error);
  plan = backend->klass->compile (backend, beside.graph, kv, rows, 1, &error);
  g_assert_no_error (error);
  if (backend == beside.gpu)
    check_dispatches (c, plan, rows);
  g_assert_true (backend->klass->run (plan, &step, NULL, &error));
  g_assert_true (backend->klass->kv_copy (kv, 0, position, rows, FALSE, packed, &error));
  *n = (gsize) rows * (gsize) (c->n_kv * (c->head_k + c->head_v));
  values = g_new (float, *n);
  facet_kernels_c ()->dequantize[dtype] (packed, values, *n);
  backend->klass->plan_free (plan);
  backend->klass->kv_free (kv);
  return values;
}

/* Sums in another order may come to lie on the other side of where the cache's
 * type rounds: by one step, and seldom. */
static void
check (const Case *c, int position, int rows)
{
  const double steps[] = { [FACET_KV_F32] = 4e-6, [FACET_KV_F16] = 1.0 / 1024, [FACET_KV_Q8_0] = 1.01 / 127 };
  g_autofree float *expected = NULL, *found = NULL, *again = NULL;
  gsize n, off = 0;

  beside_begin ();
  build (c, rows);
  expected = store (c, beside.cpu, position, rows, &n);
  found = store (c, beside.gpu, position, rows, &n);
  again = store (c, beside.gpu, position, rows, &n);
  g_assert_cmpmem (found, n * sizeof *found, again, n * sizeof *again);
  for (gsize i = 0; i < n; i++) {
    double most = fabs ((double) expected[i]);

    /* Blocks of 32 have one step. */
    for (gsize j = i / 32 * 32; c->type == FACET_KV_Q8_0 && j < i / 32 * 32 + 32; j++)
      most = fmax (most, fabs ((double) expected[j]));
    /* A rotation may leave little of two large values. */
    if (c->type != FACET_KV_Q8_0)
      most = fmax (most, 1e-2);
    if (!(fabs ((double) found[i] - (double) expected[i]) <= steps[c->type] * most))
      g_error ("cache type %d, %d heads of %d and %d, %d rows: value %" G_GSIZE_FORMAT " is %.9g instead of %.9g", c->type, c->n_kv, c->head_k,
               c->head_v, rows, i, (double) found[i], (double) expected[i]);
    off += c->type != FACET_KV_F32 && fabs ((double) found[i] - (double) expected[i]) > 1e-5 * most;
  }
  g_assert_cmpuint (off, <=, n / 50);
  g_clear_pointer (&beside.graph, facet_graph_free);
  for (int i = 0; i < beside.n_inputs; i++)
    g_clear_pointer (&beside.inputs[i], g_free);
}

static void
test_store (void)
{
  const Case cases[] = {
    /* Gemma 3: values as they are. */
    { FACET_KV_F16, 2, 64, 64, TRUE, FALSE, TRUE, FALSE, TRUE, FALSE, FALSE, 1, 0 },
    { FACET_KV_Q8_0, 3, 64, 64, TRUE, FALSE, TRUE, FALSE, TRUE, FALSE, FALSE, 1, 0 },
    /* Gemma 3n and 4: values normalised without a gain, made of the same, and only some columns rotated. */
    { FACET_KV_F16, 1, 64, 64, TRUE, TRUE, TRUE, TRUE, FALSE, TRUE, FALSE, 1, 0 },
    { FACET_KV_Q8_0, 2, 160, 160, TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, FALSE, 1, 0 },
    /* Sizes that fill no work group, and columns that no other head has. */
    { FACET_KV_F32, 3, 42, 33, TRUE, TRUE, TRUE, TRUE, TRUE, FALSE, FALSE, 1, 0 },
    { FACET_KV_F16, 2, 6, 130, TRUE, FALSE, FALSE, TRUE, TRUE, FALSE, FALSE, 1, 0 },
    { FACET_KV_F32, 1, 130, 6, FALSE, FALSE, TRUE, FALSE, FALSE, FALSE, FALSE, 1, 0 },
    { FACET_KV_F16, 2, 41, 41, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, 1, 0 },
    /* What somebody else reads is computed for both: keys stay apart. */
    { FACET_KV_F16, 2, 64, 64, TRUE, FALSE, TRUE, TRUE, TRUE, FALSE, TRUE, 1, 1 },
    { FACET_KV_F32, 2, 64, 64, FALSE, FALSE, TRUE, TRUE, TRUE, FALSE, TRUE, 1, 1 },
  };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    check (&cases[i], 0, 1);
    check (&cases[i], 23, 5);
  }
  beside_teardown ();
}

/* Heads that no single binding covers. */
static void
test_parts (void)
{
  const Case c = { FACET_KV_F16, 3, 64, 64, TRUE, FALSE, TRUE, TRUE, TRUE, FALSE, FALSE, 2, 0 };

  beside_setup ();
  ((FacetVk *) beside.gpu)->limits.range = 2 * CONTEXT * 64 * sizeof (guint16);
  check (&c, 7, 3);
  beside_teardown ();
}

static void
test_queries (void)
{
  const int heads[] = { 6, 64, 130 };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    for (int form = 0; form < 4; form++) {
      FacetRope rope = rope_of (heads[i], form == 3);
      int x;

      beside_begin ();
      x = normed (beside_input (FACET_ROWS_TOKENS, 7, 3 * heads[i]), form > 0, form > 1, heads[i]);
      if (form == 3)
        x = facet_g_outputs (beside.graph, x);
      beside_compare ("queries", 7, facet_g_rope (beside.graph, x, &rope), 2e-6);
    }
  beside_teardown ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/heads/store", test_store);
  g_test_add_func ("/heads/parts", test_parts);
  g_test_add_func ("/heads/queries", test_queries);
  return g_test_run ();
}
