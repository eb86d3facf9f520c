/* How the work of a step is given to a device: cut by the time that it takes,
 * so that the desktop stays smooth and Stop is heard, and never to be felt in
 * what is computed. */
#include "beside.h"
#include "device.h"

#include <string.h>

#include "backend/vulkan/fault.h"
#include "backend/vulkan/plan.h"
#include "session/model.h"

#define K 512
#define CHAIN 40
#define MOST_SUBMITS 1000

/* What submits cost, on a device of that speed. */
static struct {
  double       seconds_per_cost;
  double       costs[MOST_SUBMITS];
  int          n;
  int          told;      /* how much of the step was said to be done */
  int          stop_at;   /* that submit, from 1; 0: none */
  FacetCancel *cancel;
} seen;

static void
see_submit (double cost, gpointer data)
{
  g_assert_cmpint (seen.n, <, MOST_SUBMITS);
  seen.costs[seen.n++] = cost;
  if (seen.n == seen.stop_at)
    facet_cancel (seen.cancel);
}

static double
see_seconds (double cost, gpointer data)
{
  return cost * seen.seconds_per_cost;
}

static void
see_progress (int done, int total, gpointer data)
{
  g_assert_cmpint (total, ==, CHAIN);
  g_assert_cmpint (done, >, seen.told);
  g_assert_cmpint (done, <=, total);
  seen.told = done;
}

static const FacetVkWatch watch = { see_submit, see_seconds, NULL };

static FacetVk *
device (void)
{
  return (FacetVk *) beside.gpu;
}

/* Products one after the other: an encoder's where @kv is NULL. */
static FacetPlan *
make_chain (FacetKv *kv, int rows, int max_rows)
{
  g_autoptr (GError) error = NULL;
  FacetPlan *plan;
  int x;

  beside_begin ();
  x = beside_input (rows, 64, K);
  for (int i = 0; i < CHAIN; i++)
    x = facet_g_matmul (beside.graph, x, beside_tensor (&test_types[0], FILL_NORMAL, K, K, 1), NULL);
  facet_graph_set_result (beside.graph, x);
  plan = beside.gpu->klass->compile (beside.gpu, beside.graph, kv, max_rows, max_rows, &error);
  g_assert_no_error (error);
  return plan;
}

static void
end_chain (FacetPlan *plan)
{
  beside.gpu->klass->plan_free (plan);
  g_clear_pointer (&beside.graph, facet_graph_free);
  g_clear_pointer (&beside.inputs[0], g_free);
}

static gboolean
run (FacetPlan *plan, int rows, double seconds_per_cost, FacetCancel *cancel, GError **error)
{
  FacetStep step = { .n = rows, .inputs = (const float *const *) beside.inputs, .progress = see_progress };

  seen.seconds_per_cost = seconds_per_cost;
  seen.n = seen.told = 0;
  for (int kind = 0; kind < FACET_VK_N_FAULTS; kind++)
    facet_vk_fault_arm ((FacetVkFault) kind, 0);
  return beside.gpu->klass->run (plan, &step, cancel, error);
}

static double
longest (void)
{
  double most = 0;

  for (int i = 0; i < seen.n; i++)
    most = MAX (most, seen.costs[i] * seen.seconds_per_cost);
  return most;
}

static void
check_cuts (int rows, int max_rows)
{
  FacetPlan *plan = make_chain (NULL, rows, max_rows);
  double whole = 2.0 * K * K * CHAIN * 64;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (plan->segments->len, ==, CHAIN);
  /* Nothing is known yet: as if it were slow. */
  device ()->seconds_per_cost = 0;
  g_assert_true (run (plan, max_rows, 1 / whole, NULL, &error));
  g_assert_cmpint (seen.n, >, 10);
  g_assert_cmpint (facet_vk_fault_count (FACET_VK_FAULT_WAIT), ==, seen.n);
  g_assert_cmpint (seen.told, ==, CHAIN);
  /* A second for all: twenty submits or so. */
  g_assert_true (run (plan, max_rows, 1 / whole, NULL, &error));
  g_assert_cmpfloat (longest (), <=, 0.1);
  g_assert_cmpint (seen.n, <=, 25);
  /* Suddenly ten times as slow: one submit is too long, none of the others. */
  g_assert_true (run (plan, max_rows, 10 / whole, NULL, &error));
  g_assert_cmpfloat (longest (), ==, seen.costs[0] * seen.seconds_per_cost);
  seen.costs[0] = 0;
  g_assert_cmpfloat (longest (), <=, 0.26);
  g_assert_cmpint (seen.n, >, 30);
  /* Fast enough for one: that is found by and by. */
  for (int i = 0; i < 10 && seen.n > 1; i++)
    g_assert_true (run (plan, max_rows, 0.001 / whole, NULL, &error));
  g_assert_cmpint (seen.n, ==, 1);
  g_assert_cmpint (facet_vk_fault_count (FACET_VK_FAULT_WAIT), ==, 1);
  end_chain (plan);
}

