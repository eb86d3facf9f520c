/* The best logits of a row, found on the device: exactly those that a sort
 * finds, and answers drawn from them are those drawn from whole rows, for which
 * more is read back. */
#include "backend/pair.h"
#include "beside.h"
#include "device.h"
#include "session/session-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT 9
#define ANSWER 24

static int
by_falling_value (gconstpointer a, gconstpointer b)
{
  const FacetBest *x = a, *y = b;

  return x->value > y->value ? -1 : x->value < y->value ? 1 : x->column < y->column ? -1 : 1;
}

static int
sort_all (const float *values, int n, FacetBest *best)
{
  g_autofree FacetBest *all = g_new (FacetBest, n);
  int numbers = 0;

  for (int i = 0; i < n; i++)
    if (!isnan (values[i]))
      all[numbers++] = (FacetBest) { values[i], i };
  qsort (all, (gsize) numbers, sizeof *all, by_falling_value);
  memcpy (best, all, sizeof *best * MIN (numbers, FACET_N_BEST));
  return MIN (numbers, FACET_N_BEST);
}

typedef enum { DISTINCT, EQUAL, FEW_VALUES, SPECIAL, FEW_NUMBERS, N_FILLINGS } Filling;

static float
value_of (GRand *rand, Filling filling)
{
  static const float special[] = { 0.0f, -0.0f, NAN, INFINITY, -INFINITY, 1e-30f, -1e-30f, 3e38f, -3e38f };

  switch (filling) {
  case DISTINCT: return (float) g_rand_double_range (rand, -50, 50);
  case EQUAL: return -2.5f;
  case FEW_VALUES: return (float) g_rand_int_range (rand, -2, 3);
  case SPECIAL: return special[g_rand_int_range (rand, 0, G_N_ELEMENTS (special))];
  default: return g_rand_int_range (rand, 0, 100) == 0 ? 1.5f : NAN;
  }
}

static void
check_row (int n, Filling filling)
{
  FacetStep step = { .n = 1, .outputs = (const gint32[]) { 0 }, .n_outputs = 1, .only_best = TRUE };
  const FacetBackendClass *klass = beside.gpu->klass;
  FacetBest expected[FACET_N_BEST], found[FACET_N_BEST];
  g_autoptr (GError) error = NULL;
  FacetVk *vk = (FacetVk *) beside.gpu;
  guint64 before = vk->read_bytes;
  const float *row, *whole;
  FacetPlan *plan;
  int x, n_found;

  beside_begin ();
  x = beside_input (FACET_ROWS_OUTPUTS, 1, n + 3);
  for (int i = 0; i < n; i++)
    beside.inputs[0][3 + i] = value_of (beside.rand, filling);
  row = beside.inputs[0] + 3;
  facet_graph_set_result (beside.graph, facet_g_columns (beside.graph, x, 3, n));
  plan = klass->compile (beside.gpu, beside.graph, NULL, 1, 1, &error);
  g_assert_no_error (error);
  step.inputs = (const float *const *) beside.inputs;
  g_assert_true (klass->run (plan, &step, NULL, &error));
  n_found = klass->best (plan, found);
  g_assert_cmpint (n_found, ==, sort_all (row, n, expected));
  for (int i = 0; i < n_found; i++) {
    g_assert_cmpint (found[i].column, ==, expected[i].column);
    g_assert_true (found[i].value == expected[i].value);
  }
  g_assert_cmpuint (vk->read_bytes - before, ==, sizeof found);
  g_assert_true (klass->fetch (plan, &error));
  whole = klass->value (plan, facet_graph_result (beside.graph));
  for (int i = 0; i < n; i++)
    g_assert_true (whole[i] == row[i] || (isnan (whole[i]) && isnan (row[i])));
  g_assert_cmpuint (vk->read_bytes - before, ==, sizeof found + sizeof *row * (guint) n);
  klass->plan_free (plan);
  facet_graph_free (beside.graph);
  g_free (beside.inputs[0]);
}

