/* Gemma 4's decoder against the original implementation, over text, a picture,
 * a sound and both between text: every layer, the logits, greedy answers. Of
 * the larger kinds, dense and with a mixture of experts, over text. */
#include "decoder-run.h"
#include "device.h"
#include "facet.h"

#include <string.h>

#define IMAGE_ID 20

typedef struct {
  const char *model, *expected, *name;
  int vocab, width, layers;
  const char *quantised;   /* who computed with the quantised files' weights in floats */
  const char *types;
  int apart;               /* rows of 12 in which rounding to 8 bits may choose other experts */
} Case;

static const Case cases[] = {
  { "gemma4-tiny", "gemma4", "text", 640, 256, 7, "lc", "q8_0 q4_0 q4_k", 0 },
  { "gemma4-tiny", "gemma4", "image", 640, 256, 7, "lc", "q8_0 q4_0 q4_k", 0 },
  { "gemma4-tiny", "gemma4", "audio", 640, 256, 7, "lc", "q8_0 q4_0 q4_k", 0 },
  { "gemma4-tiny", "gemma4", "interleaved", 640, 256, 7, "lc", "q8_0 q4_0 q4_k", 0 },
  { "gemma4-dense-tiny", "gemma4-dense", "text", 320, 96, 5, "hf", "q8_0 q4_0", 0 },
  { "gemma4-moe-tiny", "gemma4-moe", "text", 320, 96, 5, "hf", "q8_0 q4_0", 4 },
};

static KitPrompt *
open_case (const Case *c)
{
  g_autofree char *file = g_strconcat (c->name, ".npz", NULL);

  return kit_prompt_open (c->expected, file, c->width, IMAGE_ID, c->vocab);
}

static float *
stored (const KitPrompt *prompt, const char *key)
{
  return npy_floats (npz_get (prompt->npz, key));
}

/* ---- float weights ---- */

typedef struct {
  const Case      *c;
  const KitPrompt *prompt;
  const float     *hidden;  /* [layers, n_pos, width] */
  const float     *embeds;  /* [n, width] */
  double           limit;
  int              seen;
} Layers;

static void
check_layer (int layer, const float *data, int rows, int width, gpointer user_data)
{
  Layers *l = user_data;
  const KitPrompt *p = l->prompt;
  g_autofree float *picked = g_new (float, (gsize) p->n_pos * width);
  double rel;

  g_assert_cmpint (width, ==, l->c->width);
  g_assert_cmpint (rows, ==, p->n);
  for (int i = 0; i < p->n_pos; i++)
    memcpy (picked + (gsize) i * width, data + (gsize) p->pos[i] * width, width * sizeof (float));
  rel = layer < 0 ? relative_error (data, l->embeds, (gsize) p->n * width)
                  : relative_error (picked, l->hidden + (gsize) layer * p->n_pos * width, (gsize) p->n_pos * width);
  g_test_message ("layer %d rel %.1e", layer, rel);
  g_assert_cmpfloat (rel, <=, l->limit);
  l->seen++;
}

static void
check_float (const Case *c, gboolean exact)
{
  g_autoptr (KitPrompt) prompt = open_case (c);
  g_autoptr (DecoderRun) run = decoder_run_new (c->model, "text-f32.gguf", exact, 2);
  g_autofree float *hidden = stored (prompt, "hf_hidden"), *embeds = stored (prompt, "hf_inputs_embeds");
  g_autofree float *expected = stored (prompt, "hf_logits"), *logits = NULL;
  Layers layers = { c, prompt, hidden, embeds, exact ? 1e-4 : 3e-2, 0 };
  double rel;

  logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS | FACET_BUILD_MARK_LAYERS, prompt->pos, prompt->n_pos,
                               check_layer, &layers);
  g_assert_cmpint (layers.seen, ==, c->layers + 1);
  rel = relative_error (logits, expected, (gsize) prompt->n_pos * c->vocab);
  g_test_message ("%s: logits rel %.1e", c->name, rel);
  g_assert_cmpfloat (rel, <=, layers.limit);
}

static void
test_exact (gconstpointer data)
{
  check_float (data, TRUE);
}

/* A cache in half precision. */
static void
test_float (gconstpointer data)
{
  check_float (data, FALSE);
}

/* Pictures of the larger models: in both directions, in sliding layers. */
static void
test_spans (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (KitPrompt) prompt = open_case (c);
  g_autoptr (DecoderRun) run = decoder_run_new (c->model, "text-f32.gguf", TRUE, 2);
  g_autofree float *expected = stored (prompt, "hf_logits_vision_bidirectional"), *causal = stored (prompt, "hf_logits");
  g_autofree float *logits = NULL, *skipping = NULL;
  gsize n = (gsize) prompt->n_pos * c->vocab;

  g_assert_false (run->decoder->image_spans);
  run->decoder->image_spans = TRUE;
  logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS, prompt->pos, prompt->n_pos, NULL, NULL);
  g_test_message ("%s: logits rel %.1e", c->name, relative_error (logits, expected, n));
  g_assert_cmpfloat (relative_error (logits, expected, n), <=, 1e-4);
  g_assert_cmpfloat (relative_error (logits, causal, n), >, 0.1);
  skipping = decoder_run_prompt (run, prompt, 0, FACET_BUILD_NORMAL, prompt->pos, prompt->n_pos, NULL, NULL);
  g_assert_cmpfloat (relative_error (skipping, expected, n), <=, 1e-4);
}

