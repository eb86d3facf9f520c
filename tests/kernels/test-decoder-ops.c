/* What decoders need beyond products and attention, as graphs on the CPU
 * against plain loops: rows looked up in tables of every type, slices of
 * columns, the choice of experts and the experts themselves. */
#include "backend/backend.h"
#include "backend/cpu/kernels.h"
#include "random.h"

#include <math.h>
#include <string.h>

static FacetTensor
random_tensor (GRand *rand, const TestType *type, gint64 ne0, gint64 ne1, gint64 ne2)
{
  FacetTensor t = { .name = "w", .dtype = type->dtype, .ne = { ne0, ne1, ne2, 1 } };

  t.bytes = facet_dtype_row_bytes (type->dtype, (gsize) ne0) * (gsize) (ne1 * ne2);
  t.data = g_malloc (t.bytes);
  fill_weights (rand, FILL_NORMAL, type, (guint8 *) t.data, (gsize) (ne0 * ne1 * ne2));
  return t;
}

/* Row @row of all rows of @t as floats. */
static float *
row_of (const FacetTensor *t, gsize row)
{
  float *x = g_new (float, t->ne[0]);
  const guint8 *src = (const guint8 *) t->data + row * facet_dtype_row_bytes (t->dtype, (gsize) t->ne[0]);

  facet_kernels_c ()->dequantize[t->dtype] (src, x, (gsize) t->ne[0]);
  return x;
}

/* Runs @graph once. Returns: (transfer full): its result, [rows, cols]. */
static float *
run_graph (const FacetGraph *graph, const FacetStep *step, gboolean exact, int threads)
{
  FacetBackend *backend = facet_cpu_backend_new (threads, exact);
  const FacetNode *result = facet_graph_node (graph, facet_graph_result (graph));
  int rows = result->rows == FACET_ROWS_TOKENS ? step->n : result->rows == FACET_ROWS_OUTPUTS ? step->n_outputs : result->rows;
  g_autoptr (GError) error = NULL;
  FacetPlan *plan = backend->klass->compile (backend, graph, NULL, MAX (step->n, 1), MAX (step->n_outputs, 1), &error);
  float *values;

  g_assert_no_error (error);
  g_assert_true (backend->klass->run (plan, step, NULL, &error));
  values = g_memdup2 (backend->klass->value (plan, facet_graph_result (graph)), sizeof (float) * rows * result->cols);
  backend->klass->plan_free (plan);
  backend->klass->free (backend);
  return values;
}

/* ---- lookup ---- */

static void
check_lookup (const FacetTensor *table, int rows, int first, int cols)
{
  const gint32 ids[] = { 2, -1, 0, 6, 7, 1 << 20, 5 }, read[] = { 2, 0, 0, 6, 0, 0, 5 }, outputs[] = { 0, 1, 3, 6 };
  FacetStep step = { .n = G_N_ELEMENTS (ids), .ids = ids, .outputs = outputs, .n_outputs = G_N_ELEMENTS (outputs) };
  g_autoptr (FacetGraph) graph = facet_graph_new ();
  g_autofree float *found = NULL;

  facet_graph_set_result (graph, facet_g_lookup (graph, table, rows, first, cols, 3));
  found = run_graph (graph, &step, FALSE, 2);
  for (int i = 0; i < (rows == FACET_ROWS_TOKENS ? step.n : step.n_outputs); i++) {
    g_autofree float *row = row_of (table, (gsize) read[rows == FACET_ROWS_TOKENS ? i : outputs[i]]);

    for (int c = 0; c < cols; c++)
      g_assert_cmpfloat (found[i * cols + c], ==, 3 * row[first + c]);
  }
}