static void
test_cuts (void)
{
  beside_setup ();
  device ()->segment_cost = 1;
  facet_vk_fault_watch (&watch);
  check_cuts (64, 1);                   /* an encoder */
  check_cuts (FACET_ROWS_TOKENS, 64);   /* reading a prompt */
  facet_vk_fault_watch (NULL);
  beside_teardown ();
}

/* What they take is seen by the clock, however wrong the guess was, and each is waited for. */
static void
test_measured (void)
{
  static const double guesses[] = { 1e-30, 1e30 };
  g_autoptr (GError) error = NULL;
  int submits[G_N_ELEMENTS (guesses)];
  FacetPlan *plan;

  beside_setup ();
  device ()->segment_cost = 1;
  plan = make_chain (NULL, 64, 1);
  for (guint i = 0; i < G_N_ELEMENTS (guesses); i++) {
    device ()->seconds_per_cost = guesses[i];
    g_assert_true (run (plan, 1, 0, NULL, &error));
    submits[i] = facet_vk_fault_count (FACET_VK_FAULT_SUBMIT);
    g_assert_cmpint (facet_vk_fault_count (FACET_VK_FAULT_WAIT), ==, submits[i]);
    g_assert_cmpfloat (device ()->seconds_per_cost, >, 1e-15);
    g_assert_cmpfloat (device ()->seconds_per_cost, <, 1e29);
  }
  g_test_message ("%d and %d submits", submits[0], submits[1]);
  /* The first is thought to be free, until it has been measured. */
  g_assert_cmpint (submits[0], ==, 1);
  g_assert_cmpint (submits[1], >=, 8);
  end_chain (plan);
  beside_teardown ();
}