/* ---- quantised weights ---- */

/* The last 12 rows: with float activations against the same weights in
 * floats; with 8-bit ones within their rounding. */
static void
test_quantised (gconstpointer data)
{
  const Case *c = data;
  g_auto (GStrv) types = g_strsplit (c->types, " ", 0);
  g_autoptr (KitPrompt) prompt = open_case (c);
  gint32 last[12];

  for (int i = 0; i < 12; i++)
    last[i] = prompt->n - 12 + i;
  for (int t = 0; types[t] != NULL; t++)
    for (int exact = 0; exact < 2; exact++) {
      g_autofree char *file = g_strdup_printf ("text-%s.gguf", types[t]);
      g_autofree char *key = g_strdup_printf ("%s_logits_%s_dequantised", c->quantised, types[t]);
      g_autofree float *expected = stored (prompt, key);
      g_autoptr (DecoderRun) run = decoder_run_new (c->model, file, exact, 2);
      g_autofree float *logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_NORMAL, last, 12, NULL, NULL);
      int apart = 0;

      for (int i = 0; i < 12; i++) {
        double rel = relative_error (logits + i * c->vocab, expected + i * c->vocab, c->vocab);

        g_test_message ("%s %s%s: row %d rel %.1e", c->name, types[t], exact ? " exact" : "", last[i], rel);
        apart += rel > (exact ? 1e-2 : 0.6);
      }
      g_assert_cmpint (apart, <=, exact ? 0 : c->apart);
    }
}

/* ---- rows that need no logits ---- */

/* Passing only the wanted rows through the layers that share keys and values
 * gives what passing all does; whatever the chunks. */
static void
test_skip (gconstpointer data)
{
  const Case *c = data;
  static const int chunks[] = { 0, 1, 7, 64 };
  g_autoptr (KitPrompt) prompt = open_case (c);
  g_autoptr (DecoderRun) run = decoder_run_new (c->model, "text-f32.gguf", TRUE, 2);
  gint32 wanted[] = { 0, 9, 11, 30, 31, prompt->n - 1 };
  int n = G_N_ELEMENTS (wanted);
  g_autofree float *expected = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS, wanted, n, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (int some = 1; some <= n; some += n - 1) {
      g_autofree float *logits = decoder_run_prompt (run, prompt, chunks[i], FACET_BUILD_NORMAL, wanted + n - some, some, NULL, NULL);
      double rel = relative_error (logits, expected + (gsize) (n - some) * c->vocab, (gsize) some * c->vocab);

      g_test_message ("%s chunk %d, %d rows: rel %.1e", c->name, chunks[i], some, rel);
      g_assert_cmpfloat (rel, <=, 3e-5);
    }
}

/* The layers above the last own keys and values have no node of token rows. */
static void
test_skip_graph (void)
{
  g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", "text-f32.gguf", TRUE, 1);
  DecoderNodes count = decoder_run_count (run);

  g_assert_cmpint (count.stores, ==, 4);
  g_assert_cmpint (count.of_tokens, ==, 3);
  g_assert_cmpint (count.of_outputs, ==, 4);
  g_assert_cmpint (run->decoder->n_kv_layers, ==, 4);
}

/* ---- answers ---- */

static gboolean
is_banned (const NpyArray *array, const gint32 *banned, gint32 id)
{
  for (gsize i = 0; array != NULL && i < array->n; i++)
    if (banned[i] == id)
      return TRUE;
  return FALSE;
}

/* Teacher-forced, one row a step, where the reference is sure of its choice. */
static void
test_greedy (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (KitPrompt) prompt = open_case (c);
  g_autoptr (DecoderRun) run = decoder_run_new (c->model, "text-f32.gguf", TRUE, 2);
  const NpyArray *bans = npz_find (prompt->npz, "greedy_banned_ids");
  g_autofree gint32 *greedy = npy_ints (npz_get (prompt->npz, "hf_greedy")), *banned = bans != NULL ? npy_ints (bans) : NULL;
  g_autofree float *margin = stored (prompt, "hf_greedy_margin");
  int n = npz_get (prompt->npz, "hf_greedy")->n, sure = 0;
  gint32 last = prompt->n - 1;
  float *logits = decoder_run_prompt (run, prompt, 16, FACET_BUILD_NORMAL, &last, 1, NULL, NULL);

  for (int i = 0; i < n; i++) {
    int best = -1;

    for (int v = 0; v < c->vocab; v++)
      if (!is_banned (bans, banned, v) && (best < 0 || logits[v] > logits[best]))
        best = v;
    if (margin[i] > 1e-3f) {
      g_assert_cmpint (best, ==, greedy[i]);
      sure++;
    }
    g_free (logits);
    logits = decoder_run_token (run, greedy[i], prompt->n + i);
  }
  g_assert_cmpint (sure, >=, n - 2);
  g_free (logits);
}

