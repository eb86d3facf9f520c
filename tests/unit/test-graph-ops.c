/* Nodes of the graph that no float kernel stands for, against their formulas
 * in graph.h, with sizes that no model has. */
#include "backend/backend.h"
#include "compare.h"

#include <math.h>

static float *
random_floats (GRand *rand, gsize n)
{
  float *x = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    x[i] = (float) g_rand_double_range (rand, -2, 2);
  return x;
}

/* Returns: (transfer full): the result's values. */
static float *
run_graph (const FacetGraph *graph, const float *const *inputs)
{
  FacetBackend *backend = facet_cpu_backend_new (2, FALSE);
  const FacetNode *node = facet_graph_node (graph, facet_graph_result (graph));
  FacetStep step = { .n = 1, .inputs = inputs };
  g_autoptr (GError) error = NULL;
  FacetPlan *plan = backend->klass->compile (backend, graph, NULL, 1, 1, &error);
  float *copy;

  g_assert_no_error (error);
  g_assert_true (backend->klass->run (plan, &step, NULL, &error));
  copy = g_memdup2 (backend->klass->value (plan, facet_graph_result (graph)), sizeof (float) * node->rows * node->cols);
  backend->klass->plan_free (plan);
  backend->klass->free (backend);
  return copy;
}

static void
assert_near (const float *found, const float *expected, gsize n)
{
  g_assert_cmpfloat (relative_error (found, expected, n), <=, 2e-6);
}

/* ---- convolutions ---- */

typedef struct {
  int rows, cols, k, stride;
} Shape;

static const Shape shapes[] = {
  { 7, 5, 3, 1 }, { 7, 5, 3, 2 }, { 8, 6, 3, 2 }, { 8, 6, 5, 2 }, { 9, 10, 5, 3 }, { 1, 1, 5, 2 }, { 2, 3, 1, 2 }, { 33, 31, 3, 1 },
};

static int
padding_before (int n, int k, int stride)
{
  return MAX (0, ((n + stride - 1) / stride - 1) * stride + k - n) / 2;
}

static float
map_at (const Shape *s, const float *x, int channels, int r, int c, int ch)
{
  return r >= 0 && r < s->rows && c >= 0 && c < s->cols ? x[(r * s->cols + c) * channels + ch] : 0;
}

/* One output channel of a dense kernel w [channels][k][k]. */
static double
sum_window (const Shape *s, const float *x, int channels, int first, int n, const float *w, int row, int col)
{
  int top = row * s->stride - padding_before (s->rows, s->k, s->stride), left = col * s->stride - padding_before (s->cols, s->k, s->stride);
  double sum = 0;

  for (int ch = 0; ch < n; ch++)
    for (int i = 0; i < s->k; i++)
      for (int j = 0; j < s->k; j++)
        sum += (double) w[(ch * s->k + i) * s->k + j] * map_at (s, x, channels, top + i, left + j, first + ch);
  return sum;
}

static void
test_conv (void)
{
  const int in = 3, out = 5;
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    int rows = facet_conv_out (s->rows, s->stride), cols = facet_conv_out (s->cols, s->stride), cells = s->k * s->k;
    g_autofree float *x = random_floats (rand, s->rows * s->cols * in), *w = random_floats (rand, cells * in * out);
    g_autofree float *bias = random_floats (rand, out), *expected = g_new (float, rows * cols * out), *found = NULL;
    FacetTensor weights = { .dtype = FACET_F32, .ne = { cells * in, out, 1, 1 }, .data = w, .bytes = sizeof (float) * cells * in * out };
    FacetTensor biases = { .dtype = FACET_F32, .ne = { out, 1, 1, 1 }, .data = bias, .bytes = sizeof (float) * out };
    g_autoptr (FacetGraph) g = facet_graph_new ();

    facet_graph_set_result (g, facet_g_conv (g, facet_g_input (g, 0, s->rows * s->cols, in), s->rows, s->cols, s->k, s->stride, &weights, &biases));
    for (int p = 0; p < rows * cols * out; p++)
      expected[p] = (float) (bias[p % out] + sum_window (s, x, in, 0, in, w + p % out * cells * in, p / out / cols, p / out % cols));
    found = run_graph (g, (const float *const[]) { x });
    assert_near (found, expected, rows * cols * out);
  }
}

static void
test_depthwise (void)
{
  const int channels = 19;
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);

  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    int rows = facet_conv_out (s->rows, s->stride), cols = facet_conv_out (s->cols, s->stride), cells = s->k * s->k;
    g_autofree float *x = random_floats (rand, s->rows * s->cols * channels), *w = random_floats (rand, cells * channels);
    g_autofree float *turned = g_new (float, cells * channels), *expected = g_new (float, rows * cols * channels), *found = NULL;
    FacetTensor weights = { .dtype = FACET_F32, .ne = { channels, cells, 1, 1 }, .data = turned, .bytes = sizeof (float) * cells * channels };
    g_autoptr (FacetGraph) g = facet_graph_new ();

    for (int p = 0; p < cells * channels; p++)
      turned[p % cells * channels + p / cells] = w[p];
    facet_graph_set_result (g, facet_g_depthwise (g, facet_g_input (g, 0, s->rows * s->cols, channels), s->rows, s->cols, s->k, s->stride, &weights));
    for (int p = 0; p < rows * cols * channels; p++)
      expected[p] = (float) sum_window (s, x, channels, p % channels, 1, w + p % channels * cells, p / channels / cols, p / channels % cols);
    found = run_graph (g, (const float *const[]) { x });
    assert_near (found, expected, rows * cols * channels);
  }
}

