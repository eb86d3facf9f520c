/* The released Gemma 3 270M (Q4_K_M) against llama.cpp's log-probabilities of
 * the same text with the weights expanded to 32-bit floats. Skipped where
 * FACET_TEST_MODEL names no file. */
#include "facet.h"

#include <json-glib/json-glib.h>
#include <math.h>

typedef struct {
  JsonParser *parser;
  JsonObject *text;
  GArray     *ids;
} Reference;

static void
reference_open (Reference *r)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "expected", "real-gemma3-270m", "logits.json", NULL);
  g_autoptr (GError) error = NULL;
  JsonArray *ids;

  r->parser = json_parser_new ();
  json_parser_load_from_file (r->parser, path, &error);
  g_assert_no_error (error);
  r->text = json_object_get_object_member (json_node_get_object (json_parser_get_root (r->parser)), "text600");
  r->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  ids = json_object_get_array_member (r->text, "ids");
  for (guint i = 0; i < json_array_get_length (ids); i++) {
    gint32 id = (gint32) json_array_get_int_element (ids, i);

    g_array_append_val (r->ids, id);
  }
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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/real-270m/log-probs/8-bit-activations", GINT_TO_POINTER (FALSE), test_log_probs);
  g_test_add_data_func ("/real-270m/log-probs/exact", GINT_TO_POINTER (TRUE), test_log_probs);
  return g_test_run ();
}
