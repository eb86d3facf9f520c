/* What a device is trusted with: the self-test, its verdict and what becomes of
 * kernels that disagree; and that who waits for it may end it. */
#include "beside.h"
#include "device.h"

#include <glib/gstdio.h>
#include <string.h>

#include "backend/vulkan/fault.h"

/* compile() tells how far it is and ends when it is asked to, having left nothing. */
typedef struct {
  FacetCancel cancel;
  guint64     last, total;
  int         calls, stop_at;
} Watch;

static void
watch_progress (guint64 done, guint64 total, gpointer data)
{
  Watch *watch = data;

  g_assert_cmpuint (done, >=, watch->last);
  g_assert_cmpuint (done, <=, total);
  watch->last = done;
  watch->total = total;
  if (++watch->calls == watch->stop_at)
    facet_cancel (&watch->cancel);
}

static void
test_cancelled_compile (void)
{
  const FacetTensor *w[6];
  int calls = 0, x;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  vk->hides_memory = TRUE;
  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, 4, 512);
  for (guint i = 0; i < G_N_ELEMENTS (w); i++) {
    w[i] = beside_tensor (&test_types[0], FILL_NORMAL, 512, 512, 1);
    x = facet_g_matmul (beside.graph, x, w[i], NULL);
  }
  facet_graph_set_result (beside.graph, x);
  for (int stop_at = 0; stop_at <= calls; stop_at++) {
    Watch watch = { .stop_at = stop_at };
    g_autoptr (GError) error = NULL;
    guint64 taken = vk->taken;
    FacetPlan *plan;

    vk->base.cancel = &watch.cancel;
    vk->base.progress = watch_progress;
    vk->base.progress_data = &watch;
    plan = beside.gpu->klass->compile (beside.gpu, beside.graph, NULL, 4, 1, &error);
    if (stop_at == 0) {
      g_assert_no_error (error);
      calls = watch.calls - 1;
      g_assert_cmpint (calls, >=, 10);
      g_assert_cmpuint (watch.last, ==, 1000);
      beside.gpu->klass->plan_free (plan);
    } else {
      g_assert_null (plan);
      g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
      g_assert_cmpint (watch.calls, ==, stop_at);
      /* While they were uploaded: no weight is there. Later: all are. */
      g_assert_cmpint (facet_vk_weight (vk, w[0]) != NULL, ==, facet_vk_weight (vk, w[5]) != NULL);
      if (facet_vk_weight (vk, w[0]) == NULL)
        g_assert_cmpuint (vk->taken, ==, taken);
    }
    beside.gpu->klass->forget (beside.gpu);
  }
  vk->base.cancel = NULL;
  vk->base.progress = NULL;
  facet_graph_free (beside.graph);
  g_free (beside.inputs[0]);
  beside_teardown ();
}

static const FacetDtype some_types[] = { FACET_Q4_0, FACET_Q6_K, FACET_IQ4_NL };

/* A pipeline of a shader that begins and ends so. */
static gboolean
has_pipeline_of (FacetVk *vk, const char *beginning, const char *type)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, vk->pipelines);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autofree char *shader = g_strndup (name, strcspn (name, " "));

    if (g_str_has_prefix (shader, beginning) && g_str_has_suffix (shader, type))
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_pipeline (FacetVk *vk, const char *beginning)
{
  return has_pipeline_of (vk, beginning, "");
}

/* Who waits for the self-test hears how far it is and may end it, which is no
 * verdict of the tier that was tried. */
