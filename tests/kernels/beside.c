#include "beside.h"

#include <math.h>
#include <string.h>

#include "device.h"

Beside beside;

void
beside_setup_tier (FacetVkTier tier)
{
  beside = (Beside) { .cpu = facet_cpu_backend_new (1, tier != FACET_VK_DOT), .gpu = device_backend (1, TRUE), .rand = g_rand_new_with_seed (7) };
  beside.memory = g_ptr_array_new_with_free_func (g_free);
  ((FacetVk *) beside.gpu)->takes_untested = TRUE;
  facet_vk_set_tiers ((FacetVk *) beside.gpu, tier);
}

void
beside_setup (void)
{
  beside_setup_tier (FACET_VK_SCALAR);
}

char *
beside_forget_verdict (void)
{
  FacetVk *vk = (FacetVk *) beside.gpu;

  g_free (vk->cache_key);
  vk->cache_key = g_strdup_printf ("test-%d", g_random_int ());
  facet_vk_verdict_clear (&vk->verdict);
  vk->exact = vk->takes_untested = FALSE;
  return facet_vk_cache_file (vk->cache_key, ".verdict");
}

void
beside_teardown (void)
{
  beside.cpu->klass->free (beside.cpu);
  beside.gpu->klass->free (beside.gpu);
  g_rand_free (beside.rand);
  g_ptr_array_unref (beside.memory);
}

FacetGraph *
beside_products (const FacetDtype *dtypes, int n)
{
  FacetGraph *graph = facet_graph_new ();
  int x = facet_g_input (graph, 0, FACET_ROWS_TOKENS, 256);

  for (int i = 0; i < n; i++)
    for (int t = 0; t < N_TEST_TYPES; t++)
      if (test_types[t].dtype == dtypes[i])
        x = facet_g_matmul (graph, x, beside_tensor (&test_types[t], FILL_NORMAL, 256, 256, 1), NULL);
  facet_graph_set_result (graph, x);
  return graph;
}

void
beside_begin (void)
{
  beside.graph = facet_graph_new ();
  beside.n_inputs = 0;
}

int
beside_input (int rows, int at_most, int cols)
{
  float *x = g_new (float, (gsize) at_most * cols);

  fill_floats (beside.rand, FILL_NORMAL, x, (gsize) at_most * cols);
  beside.inputs[beside.n_inputs] = x;
  return facet_g_input (beside.graph, beside.n_inputs++, rows, cols);
}

const FacetTensor *
beside_tensor (const TestType *type, Fill fill, gint64 cols, gint64 rows, gint64 slices)
{
  FacetTensor *t = g_new0 (FacetTensor, 1);
  gsize elements = (gsize) (cols * rows * slices);

  t->name = type->name;
  t->dtype = type->dtype;
  t->ne[0] = cols;
  t->ne[1] = rows;
  t->ne[2] = slices;
  t->ne[3] = 1;
  t->bytes = elements / type->block * type->bytes;
  t->data = g_malloc (t->bytes);
  fill_weights (beside.rand, fill, type, (guint8 *) t->data, elements);
  g_ptr_array_add (beside.memory, t);
  g_ptr_array_add (beside.memory, (gpointer) t->data);
  return t;
}

const FacetTensor *
beside_floats (gint64 cols, gint64 rows)
{
  return beside_tensor (&test_types[0], FILL_NORMAL, cols, rows, 1);
}

/* Compiled anew, so that nothing is left of other steps. */
float *
beside_run (FacetBackend *backend, FacetKv *kv, FacetStep *step, int max_rows, int max_outputs)
{
  g_autoptr (GError) error = NULL;
  FacetPlan *plan = backend->klass->compile (backend, beside.graph, kv, max_rows, max_outputs, &error);
  const FacetNode *result = facet_graph_node (beside.graph, facet_graph_result (beside.graph));
  gsize rows = (gsize) (result->rows == FACET_ROWS_TOKENS ? step->n : result->rows == FACET_ROWS_OUTPUTS ? step->n_outputs : result->rows);
  float *copy, *first;

  g_assert_no_error (error);
  step->inputs = (const float *const *) beside.inputs;
  g_assert_true (backend->klass->run (plan, step, NULL, &error));
  first = g_memdup2 (backend->klass->value (plan, facet_graph_result (beside.graph)), rows * result->cols * sizeof (float));
  g_assert_true (backend->klass->run (plan, step, NULL, &error));
  copy = g_memdup2 (backend->klass->value (plan, facet_graph_result (beside.graph)), rows * result->cols * sizeof (float));
  g_assert_cmpmem (first, rows * result->cols * sizeof (float), copy, rows * result->cols * sizeof (float));
  backend->klass->plan_free (plan);
  g_free (first);
  return copy;
}

void
beside_compare (const char *what, int n_rows, int result, double tolerance)
{
  const FacetNode *node = facet_graph_node (beside.graph, result);
  gint32 outputs[] = { 0 };
  FacetStep step = { .n = n_rows, .position = 5, .outputs = outputs, .n_outputs = 1 };
  gsize n = (gsize) (node->rows == FACET_ROWS_TOKENS ? n_rows : node->rows == FACET_ROWS_OUTPUTS ? 1 : node->rows) * node->cols;
  g_autofree float *expected = NULL, *found = NULL;
  double scale = 0;

  facet_graph_set_result (beside.graph, result);
  expected = beside_run (beside.cpu, NULL, &step, MAX (n_rows, 1), 1);
  found = beside_run (beside.gpu, NULL, &step, MAX (n_rows, 1), 1);
  for (gsize i = 0; i < n; i++)
    scale = fmax (scale, fabs ((double) expected[i]));
  for (gsize i = 0; i < n; i++)
    if (!(fabs ((double) found[i] - (double) expected[i]) <= tolerance * scale + 1e-30))
      g_error ("%s, %d rows: element %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " is %.9g instead of %.9g", what, n_rows, i, n,
               (double) found[i], (double) expected[i]);
  g_clear_pointer (&beside.graph, facet_graph_free);
  for (int i = 0; i < beside.n_inputs; i++)
    g_clear_pointer (&beside.inputs[i], g_free);
}