/* After Stop nothing is given to the device any more; what it has is at most one submit. */
static void
test_stop (void)
{
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };
  FacetPlan *plan;

  beside_setup ();
  device ()->segment_cost = 1;
  facet_vk_fault_watch (&watch);
  seen.cancel = &cancel;
  plan = make_chain (NULL, 64, 1);
  for (seen.stop_at = 1; seen.stop_at < 10; seen.stop_at++) {
    cancel = (FacetCancel) { 0 };
    device ()->seconds_per_cost = 0;
    g_assert_false (run (plan, 1, 1e-9, &cancel, &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
    g_clear_error (&error);
    g_assert_cmpint (seen.n, ==, seen.stop_at);
    g_assert_cmpint (facet_vk_fault_count (FACET_VK_FAULT_SUBMIT), ==, seen.stop_at);
  }
  seen.stop_at = 0;
  /* The device is as it was. */
  g_assert_true (run (plan, 1, 1e-9, NULL, &error));
  end_chain (plan);
  facet_vk_fault_watch (NULL);
  beside_teardown ();
}

/* A token is waited for once, however slow the device is. */
static void
test_token (void)
{
  static const FacetKvLayer layer = { .n_kv = 1, .head_k = 64, .head_v = 64 };
  g_autoptr (GError) error = NULL;
  FacetPlan *plan;
  FacetKv *kv;

  beside_setup ();
  device ()->segment_cost = 1;
  facet_vk_fault_watch (&watch);
  kv = beside.gpu->klass->kv_new (beside.gpu, &layer, 1, 16, 1, FACET_KV_F16, &error);
  g_assert_no_error (error);
  plan = make_chain (kv, FACET_ROWS_TOKENS, 1);
  device ()->seconds_per_cost = 0;
  for (int i = 0; i < 2; i++) {
    g_assert_true (run (plan, 1, 1.0 / (2.0 * K * K * CHAIN), NULL, &error));
    g_assert_cmpint (facet_vk_fault_count (FACET_VK_FAULT_WAIT), ==, 1);
  }
  g_assert_cmpint (seen.n, >, 10);
  g_assert_cmpfloat (longest (), <=, 0.1);
  for (int i = 0; i < 40 && seen.n > 1; i++)
    g_assert_true (run (plan, 1, 1e-12, NULL, &error));
  g_assert_cmpint (facet_vk_fault_count (FACET_VK_FAULT_SUBMIT), ==, 1);
  /* One that fails in between leaves nothing running. */
  g_assert_true (run (plan, 1, 1e-6, NULL, &error));
  facet_vk_fault_arm (FACET_VK_FAULT_SUBMIT, 3);
  g_assert_false (beside.gpu->klass->run (plan, &(FacetStep) { .n = 1, .inputs = (const float *const *) beside.inputs }, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
  facet_vk_fault_arm (FACET_VK_FAULT_SUBMIT, 0);
  end_chain (plan);
  beside.gpu->klass->kv_free (kv);
  facet_vk_fault_watch (NULL);
  beside_teardown ();
}

/* ---- parts of a dispatch ---- */

typedef int (*Describe) (int rows);

static int
describe_product (int rows)
{
  return facet_g_matmul (beside.graph, beside_input (FACET_ROWS_TOKENS, rows, 96), beside_tensor (&test_types[0], FILL_NORMAL, 96, 700, 1), NULL);
}

static int
describe_gated (int rows)
{
  int x = beside_input (FACET_ROWS_TOKENS, rows, 96);
  int gate = facet_g_matmul (beside.graph, x, beside_tensor (&test_types[1], FILL_NORMAL, 96, 300, 1), NULL);

  return facet_g_geglu (beside.graph, gate, facet_g_matmul (beside.graph, x, beside_tensor (&test_types[1], FILL_NORMAL, 96, 300, 1), NULL));
}

static int
describe_attention (int rows)
{
  FacetAttention at = { .cache = -1, .n_head = 4, .n_kv = 2, .head_k = 32, .head_v = 32, .scale = 0.2f };
  int q = beside_input (rows, rows, 128), k = beside_input (rows, rows, 64), v = beside_input (rows, rows, 64);

  return facet_g_attention (beside.graph, q, k, v, &at);
}

/* Fewer rows than there may be: groups beyond them end at once. */
static void
test_parts (void)
{
  static const Describe all[] = { describe_product, describe_gated, describe_attention };
  static const int row_counts[] = { 300, 299, 65, 1 };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    gboolean fixed = all[i] == describe_attention;

    beside_begin ();
    facet_graph_set_result (beside.graph, all[i] (300));
    for (guint r = 0; r < (fixed ? 1 : G_N_ELEMENTS (row_counts)); r++) {
      FacetStep step = { .n = row_counts[r], .n_outputs = 0 };
      gsize bytes = sizeof (float) * row_counts[r] * facet_graph_node (beside.graph, facet_graph_result (beside.graph))->cols;
      double usual = device ()->part_cost;
      g_autofree float *whole = beside_run (beside.gpu, NULL, &step, 300, 1), *parts = NULL;

      device ()->part_cost = 1e6;
      device ()->segment_cost = 3e6;
      parts = beside_run (beside.gpu, NULL, &step, 300, 1);
      device ()->part_cost = device ()->segment_cost = usual;
      g_assert_cmpmem (whole, bytes, parts, bytes);
    }
    g_clear_pointer (&beside.graph, facet_graph_free);
    for (int n = 0; n < beside.n_inputs; n++)
      g_clear_pointer (&beside.inputs[n], g_free);
  }
  beside_teardown ();
}

/* A matrix that takes too long at once becomes several command buffers, a device's time limit apart. */
static void
test_divided (void)
{
  g_autoptr (GError) error = NULL;
  FacetPlan *plan;

  beside_setup ();
  device ()->segment_cost = device ()->part_cost = 1e6;
  beside_begin ();
  facet_graph_set_result (beside.graph, describe_product (300));
  plan = beside.gpu->klass->compile (beside.gpu, beside.graph, NULL, 300, 1, &error);
  g_assert_no_error (error);
  /* 40 million operations, in the groups that there are. */
  g_assert_cmpuint (plan->dispatches->len, ==, 1);
  g_assert_cmpuint (plan->segments->len, >=, 10);
  for (guint i = 0; i < plan->segments->len; i++)
    g_assert_cmpfloat (g_array_index (plan->segments, FacetVkSegment, i).cost, <=, 5e6);
  end_chain (plan);
  beside_teardown ();
}

/* ---- a whole answer ---- */

static int
count_for (FacetModel *model, int tokens, FacetVkFault kind)
{
  static const gint32 ids[] = { 2, 45, 300, 77 };
  FacetSessionParams shape = { .context = 64 };
  FacetReplyParams params = { .max_tokens = tokens, .endless = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = facet_session_new (model, &shape, &error);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_auto (FacetReply) reply = { NULL };

  g_assert_no_error (error);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, G_N_ELEMENTS (ids));
  facet_vk_fault_arm (kind, 0);
  g_assert_true (facet_session_reply (session, prompt, &params, &reply, &error));
  g_assert_no_error (error);
  return facet_vk_fault_count (kind);
}

/* Each further token of an answer is one submit and one fence. */
static void
test_answer (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q8_0.gguf", NULL);
  FacetModelParams params = { .threads = 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = NULL;

  device_params (&params);
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  for (int kind = FACET_VK_FAULT_SUBMIT; kind <= FACET_VK_FAULT_WAIT; kind++)
    g_assert_cmpint (count_for (model, 12, (FacetVkFault) kind) - count_for (model, 2, (FacetVkFault) kind), ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/submits/cuts", test_cuts);
  g_test_add_func ("/submits/measured", test_measured);
  g_test_add_func ("/submits/stop", test_stop);
  g_test_add_func ("/submits/token", test_token);
  g_test_add_func ("/submits/parts", test_parts);
  g_test_add_func ("/submits/divided", test_divided);
  g_test_add_func ("/submits/answer", test_answer);
  return g_test_run ();
}