/* Slices that begin and end inside blocks, too. */
static void
test_lookup (void)
{
  static const int slices[][2] = { { 0, 768 }, { 256, 256 }, { 96, 32 }, { 96, 416 }, { 300, 7 }, { 500, 30 }, { 767, 1 } };
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);

  for (int t = 0; t < N_TEST_TYPES; t++) {
    FacetTensor table = random_tensor (rand, &test_types[t], 768, 7, 1);

    for (guint s = 0; s < G_N_ELEMENTS (slices); s++) {
      check_lookup (&table, FACET_ROWS_TOKENS, slices[s][0], slices[s][1]);
      check_lookup (&table, FACET_ROWS_OUTPUTS, slices[s][0], slices[s][1]);
    }
    g_free ((gpointer) table.data);
  }
}

static void
test_columns (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (12);
  g_autoptr (FacetGraph) graph = facet_graph_new ();
  float x[5 * 40];
  const float *inputs[] = { x };
  FacetStep step = { .inputs = inputs };
  g_autofree float *found = NULL;

  fill_floats (rand, FILL_NORMAL, x, G_N_ELEMENTS (x));
  facet_graph_set_result (graph, facet_g_columns (graph, facet_g_input (graph, 0, 5, 40), 17, 9));
  found = run_graph (graph, &step, FALSE, 2);
  for (int r = 0; r < 5; r++)
    g_assert_cmpmem (found + r * 9, 9 * sizeof (float), x + r * 40 + 17, 9 * sizeof (float));
}

/* ---- experts ---- */