static void
test_self_test_watched (void)
{
  g_autoptr (FacetGraph) graph = NULL;
  int calls = 0, before = 0;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  graph = beside_products (some_types, G_N_ELEMENTS (some_types));
  g_setenv ("FACET_VULKAN_TIER", "dot", TRUE);
  /* Whole, then ended in what all types share, by the encoder, and among the types. */
  for (int i = 0; i < 6; i++) {
    const int stops[] = { 0, 3, before - 1, before + 2, (before + calls) / 2, calls - 1 };
    Watch watch = { .stop_at = stops[i] };
    g_autoptr (GError) error = NULL;
    g_autofree char *path = beside_forget_verdict (), *verdict = NULL;
    gboolean trusted;

    vk->base.cancel = &watch.cancel;
    vk->base.progress = watch_progress;
    vk->base.progress_data = &watch;
    trusted = facet_vk_trust (vk, NULL, &error);
    before = i == 0 ? watch.calls : before;
    trusted = trusted && facet_vk_trust (vk, graph, &error);
    if (i == 0) {
      g_assert_no_error (error);
      g_assert_true (trusted);
      calls = watch.calls;
      g_assert_cmpint (calls, >, before + 10);
      g_assert_cmpuint (watch.last, ==, watch.total);
    } else {
      g_assert_false (trusted);
      g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
      g_assert_cmpint (watch.calls, ==, stops[i]);
      g_assert_cmpuint (watch.last, <, watch.total);
    }
    verdict = facet_vk_verdict (vk->cache_key);
    g_assert_cmpstr (verdict, ==, i == 0 || stops[i] > before ? "works" : NULL);
    facet_vk_verdict_clear (&vk->verdict);
    vk->base.progress = NULL;
    vk->base.cancel = NULL;
    if (verdict != NULL) {
      vk->lost = TRUE; /* asked for what is not remembered it fails */
      g_assert_cmpint (facet_vk_trust (vk, graph, NULL), ==, i == 0);
      vk->lost = FALSE;
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  }
  g_unsetenv ("FACET_VULKAN_TIER");
  beside_teardown ();
}

/* Types are tested when a graph comes that has them, in the tiers that they would
 * be used in; what was found is remembered, also that nothing is to be trusted. */
static void
test_self_test (void)
{
  g_autoptr (FacetGraph) first = NULL, second = NULL;
  g_autofree char *path = NULL, *text = NULL, *other = NULL;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  path = beside_forget_verdict ();
  first = beside_products ((const FacetDtype[]) { FACET_Q4_K }, 1);
  second = beside_products ((const FacetDtype[]) { FACET_Q4_K, FACET_Q8_0 }, 2);
  facet_vk_pipelines_drop (vk);
  g_assert_true (facet_vk_trust (vk, NULL, &error));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (has_pipeline (vk, "attention"));
  g_assert_false (has_pipeline_of (vk, "mat", "q4_k"));
  g_assert_true (facet_vk_trust (vk, first, &error));
  g_assert_true (has_pipeline_of (vk, "mat", "q4_k"));
  g_assert_false (has_pipeline_of (vk, "mat", "q8_0"));
  g_assert_false (has_pipeline (vk, "experts"));
  /* Tiers that are there but not used are not built. */
  g_assert_cmpint (has_pipeline (vk, "matvec-dot"), ==, vk->traits.dot_is_fast);
  g_assert_cmpint (has_pipeline (vk, "matmul-matrix"), ==, vk->traits.matrix_is_fast);
  vk->lost = TRUE; /* what would be tested now fails */
  g_assert_true (facet_vk_trust (vk, first, &error));
  g_assert_false (facet_vk_trust (vk, second, NULL));
  vk->lost = FALSE;
  g_assert_true (facet_vk_trust (vk, second, &error));
  g_assert_true (has_pipeline_of (vk, "mat", "q8_0"));
  /* Another program's findings are kept. */
  facet_vk_verdict_clear (&vk->verdict);
  vk->lost = TRUE;
  g_assert_true (facet_vk_trust (vk, second, &error));
  /* Those of another version of the code count for nothing. */
  facet_vk_verdict_clear (&vk->verdict);
  g_assert_true (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL));
  text = g_key_file_get_string (file, "self-test", "code", NULL);
  other = g_strreverse (g_strdup (text));
  g_key_file_set_string (file, "self-test", "code", other);
  g_assert_true (g_key_file_save_to_file (file, path, NULL));
  g_assert_false (facet_vk_trust (vk, NULL, NULL));
  vk->lost = FALSE;
  g_key_file_set_string (file, "self-test", "code", text);
  g_key_file_set_string (file, "self-test", "rest", "attention disagrees with the reference");
  g_assert_true (g_key_file_save_to_file (file, path, NULL));
  facet_vk_verdict_clear (&vk->verdict);
  g_assert_false (facet_vk_trust (vk, first, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
  g_assert_nonnull (strstr (error->message, "attention disagrees"));
  g_assert_cmpint (g_unlink (path), ==, 0);
  beside_teardown ();
}

/* A tier that the device is used with only because a person names it is tested, too. */
static void
test_named_tier (void)
{
  g_autoptr (FacetGraph) graph = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  if (vk->traits.dot && !vk->traits.dot_is_fast) {
    path = beside_forget_verdict ();
    graph = beside_products (some_types, G_N_ELEMENTS (some_types));
    facet_vk_pipelines_drop (vk);
    g_assert_true (facet_vk_trust (vk, graph, &error));
    g_assert_false (has_pipeline (vk, "matvec-dot"));
    g_setenv ("FACET_VULKAN_TIER", "dot", TRUE);
    g_assert_true (facet_vk_trust (vk, graph, &error));
    g_assert_true (has_pipeline (vk, "matvec-dot"));
    g_assert_cmpint (vk->few_tiers[FACET_Q4_0], ==, FACET_VK_DOT);
    g_unsetenv ("FACET_VULKAN_TIER");
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  beside_teardown ();
}

/* Weights that a model has on the device stay there while kernels of others are tested. */
static void
test_self_test_beside (void)
{
  g_autoptr (FacetGraph) first = NULL, second = NULL;
  g_autofree char *path = NULL;
  g_autofree float *x = g_new (float, 256), *before = NULL;
  g_autoptr (GError) error = NULL;
  FacetStep step = { .n = 1, .outputs = (const gint32[]) { 0 }, .n_outputs = 1, .inputs = (const float *const[]) { x } };
  const FacetBackendClass *klass;
  const float *after;
  FacetPlan *plan;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  klass = vk->base.klass;
  path = beside_forget_verdict ();
  fill_floats (beside.rand, FILL_NORMAL, x, 256);
  first = beside_products ((const FacetDtype[]) { FACET_Q5_0 }, 1);
  second = beside_products ((const FacetDtype[]) { FACET_Q4_1 }, 1);
  plan = klass->compile (&vk->base, first, NULL, 1, 1, &error);
  g_assert_no_error (error);
  g_assert_true (klass->run (plan, &step, NULL, &error));
  before = g_memdup2 (klass->value (plan, facet_graph_result (first)), 256 * sizeof (float));
  g_assert_true (klass->supports (&vk->base, second, &error));
  g_assert_nonnull (facet_vk_weight (vk, facet_graph_node (first, facet_graph_result (first))->w[0]));
  g_assert_true (klass->run (plan, &step, NULL, &error));
  after = klass->value (plan, facet_graph_result (first));
  g_assert_cmpmem (before, 256 * sizeof (float), after, 256 * sizeof (float));
  klass->plan_free (plan);
  g_assert_cmpint (g_unlink (path), ==, 0);
  beside_teardown ();
}

/* With kernel @name of Q4_0 reading blocks of the same size in another way. */
static void
assert_demoted (FacetVk *vk, const FacetGraph *graph, const char *name, const char *form, const char *expected)
{
  g_autofree char *kernel = g_strdup_printf ("%s%s-q4_0", name, form), *other = g_strdup_printf ("%s%s-iq4_nl", name, form);
  g_autofree char *path = beside_forget_verdict (), *verdict = NULL, *again = NULL;
  g_autoptr (GError) error = NULL;

  facet_vk_pipelines_drop (vk);
  facet_vk_fault_swap (kernel, other);
  g_assert_true (facet_vk_trust (vk, graph, &error));
  facet_vk_fault_swap (NULL, NULL);
  verdict = facet_vk_verdict (vk->cache_key);
  g_assert_cmpstr (verdict, ==, expected);
  for (int from_file = 0; from_file < 2; from_file++) {
    g_assert_cmpint (vk->tiers[FACET_Q4_0], ==, FACET_VK_SCALAR);
    g_assert_cmpint (vk->tiers[FACET_IQ4_NL], ==, FACET_VK_DOT);
    facet_vk_verdict_clear (&vk->verdict);
    facet_vk_set_tiers (vk, FACET_VK_DOT);
    g_assert_true (facet_vk_trust (vk, graph, &error));
  }
  again = facet_vk_verdict (vk->cache_key);
  g_assert_cmpstr (again, ==, expected);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* A mixture of experts with weights of Q4_0, and a product with weights of IQ4_NL. */
static FacetGraph *
experts_graph (void)
{
  FacetGraph *graph = beside_products ((const FacetDtype[]) { FACET_IQ4_NL }, 1);
  const TestType *type = &test_types[3];
  int x = facet_graph_result (graph), route;

  g_assert_cmpint (type->dtype, ==, FACET_Q4_0);
  route = facet_g_route (graph, facet_g_matmul (graph, x, beside_floats (256, 4), NULL), 2, NULL);
  x = facet_g_experts_up (graph, x, route, beside_tensor (type, FILL_NORMAL, 256, 64, 4), beside_tensor (type, FILL_NORMAL, 256, 64, 4), 64);
  facet_graph_set_result (graph, facet_g_experts_down (graph, x, route, beside_tensor (type, FILL_NORMAL, 64, 256, 4)));
  return graph;
}

/* A kernel that computes wrongly costs its type of weights a tier, which is
 * remembered and named; without a tier left models that need it are refused. */
static void
test_demotion (void)
{
  g_autoptr (FacetGraph) graph = NULL, without = NULL, experts = NULL;
  g_autofree char *path = NULL, *scalar = NULL, *verdict = NULL;
  g_autoptr (GError) error = NULL;
  const char *form;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  if (vk->traits.dot) {
    form = vk->traits.subgroup > 0 ? "-subgroup" : "";
    graph = beside_products (some_types, G_N_ELEMENTS (some_types));
    without = beside_products ((const FacetDtype[]) { FACET_Q4_0 }, 1);
    experts = experts_graph ();
    g_setenv ("FACET_VULKAN_TIER", "dot", TRUE);
    assert_demoted (vk, graph, "matvec-dot", form, "works without dot of Q4_0");
    assert_demoted (vk, experts, "experts-dot", form, "works without dot of experts of Q4_0");
    path = beside_forget_verdict ();
    facet_vk_pipelines_drop (vk);
    g_assert_true (facet_vk_trust (vk, experts, &error));
    g_assert_cmpint (vk->tiers[FACET_Q4_0], ==, FACET_VK_DOT);
    g_unsetenv ("FACET_VULKAN_TIER");

    scalar = g_strdup_printf ("matvec-gated%s-q6_k", form);
    facet_vk_pipelines_drop (vk);
    facet_vk_fault_swap (scalar, vk->traits.subgroup > 0 ? "matvec-subgroup-q6_k" : "matvec-q6_k");
    vk->exact = TRUE;
    g_assert_false (beside.gpu->klass->supports (beside.gpu, graph, &error));
    facet_vk_fault_swap (NULL, NULL);
    g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (error->message, "Q6_K"));
    verdict = facet_vk_verdict (vk->cache_key);
    g_assert_cmpstr (verdict, ==, "works without scalar of Q6_K");
    g_clear_error (&error);
    g_assert_true (beside.gpu->klass->supports (beside.gpu, without, &error));
    g_assert_cmpint (g_unlink (path), ==, 0);
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
  g_test_add_func ("/vulkan/cancelled-compile", test_cancelled_compile);
  g_test_add_func ("/vulkan/self-test-watched", test_self_test_watched);
  g_test_add_func ("/vulkan/self-test", test_self_test);
  g_test_add_func ("/vulkan/named-tier", test_named_tier);
  g_test_add_func ("/vulkan/self-test-beside", test_self_test_beside);
  g_test_add_func ("/vulkan/demotion", test_demotion);
  return g_test_run ();
}