static void
test_upsample (void)
{
  const Shape s = { 3, 2, 1, 1 };
  const float x[] = { 1, 2, 3, 4, 5, 6 }, expected[] = { 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4, 5, 5, 6, 6, 5, 5, 6, 6 };
  g_autoptr (FacetGraph) g = facet_graph_new ();
  g_autofree float *found = NULL;

  facet_graph_set_result (g, facet_g_upsample (g, facet_g_input (g, 0, 6, 1), s.rows, s.cols, 2));
  found = run_graph (g, (const float *const[]) { x });
  g_assert_cmpmem (found, sizeof expected, expected, sizeof expected);
}

/* ---- streams ---- */

#define ROWS 3
#define STREAMS 3
#define COLS 21
#define ACTIVE 1

static void
test_predict (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autofree float *x = random_floats (rand, ROWS * STREAMS * COLS), *by = random_floats (rand, ROWS * STREAMS * STREAMS);
  g_autofree float *expected = g_new (float, ROWS * STREAMS * COLS), *found = NULL;
  g_autoptr (FacetGraph) g = facet_graph_new ();
  int streams = facet_g_input (g, 0, ROWS, STREAMS * COLS), coefficients = facet_g_input (g, 1, ROWS, STREAMS * STREAMS);

  facet_graph_set_result (g, facet_g_altup_predict (g, streams, coefficients, STREAMS));
  for (int r = 0; r < ROWS; r++)
    for (int p = 0; p < STREAMS * COLS; p++) {
      double sum = x[r * STREAMS * COLS + p];

      for (int j = 0; j < STREAMS; j++)
        sum += (double) by[(r * STREAMS + p / COLS) * STREAMS + j] * x[(r * STREAMS + j) * COLS + p % COLS];
      expected[r * STREAMS * COLS + p] = (float) sum;
    }
  found = run_graph (g, (const float *const[]) { x, by });
  assert_near (found, expected, ROWS * STREAMS * COLS);
}

static void
test_correct (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  g_autofree float *x = random_floats (rand, ROWS * STREAMS * COLS), *made = random_floats (rand, ROWS * COLS);
  g_autofree float *by = random_floats (rand, ROWS * STREAMS), *expected = g_new (float, ROWS * STREAMS * COLS), *found = NULL;
  g_autoptr (FacetGraph) g = facet_graph_new ();
  int streams = facet_g_input (g, 0, ROWS, STREAMS * COLS), activated = facet_g_input (g, 1, ROWS, COLS);

  facet_graph_set_result (g, facet_g_altup_correct (g, streams, activated, facet_g_input (g, 2, ROWS, STREAMS), ACTIVE));
  for (int r = 0; r < ROWS; r++)
    for (int p = 0; p < STREAMS * COLS; p++)
      expected[r * STREAMS * COLS + p]
        = x[r * STREAMS * COLS + p] + (1 + by[r * STREAMS + p / COLS]) * (made[r * COLS + p % COLS] - x[(r * STREAMS + ACTIVE) * COLS + p % COLS]);
  found = run_graph (g, (const float *const[]) { x, made, by });
  assert_near (found, expected, ROWS * STREAMS * COLS);
}

static void
test_inject (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autofree float *x = random_floats (rand, ROWS * STREAMS * COLS), *added = random_floats (rand, ROWS * COLS);
  g_autofree float *expected = g_new (float, ROWS * STREAMS * COLS), *found = NULL;
  g_autoptr (FacetGraph) g = facet_graph_new ();
  int streams = facet_g_input (g, 0, ROWS, STREAMS * COLS);

  facet_graph_set_result (g, facet_g_altup_inject (g, streams, facet_g_input (g, 1, ROWS, COLS)));
  for (int r = 0; r < ROWS; r++)
    for (int p = 0; p < STREAMS * COLS; p++)
      expected[r * STREAMS * COLS + p] = x[r * STREAMS * COLS + p] + (p < COLS ? 0 : added[r * COLS + p % COLS]);
  found = run_graph (g, (const float *const[]) { x, added });
  assert_near (found, expected, ROWS * STREAMS * COLS);
}

