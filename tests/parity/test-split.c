/* Decoders divided between a device and the processor, at every place where
 * they can be: logits and greedy answers are those of the processor alone. */
#include "backend/pair-private.h"
#include "device.h"
#include "session/model.h"

#include <math.h>
#include <string.h>

#define PROMPT 23
#define ANSWER 6

static const char *const families[] = { "gemma3-tiny", "gemma3n-tiny", "gemma4-tiny" };

static FacetModel *
load (const char *family, gboolean on_device, guint64 device_memory)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", family, "text-q4_0.gguf", NULL);
  FacetModelParams params = { .backend = FACET_BACKEND_CPU, .threads = 1, .exact = TRUE };
  g_autoptr (GError) error = NULL;
  FacetModel *model;

  if (on_device)
    device_params (&params);
  params.device_memory = device_memory;
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  return model;
}

static FacetPrompt *
make_prompt (FacetModel *model)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  gint32 ids[PROMPT];

  for (int i = 0; i < PROMPT; i++)
    ids[i] = i == 0 ? 2 : (7 + 31 * i) % MIN (model->text_vocab, 300);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, PROMPT);
  return prompt;
}

typedef struct {
  GArray *logits;  /* of every row of the prompt */
  GArray *answer;  /* ids */
  int     split;
  char   *name;    /* of the backend */
  FacetNotice notice;
} Outcome;

static void
outcome_clear (Outcome *o)
{
  g_array_unref (o->logits);
  g_array_unref (o->answer);
  g_free (o->name);
}

/* Steps of 5 rows, so that the cache is read across steps. */
static Outcome
compute (FacetModel *model)
{
  FacetSessionParams shape = { .context = 64, .chunk = 5 };
  FacetReplyParams how = { .max_tokens = ANSWER, .endless = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = facet_session_new (model, &shape, &error);
  g_autoptr (FacetPrompt) prompt = make_prompt (model);
  g_auto (FacetReply) reply = { NULL };
  Outcome o = { .logits = g_array_new (FALSE, FALSE, sizeof (float)) };
  int layers;

  g_assert_no_error (error);
  facet_session_reply (session, prompt, &how, &reply, &error);
  g_assert_no_error (error);
  o.answer = g_steal_pointer (&reply.ids);
  facet_session_logits (session, prompt, TRUE, o.logits, NULL, &error);
  g_assert_no_error (error);
  o.split = facet_model_split (model, &layers);
  o.name = g_strdup (facet_model_backend_name (model));
  o.notice = facet_model_take_notice (model);
  return o;
}

static double
relative (const GArray *a, const GArray *b)
{
  const float *x = (const float *) (gpointer) a->data, *y = (const float *) (gpointer) b->data;
  double worst = 0, square = 0;

  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++) {
    worst = fmax (worst, fabs ((double) x[i] - (double) y[i]));
    square += (double) y[i] * (double) y[i];
  }
  return worst / sqrt (square / a->len);
}

static void
check_same (const char *what, const Outcome *found, const Outcome *expected)
{
  double rel = relative (found->logits, expected->logits);

  g_test_message ("%s: %s: rel %.1e", what, found->name, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  g_assert_cmpmem (found->answer->data, found->answer->len * sizeof (gint32), expected->answer->data, expected->answer->len * sizeof (gint32));
}

static void
test_every_split (gconstpointer data)
{
  const char *family = data;
  g_autoptr (FacetModel) alone = load (family, FALSE, 0);
  Outcome expected = compute (alone);
  int n_blocks, splits = 0;
  g_autoptr (FacetModel) shared = load (family, TRUE, 0);
  FacetPair *pair = (FacetPair *) shared->backend;

  facet_pair_split (shared->backend, &n_blocks);
  for (int cut = 0; cut < n_blocks; cut++) {
    Outcome found;

    /* Every one of few, every third of many. */
    if (!pair->may_cut[cut] || (n_blocks > 10 && cut % 3 != 0))
      continue;
    pair->at_least = cut;
    found = compute (shared);
    g_assert_cmpint (found.split, ==, cut);
    g_assert_cmpint (strstr (found.name, " layers on cpu") != NULL, ==, cut > 0);
    /* Said whenever the processor has to take more than before. */
    g_assert_cmpint (found.notice, ==, cut > 0 ? FACET_NOTICE_SPLIT : FACET_NOTICE_NONE);
    check_same (family, &found, &expected);
    outcome_clear (&found);
    splits++;
  }
  g_assert_cmpint (splits, >, 2);
  outcome_clear (&expected);
}

/* A bound on the device's memory decides how many layers it gets. */
static void
test_bound (void)
{
  const char *family = "gemma3-tiny";
  g_autoptr (FacetModel) alone = load (family, FALSE, 0);
  Outcome expected = compute (alone);
  int last = G_MAXINT;
  gboolean divided = FALSE;

  for (guint64 kib = 32 << 10; last > 0; kib += 128) {
    g_autoptr (FacetModel) model = load (family, TRUE, kib << 10);
    Outcome found = compute (model);

    if (g_str_has_prefix (found.name, "cpu")) {
      g_assert_cmpint (found.notice, ==, FACET_NOTICE_CPU_INSTEAD);
      g_assert_cmpint (last, ==, G_MAXINT);
    } else {
      g_assert_cmpint (found.split, <=, last);
      last = found.split;
      divided |= last > 0;
    }
    check_same ("bound", &found, &expected);
    outcome_clear (&found);
    g_assert_cmpuint (kib, <, 64 << 10);
  }
  g_assert_true (divided);
  outcome_clear (&expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint f = 0; f < G_N_ELEMENTS (families); f++) {
    g_autofree char *path = g_strdup_printf ("/split/%s", families[f]);

    g_test_add_data_func (path, families[f], test_every_split);
  }
  g_test_add_func ("/split/bound", test_bound);
  return g_test_run ();
}
