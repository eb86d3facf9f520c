/* The released Gemma 3 270M (Q4_K_M) against llama.cpp's log-probabilities of
 * the same text with the weights expanded to 32-bit floats. Skipped where
 * FACET_TEST_MODEL names no file. */
#include "device.h"
#include "facet.h"

#include <json-glib/json-glib.h>
#include <math.h>

typedef struct {
  JsonParser *parser;
  JsonArray  *prompts;
  JsonObject *text;
  GArray     *ids;      /* of the text */
} Reference;

static void
append_ids (GArray *ids, JsonArray *array)
{
  for (guint i = 0; i < json_array_get_length (array); i++) {
    gint32 id = (gint32) json_array_get_int_element (array, i);

    g_array_append_val (ids, id);
  }
}

static void
reference_open (Reference *r)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "expected", "real-gemma3-270m", "logits.json", NULL);
  g_autoptr (GError) error = NULL;
  JsonObject *root;

  r->parser = json_parser_new ();
  json_parser_load_from_file (r->parser, path, &error);
  g_assert_no_error (error);
  root = json_node_get_object (json_parser_get_root (r->parser));
  r->prompts = json_object_get_array_member (root, "prompts");
  r->text = json_object_get_object_member (root, "text600");
  r->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  append_ids (r->ids, json_object_get_array_member (r->text, "ids"));
}

static void
reference_close (Reference *r)
{
  g_array_unref (r->ids);
  g_object_unref (r->parser);
}

/* Mean distance of two lists; entry i of the reference belongs to token i + 1. */
static double
distance (JsonArray *expected, const double *found, JsonArray *other)
{
  guint n = json_array_get_length (expected);
  double sum = 0;

  for (guint i = 0; i < n; i++)
    sum += fabs (json_array_get_double_element (expected, i)
                 - (found != NULL ? found[i + 1] : json_array_get_double_element (other, i)));
  return sum / n;
}

static void
test_log_probs (gconstpointer data)
{
  gboolean exact = GPOINTER_TO_INT (data);
  const char *path = g_getenv ("FACET_TEST_MODEL");
  FacetModelParams params = { .backend = FACET_BACKEND_CPU, .exact = exact };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (FacetSession) session = NULL;
  g_autofree double *found = NULL;
  JsonObject *floats;
  JsonArray *expected, *theirs;
  Reference r;
  double total = 0, ours, llama;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_test_skip ("FACET_TEST_MODEL names no file");
    return;
  }
  reference_open (&r);
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  session = facet_session_new (model, NULL, &error);
  g_assert_no_error (error);
  found = g_new (double, r.ids->len);
  facet_session_score (session, (const gint32 *) (gpointer) r.ids->data, r.ids->len, found, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 1; i < r.ids->len; i++)
    total += found[i];

  floats = json_object_get_object_member (r.text, "dequantised_f32");
  expected = json_object_get_array_member (floats, "logprob_per_token");
  theirs = json_object_get_array_member (r.text, "logprob_per_token");
  g_assert_cmpuint (json_array_get_length (expected), ==, r.ids->len - 1);
  ours = distance (expected, found, NULL);
  llama = distance (expected, NULL, theirs);
  g_test_message ("total %.3f, mean distance %.5f, llama.cpp's %.5f", total, ours, llama);
  g_assert_cmpfloat_with_epsilon (total, json_object_get_double_member (floats, "total_logprob"), 0.001 * 1997);
  g_assert_cmpfloat (ours, <=, exact ? llama / 10 : llama);
  reference_close (&r);
}

/* On a device, past the window of 512. */
static void
test_device (void)
{
  const char *path = g_getenv ("FACET_TEST_MODEL");
  FacetModelParams params = { .exact = TRUE };
  FacetSessionParams shape = { .context = 640, .chunk = 64 };
  g_autofree double *found = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (FacetSession) session = NULL;
  JsonArray *expected;
  Reference r;
  double off;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_test_skip ("FACET_TEST_MODEL names no file");
    return;
  }
  device_params (&params);
  reference_open (&r);
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  session = facet_session_new (model, &shape, &error);
  g_assert_no_error (error);
  found = g_new (double, r.ids->len);
  facet_session_score (session, (const gint32 *) (gpointer) r.ids->data, r.ids->len, found, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (facet_model_backend_name (model), "vulkan"));
  expected = json_object_get_array_member (json_object_get_object_member (r.text, "dequantised_f32"), "logprob_per_token");
  off = distance (expected, found, NULL);
  g_test_message ("%s: mean distance %.5f", facet_model_backend_name (model), off);
  g_assert_cmpfloat (off, <=, 0.002);
  reference_close (&r);
}