/* Nothing is searched where the whole row is wanted, and the row is there. */
static void
test_unwanted (void)
{
  const int n = 5000;
  FacetStep step = { .n = 1, .outputs = (const gint32[]) { 0 }, .n_outputs = 1 };
  const FacetBackendClass *klass;
  g_autoptr (GError) error = NULL;
  const float *whole;
  FacetPlan *plan;

  beside_setup ();
  klass = beside.gpu->klass;
  beside_begin ();
  facet_graph_set_result (beside.graph, facet_g_scale (beside.graph, beside_input (FACET_ROWS_OUTPUTS, 1, n), 2));
  plan = klass->compile (beside.gpu, beside.graph, NULL, 1, 1, &error);
  g_assert_no_error (error);
  step.inputs = (const float *const *) beside.inputs;
  for (int only_best = 0; only_best < 2; only_best++) {
    g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (FacetKernelCount));
    int searches = 0;

    step.only_best = only_best;
    klass->count (plan, &step, counts);
    for (guint i = 0; i < counts->len; i++)
      if (g_str_equal (g_array_index (counts, FacetKernelCount, i).kernel, "best"))
        searches += g_array_index (counts, FacetKernelCount, i).dispatches;
    g_assert_cmpint (searches, ==, only_best ? 2 : 0);
  }
  step.only_best = FALSE;
  g_assert_true (klass->run (plan, &step, NULL, &error));
  whole = klass->value (plan, facet_graph_result (beside.graph));
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat (whole[i], ==, 2 * beside.inputs[0][i]);
  klass->plan_free (plan);
  facet_graph_free (beside.graph);
  g_free (beside.inputs[0]);
  beside_teardown ();
}

static void
test_rows (void)
{
  const int columns[] = { 129, 500, 2047, 2048, 2049, 4100, 33000, 262144 };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    for (Filling filling = DISTINCT; filling < N_FILLINGS; filling++)
      check_row (columns[i], filling);
  beside_teardown ();
}

/* Rows of which several are wanted, or that are short, are brought whole. */
static void
test_none (void)
{
  FacetBest best[FACET_N_BEST];
  g_autoptr (GError) error = NULL;

  beside_setup ();
  for (int wide = 0; wide < 2; wide++) {
    FacetPlan *plan;
    int x;

    beside_begin ();
    x = beside_input (FACET_ROWS_OUTPUTS, 2, wide ? 300 : FACET_N_BEST);
    facet_graph_set_result (beside.graph, facet_g_relu (beside.graph, x));
    plan = beside.gpu->klass->compile (beside.gpu, beside.graph, NULL, 2, wide ? 2 : 1, &error);
    g_assert_no_error (error);
    g_assert_cmpint (beside.gpu->klass->best (plan, best), ==, -1);
    beside.gpu->klass->plan_free (plan);
    facet_graph_free (beside.graph);
    g_free (beside.inputs[0]);
  }
  beside_teardown ();
}

/* ---- answers ---- */

typedef struct {
  FacetModel *model;
  FacetVk    *vk;
} Talk;

static void
talk_open (Talk *talk, const char *folder)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models", folder, "text-q4_0.gguf", NULL);
  FacetModelParams params = { .threads = 1 };
  g_autoptr (GError) error = NULL;

  device_params (&params);
  talk->model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  talk->vk = (FacetVk *) facet_pair_device (talk->model->backend);
}

static FacetSession *
begin (Talk *talk)
{
  FacetSessionParams shape = { .context = 1024, .chunk = 64 };
  g_autoptr (GError) error = NULL;
  FacetSession *session = facet_session_new (talk->model, &shape, &error);

  g_assert_no_error (error);
  return session;
}

/* Returns: (transfer full): the ids; @bytes: what was read back for them. */
static GArray *
answer (Talk *talk, const FacetSampling *sampling, GPtrArray *tools, guint64 *bytes)
{
  FacetReplyParams how = { .sampling = *sampling, .max_tokens = ANSWER, .endless = TRUE };
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (tools ? FACET_TEMPLATE_TRANSCRIPT : FACET_TEMPLATE_RAW);
  g_auto (FacetReply) reply = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = begin (talk);
  guint64 before = talk->vk->read_bytes;
  gint32 ids[PROMPT];

  for (int i = 0; i < PROMPT; i++)
    ids[i] = i == 0 ? 2 : (7 + 31 * i) % 300;
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, PROMPT);
  if (tools)
    facet_prompt_set_tools (prompt, tools, FACET_TOOLS_REQUIRED, FACET_CALLS_JSON);
  facet_session_reply (session, prompt, &how, &reply, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply.ids->len, >, 0);
  *bytes = talk->vk->read_bytes - before;
  return g_steal_pointer (&reply.ids);
}