/* ---- through the public interface ---- */

static void
test_session (void)
{
  const Case *c = &cases[0];
  g_autoptr (KitPrompt) kit = open_case (c);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma4-tiny/text-f32.gguf", NULL);
  g_autofree float *expected = stored (kit, "hf_logits"), *picked = g_new (float, (gsize) kit->n_pos * c->vocab);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, &(FacetModelParams) { .threads = 2, .exact = TRUE }, &error);
  g_autoptr (FacetSession) session = facet_session_new (model, &(FacetSessionParams) { .context = 128, .chunk = 16 }, &error);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));

  g_assert_no_error (error);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, kit->ids, kit->n);
  g_assert_true (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  g_assert_cmpfloat (relative_error ((float *) logits->data, expected + (gsize) (kit->n_pos - 1) * c->vocab, c->vocab), <=, 1e-4);
  g_assert_true (facet_session_logits (session, prompt, TRUE, logits, NULL, &error));
  g_assert_cmpint (logits->len, ==, kit->n * c->vocab);
  for (int i = 0; i < kit->n_pos; i++)
    memcpy (picked + (gsize) i * c->vocab, (float *) logits->data + (gsize) kit->pos[i] * c->vocab, c->vocab * sizeof (float));
  g_assert_cmpfloat (relative_error (picked, expected, (gsize) kit->n_pos * c->vocab), <=, 1e-4);
}

/* After these two rows <|video|> is the likeliest by 0.009. Placeholders of
 * media never come out. */
static void
test_placeholder (void)
{
  const gint32 ids[] = { 2, 383 }, video = 24, next = 205;
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma4-tiny/text-f32.gguf", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, &(FacetModelParams) { .threads = 2, .exact = TRUE }, &error);
  g_autoptr (FacetSession) session = facet_session_new (model, &(FacetSessionParams) { .context = 64 }, &error);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_auto (FacetReply) reply = { NULL };
  const float *l;

  g_assert_no_error (error);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, G_N_ELEMENTS (ids));
  g_assert_true (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  l = (const float *) logits->data;
  for (int v = 0; v < 640; v++)
    g_assert_true (v == video || l[v] < l[video]);
  g_assert_true (facet_session_reply (session, prompt, &(FacetReplyParams) { .max_tokens = 1, .endless = TRUE }, &reply, &error));
  g_assert_cmpint (g_array_index (reply.ids, gint32, 0), ==, next);
}

/* The table that is read row by row is told apart; layers that share keys and
 * values take no cache. */
static void
test_memory (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma4-tiny/text-q8_0.gguf", NULL);
  guint64 table = 640 * (7 * 32) / 32 * 34, rings = 3 * 2 * (512 + 64) * 2 * 16, full = 2 * 1000 * 2 * 32;
  FacetMemoryPlan plan;
  g_autoptr (GError) error = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &error);

  g_assert_true (facet_plan_memory (path, NULL, 1000, FACET_KV_F16, &plan, &error));
  g_assert_cmpuint (plan.lookup, ==, table);
  g_assert_cmpuint (plan.weights, ==, g_mapped_file_get_length (file) - table);
  g_assert_cmpuint (plan.kv_cache, ==, sizeof (guint16) * (rings + full));
  g_assert_cmpuint (plan.total, ==, plan.weights + plan.kv_cache + plan.compute);
}

int
main (int argc, char **argv)
{
  static const struct { const char *name; GTestDataFunc func; } each[] = {
    { "exact", test_exact }, { "float", test_float }, { "quantised", test_quantised }, { "skip", test_skip }, { "greedy", test_greedy },
  };

  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (guint t = 0; t < G_N_ELEMENTS (each); t++) {
      g_autofree char *path = g_strdup_printf ("/%s/%s/%s", cases[c].expected, cases[c].name, each[t].name);

      /* Software devices take their time: all prompts once, the rest over text. */
      if (device_is_gpu () && t > 0 && !(g_str_equal (cases[c].name, "text") && (each[t].func == test_quantised || each[t].func == test_greedy)))
        continue;
      g_test_add_data_func (path, &cases[c], each[t].func);
    }
  g_test_add_data_func ("/gemma4/image/spans", &cases[1], test_spans);
  g_test_add_data_func ("/gemma4/interleaved/spans", &cases[3], test_spans);
  g_test_add_func ("/gemma4/skip-graph", test_skip_graph);
  if (!device_is_gpu ()) {
    g_test_add_func ("/gemma4/session", test_session);
    g_test_add_func ("/gemma4/placeholder", test_placeholder);
    g_test_add_func ("/gemma4/memory", test_memory);
  }
  return g_test_run ();
}