/* The largest difference to the reference's 50 likeliest tokens after the prompt. */
static float
logit_error (JsonObject *floats, const float *logits)
{
  JsonArray *ids = json_object_get_array_member (floats, "top50_ids");
  JsonArray *expected = json_object_get_array_member (floats, "top50_logits");
  float error = 0;

  for (guint i = 0; i < json_array_get_length (ids); i++)
    error = MAX (error, fabsf (logits[json_array_get_int_element (ids, i)]
                               - (float) json_array_get_double_element (expected, i)));
  return error;
}

static gint32
likeliest (const float *logits, int vocab)
{
  gint32 best = 0;

  for (gint32 i = 1; i < vocab; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

/* Every token of the reference's greedy continuation, given those before it,
 * is the likeliest here too, unless its lead is within twice the error.
 * Returns: how many had to agree. */
static guint
check_greedy (FacetModel *model, JsonObject *prompt, float max_error)
{
  JsonObject *floats = json_object_get_object_member (prompt, "dequantised_f32");
  JsonArray *greedy = json_object_get_array_member (floats, "greedy64");
  JsonArray *margins = json_object_get_array_member (floats, "greedy_margin");
  const char *text = json_object_get_string_member (prompt, "text");
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (FacetPrompt) all = facet_prompt_new (FACET_TEMPLATE_RAW);
  FacetSessionParams params = { .kv_type = FACET_KV_F32 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = facet_session_new (model, &params, &error);
  int vocab = facet_model_vocab_size (model), n_prompt;
  guint checked = 0;
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
  const float *rows;
  float off;

  g_assert_no_error (error);
  append_ids (ids, json_object_get_array_member (prompt, "ids"));
  n_prompt = (int) ids->len;
  append_ids (ids, greedy);
  facet_prompt_begin_turn (all, FACET_ROLE_USER);
  facet_prompt_add_tokens (all, (const gint32 *) (gpointer) ids->data, ids->len);
  facet_session_logits (session, all, TRUE, logits, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (logits->len, ==, ids->len * (guint) vocab);
  rows = (const float *) (gpointer) logits->data;
  off = logit_error (floats, rows + (gsize) (n_prompt - 1) * vocab);
  g_test_message ("%.24s: off by %.4f", text, (double) off);
  g_assert_cmpfloat (off, <=, max_error);
  for (guint i = 0; i < json_array_get_length (greedy); i++) {
    if (json_array_get_double_element (margins, i) <= 2 * (double) off)
      continue;
    checked++;
    g_assert_cmpint (likeliest (rows + (gsize) (n_prompt + (int) i - 1) * vocab, vocab), ==,
                     json_array_get_int_element (greedy, i));
  }
  return checked;
}

static void
test_greedy (gconstpointer data)
{
  gboolean exact = GPOINTER_TO_INT (data);
  const char *path = g_getenv ("FACET_TEST_MODEL");
  FacetModelParams params = { .backend = FACET_BACKEND_CPU, .exact = exact };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = NULL;
  guint checked = 0;
  Reference r;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_test_skip ("FACET_TEST_MODEL names no file");
    return;
  }
  reference_open (&r);
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < json_array_get_length (r.prompts); i++)
    checked += check_greedy (model, json_array_get_object_element (r.prompts, i), exact ? 0.02f : 1.0f);
  g_test_message ("%u of 320 tokens lead by more than the error", checked);
  g_assert_cmpuint (checked, >, exact ? 300 : 100);
  reference_close (&r);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  if (device_is_gpu ()) {
    g_test_add_func ("/real-270m/device", test_device);
    return g_test_run ();
  }
  g_test_add_data_func ("/real-270m/log-probs/8-bit-activations", GINT_TO_POINTER (FALSE), test_log_probs);
  g_test_add_data_func ("/real-270m/log-probs/exact", GINT_TO_POINTER (TRUE), test_log_probs);
  g_test_add_data_func ("/real-270m/greedy/8-bit-activations", GINT_TO_POINTER (FALSE), test_greedy);
  g_test_add_data_func ("/real-270m/greedy/exact", GINT_TO_POINTER (TRUE), test_greedy);
  return g_test_run ();
}