/* The same answer from whole rows, by a device that tells of no best. */
static void
compare (Talk *talk, const FacetSampling *sampling, gboolean alone)
{
  const FacetBackendClass *klass = talk->vk->base.klass;
  FacetBackendClass without = *klass;
  guint64 few, all, whole = sizeof (float) * (guint64) talk->model->decoder->vocab;
  g_autoptr (GArray) found = answer (talk, sampling, NULL, &few), expected = NULL;

  without.best = NULL;
  talk->vk->base.klass = &without;
  expected = answer (talk, sampling, NULL, &all);
  talk->vk->base.klass = klass;
  g_assert_cmpmem (found->data, found->len * sizeof (gint32), expected->data, expected->len * sizeof (gint32));
  g_test_message ("temperature %.1f, top-k %d: %" G_GUINT64_FORMAT " bytes instead of %" G_GUINT64_FORMAT, (double) sampling->temperature,
                  sampling->top_k, few, all);
  g_assert_cmpuint (all, ==, found->len * whole);
  if (alone)
    g_assert_cmpuint (few, ==, found->len * sizeof (FacetBest) * FACET_N_BEST);
  else
    g_assert_cmpuint (few, >, found->len * whole / 2);
}

static void
test_answers (gconstpointer folder)
{
  Talk talk;

  talk_open (&talk, folder);
  for (guint seed = 1; seed < 3; seed++) {
    compare (&talk, &(FacetSampling) { .temperature = 1, .top_k = 64, .top_p = 0.95f, .seed = seed }, TRUE);
    compare (&talk, &(FacetSampling) { .temperature = 0.8f, .top_k = 20, .min_p = 0.05f, .repeat_penalty = 1.1f, .seed = seed }, TRUE);
    /* Any token of the tiny model may be drawn. */
    compare (&talk, &(FacetSampling) { .temperature = 1, .top_p = 0.99f, .seed = seed }, FALSE);
    compare (&talk, &(FacetSampling) { .temperature = 1, .top_k = 64, .repeat_penalty = 0.9f, .seed = seed }, FALSE);
  }
  compare (&talk, &(FacetSampling) { 0 }, TRUE);
  compare (&talk, &(FacetSampling) { .repeat_penalty = 1.1f }, TRUE);
  facet_model_unref (talk.model);
}

/* Calls are drawn under a mask, and logits that programs ask for are whole. */
static void
test_whole (void)
{
  FacetSampling sampling = { .temperature = 1, .top_k = 64, .seed = 5 };
  g_autoptr (GPtrArray) tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float)), all = g_array_new (FALSE, FALSE, sizeof (float)), ids = NULL;
  const gint32 prompt_ids[] = { 2, 45, 300, 77, 12 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = NULL;
  guint64 bytes;
  gsize vocab;
  Talk talk;

  talk_open (&talk, "gemma3-tiny");
  vocab = (gsize) talk.model->decoder->vocab;
  g_ptr_array_add (tools, facet_tool_new ("now", "The time.", NULL, NULL));
  ids = answer (&talk, &sampling, tools, &bytes);
  /* The best are told of the prompt's row alone: after it whole rows are asked for. */
  g_assert_cmpuint (bytes, ==, ids->len * sizeof (float) * vocab + sizeof (FacetBest) * FACET_N_BEST);
  session = begin (&talk);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, prompt_ids, G_N_ELEMENTS (prompt_ids));
  g_assert_true (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  g_assert_true (facet_session_logits (session, prompt, TRUE, all, NULL, &error));
  g_assert_cmpuint (logits->len, ==, vocab);
  g_assert_cmpuint (all->len, ==, G_N_ELEMENTS (prompt_ids) * vocab);
  for (gsize i = 0; i < vocab; i++)
    g_assert_cmpfloat_with_epsilon (g_array_index (logits, float, i), g_array_index (all, float, all->len - vocab + i), 1e-3);
  g_clear_pointer (&session, facet_session_free);
  facet_model_unref (talk.model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/best/rows", test_rows);
  g_test_add_func ("/best/unwanted", test_unwanted);
  g_test_add_func ("/best/none", test_none);
  g_test_add_data_func ("/best/answers/gemma3", "gemma3-tiny", test_answers);
  g_test_add_data_func ("/best/answers/soft-cap", "gemma4-tiny", test_answers);
  g_test_add_func ("/best/whole", test_whole);
  return g_test_run ();
}