static void
test_route (void)
{
  static const float scores[] = { 1, 3, -2, 3, 0.5f, NAN, 2, -1,  0, 0, 0, 0, 0, 0, 0, 0 };
  static const float scale[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  FacetTensor scales = { .dtype = FACET_F32, .ne = { 8, 1, 1, 1 }, .data = scale, .bytes = sizeof scale };
  const float *inputs[] = { scores };
  FacetStep step = { .inputs = inputs };
  g_autoptr (FacetGraph) graph = facet_graph_new ();
  g_autofree float *y = NULL;
  double sum = 1 + 1 + exp (-1);

  facet_graph_set_result (graph, facet_g_route (graph, facet_g_input (graph, 0, 2, 8), 3, &scales));
  y = run_graph (graph, &step, FALSE, 1);
  g_assert_cmpfloat (y[0], ==, 1);
  g_assert_cmpfloat (y[1], ==, 3);
  g_assert_cmpfloat (y[2], ==, 6);
  g_assert_cmpfloat_with_epsilon (y[3], 2 / sum, 1e-6);
  g_assert_cmpfloat_with_epsilon (y[4], 4 / sum, 1e-6);
  g_assert_cmpfloat_with_epsilon (y[5], 7 * exp (-1) / sum, 1e-6);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (y[6 + 3 + i], scale[(int) y[6 + i]] / 3, 1e-6);
}

typedef struct {
  int rows, width, ffn, experts, chosen;
  gboolean fused;
} Shape;

static double
dot (const float *a, const float *b, int n)
{
  double sum = 0;

  for (int i = 0; i < n; i++)
    sum += (double) a[i] * (double) b[i];
  return sum;
}

/* Adds an expert's answer for one row, times @weight. */
static void
add_expert (const Shape *s, const FacetTensor *gate, const FacetTensor *up, const FacetTensor *down, int stride, int e,
            const float *x, double weight, double *y)
{
  g_autofree float *hidden = g_new (float, s->ffn);

  for (int f = 0; f < s->ffn; f++) {
    g_autofree float *g = row_of (gate, (gsize) e * stride + f), *u = row_of (up, (gsize) e * stride + f);
    double z = dot (g, x, s->width);

    hidden[f] = (float) (z / 2 * (1 + tanh (sqrt (2 / G_PI) * (z + 0.044715 * z * z * z))) * dot (u, x, s->width));
  }
  for (int m = 0; m < s->width; m++) {
    g_autofree float *d = row_of (down, (gsize) e * s->width + m);

    y[m] += weight * dot (d, hidden, s->ffn);
  }
}

static float *
run_route (const Shape *s, const FacetStep *step)
{
  g_autoptr (FacetGraph) graph = facet_graph_new ();

  facet_graph_set_result (graph, facet_g_route (graph, facet_g_input (graph, 1, s->rows, s->experts), s->chosen, NULL));
  return run_graph (graph, step, TRUE, 1);
}

static double
check_experts (GRand *rand, const TestType *type, const Shape *s, gboolean exact, int threads)
{
  FacetTensor both = random_tensor (rand, type, s->width, 2 * s->ffn, s->experts), gate = both, up = both;
  FacetTensor down = random_tensor (rand, type, s->ffn, s->width, s->experts);
  g_autofree float *x = g_new (float, s->rows * s->width), *scores = g_new (float, s->rows * s->experts);
  g_autofree float *route = NULL, *found = NULL;
  g_autofree double *y = g_new (double, s->width);
  const float *inputs[] = { x, scores };
  FacetStep step = { .inputs = inputs };
  g_autoptr (FacetGraph) graph = facet_graph_new ();
  int stride = s->fused ? 2 * s->ffn : s->ffn, choice;
  double worst = 0, square = 0;

  gate.ne[1] = up.ne[1] = s->ffn;
  up.data = (const guint8 *) both.data + both.bytes / 2 / (s->fused ? (gsize) s->experts : 1);
  fill_floats (rand, FILL_NORMAL, x, (gsize) s->rows * s->width);
  fill_floats (rand, FILL_NORMAL, scores, (gsize) s->rows * s->experts);
  for (int r = 0; r < s->rows; r++)
    scores[r * s->experts + 1] += 3;   /* nearly every row's choice */
  route = run_route (s, &step);
  choice = facet_g_route (graph, facet_g_input (graph, 1, s->rows, s->experts), s->chosen, NULL);
  choice = facet_g_experts_down (graph, facet_g_experts_up (graph, facet_g_input (graph, 0, s->rows, s->width), choice, &gate,
                                                            &up, stride), choice, &down);
  facet_graph_set_result (graph, choice);
  found = run_graph (graph, &step, exact, threads);
  for (int r = 0; r < s->rows; r++) {
    const float *chosen = route + r * 2 * s->chosen;

    memset (y, 0, sizeof (double) * s->width);
    for (int j = 0; j < s->chosen; j++)
      add_expert (s, &gate, &up, &down, stride, (int) chosen[j], x + r * s->width, chosen[s->chosen + j], y);
    for (int m = 0; m < s->width; m++) {
      worst = fmax (worst, fabs (y[m] - found[r * s->width + m]));
      square += y[m] * y[m];
    }
  }
  g_free ((gpointer) both.data);
  g_free ((gpointer) down.data);
  return worst / sqrt (square / ((double) s->rows * s->width));
}

static void
test_experts (void)
{
  static const FacetDtype types[] = { FACET_F32, FACET_BF16, FACET_Q8_0, FACET_Q4_0, FACET_Q4_K, FACET_Q6_K };
  static const Shape shapes[] = {
    { 1, 256, 256, 8, 2, TRUE }, { 1, 256, 256, 8, 8, FALSE }, { 5, 256, 256, 6, 3, FALSE }, { 66, 256, 256, 4, 2, TRUE },
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (13);

  for (int t = 0; t < N_TEST_TYPES; t++)
    for (guint i = 0; i < G_N_ELEMENTS (types); i++)
      for (guint s = 0; test_types[t].dtype == types[i] && s < G_N_ELEMENTS (shapes); s++)
        for (int exact = 0; exact < 2; exact++) {
          double rel = check_experts (rand, &test_types[t], &shapes[s], exact, 1 + (int) s % 3);
          gboolean floats = exact || types[i] == FACET_F32 || types[i] == FACET_BF16;

          g_test_message ("%s shape %u%s: rel %.1e", test_types[t].name, s, exact ? " exact" : "", rel);
          g_assert_cmpfloat (rel, <=, floats ? 5e-5 : 0.25);
        }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decoder-ops/lookup", test_lookup);
  g_test_add_func ("/decoder-ops/columns", test_columns);
  g_test_add_func ("/decoder-ops/route", test_route);
  g_test_add_func ("/decoder-ops/experts", test_experts);
  return g_test_run ();
}