/* A row of zeros stays one, and a small one is not blown up without bound. */
static void
test_match_rms (void)
{
  const float x[] = { 3, 4, 0, 0, 1e-6f, 0 }, like[] = { 6, 8, 1, 1, 1, 1 };
  const float expected[] = { 6, 8, 0, 0, (float) (1e-6 / sqrt (1e-5)), 0 };
  g_autoptr (FacetGraph) g = facet_graph_new ();
  g_autofree float *found = NULL;

  facet_graph_set_result (g, facet_g_match_rms (g, facet_g_input (g, 0, 3, 2), facet_g_input (g, 1, 3, 2)));
  found = run_graph (g, (const float *const[]) { x, like });
  assert_near (found, expected, 6);
  assert_near (found + 4, expected + 4, 2);
}

/* Mean 2.5, deviation sqrt (5/4) over four values; of equal values none passes. */
static void
test_gaussian_topk (void)
{
  const float x[] = { 1, 2, 3, 4, 7, 7, 7, 7 };
  g_autoptr (FacetGraph) g = facet_graph_new ();
  g_autofree float *found = NULL;

  facet_graph_set_result (g, facet_g_gaussian_topk (g, facet_g_input (g, 0, 2, 4), 1));
  found = run_graph (g, (const float *const[]) { x });
  assert_near (found, (const float[]) { 0, 0, 0, (float) (4 - 2.5 - sqrt (1.25)), 0, 0, 0, 0 }, 8);
}

static void
test_concat (void)
{
  const float a[] = { 1, 2 }, b[] = { 3, 4, 5, 6 }, expected[] = { 1, 3, 4, 2, 5, 6 };
  g_autoptr (FacetGraph) g = facet_graph_new ();
  g_autofree float *found = NULL;

  facet_graph_set_result (g, facet_g_concat (g, facet_g_input (g, 0, 2, 1), facet_g_input (g, 1, 2, 2)));
  found = run_graph (g, (const float *const[]) { a, b });
  g_assert_cmpmem (found, sizeof expected, expected, sizeof expected);
}

/* ---- values that share memory ---- */

/* x + conv (x), where each row is read by the rows after it: then its double
 * through SiLU plus itself, which is read twice. */
static void
test_write_over (void)
{
  enum { N_ROWS = 500, N_COLS = 21, N_TAPS = 3 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autofree float *x = random_floats (rand, N_ROWS * N_COLS), *w = random_floats (rand, N_TAPS * N_COLS), *found = NULL;
  g_autofree float *expected = g_new (float, N_ROWS * N_COLS);
  FacetTensor taps = { .dtype = FACET_F32, .ne = { N_COLS, N_TAPS, 1, 1 }, .data = w, .bytes = sizeof (float) * N_TAPS * N_COLS };
  g_autoptr (FacetGraph) g = facet_graph_new ();
  int in = facet_g_input (g, 0, N_ROWS, N_COLS), sum = facet_g_add (g, in, facet_g_causal_conv (g, in, &taps));

  facet_graph_set_result (g, facet_g_add (g, facet_g_silu (g, facet_g_scale (g, sum, 2)), sum));
  found = run_graph (g, (const float *const[]) { x });
  for (int i = 0; i < N_ROWS * N_COLS; i++) {
    double s = x[i];

    for (int t = 0; t < N_TAPS; t++)
      if (i / N_COLS >= t)
        s += (double) x[i - t * N_COLS] * w[(N_TAPS - 1 - t) * N_COLS + i % N_COLS];
    expected[i] = (float) (2 * s / (1 + exp (-2 * s)) + s);
  }
  assert_near (found, expected, N_ROWS * N_COLS);
}

/* A long chain takes no more memory than its ends. */
static void
test_chain_memory (void)
{
  enum { N_ROWS = 64, N_COLS = 256 };
  g_autoptr (FacetGraph) g = facet_graph_new ();
  FacetBackend *backend = facet_cpu_backend_new (1, FALSE);
  int x = facet_g_input (g, 0, N_ROWS, N_COLS);
  FacetPlan *plan;

  for (int i = 0; i < 20; i++)
    x = facet_g_relu (g, facet_g_scale (g, x, 0.5f));
  facet_graph_set_result (g, x);
  plan = backend->klass->compile (backend, g, NULL, 1, 1, NULL);
  g_assert_cmpuint (backend->klass->plan_bytes (plan), <, 2 * sizeof (float) * N_ROWS * N_COLS);
  backend->klass->plan_free (plan);
  backend->klass->free (backend);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph-ops/conv", test_conv);
  g_test_add_func ("/graph-ops/depthwise", test_depthwise);
  g_test_add_func ("/graph-ops/upsample", test_upsample);
  g_test_add_func ("/graph-ops/altup-predict", test_predict);
  g_test_add_func ("/graph-ops/altup-correct", test_correct);
  g_test_add_func ("/graph-ops/altup-inject", test_inject);
  g_test_add_func ("/graph-ops/match-rms", test_match_rms);
  g_test_add_func ("/graph-ops/gaussian-topk", test_gaussian_topk);
  g_test_add_func ("/graph-ops/concat", test_concat);
  g_test_add_func ("/graph-ops/write-over", test_write_over);
  g_test_add_func ("/graph-ops/chain-memory", test_chain_memory);
  return g_test_run ();
}
