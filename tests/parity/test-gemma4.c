/* Gemma 4's decoder against the original implementation, over text, a picture,
 * a sound and both between text: per-layer embeddings, every layer, the logits,
 * greedy answers. */
#include "decoder-run.h"

#include <string.h>

#define VOCAB 640
#define WIDTH 256
#define LAYERS 7
#define IMAGE_ID 20

static const char *const cases[] = { "text", "image", "audio", "interleaved" };

static KitPrompt *
open_case (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".npz", NULL);

  return kit_prompt_open ("gemma4", file, WIDTH, IMAGE_ID, VOCAB);
}

static float *
stored (const KitPrompt *prompt, const char *format, const char *what)
{
  g_autofree char *key = g_strdup_printf (format, what);

  return npy_floats (npz_get (prompt->npz, key));
}

/* ---- float weights ---- */

typedef struct {
  const KitPrompt *prompt;
  const float     *hidden;  /* [LAYERS, n_pos, WIDTH] */
  const float     *embeds;  /* [n, WIDTH] */
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

  g_assert_cmpint (width, ==, WIDTH);
  g_assert_cmpint (rows, ==, p->n);
  for (int i = 0; i < p->n_pos; i++)
    memcpy (picked + (gsize) i * width, data + (gsize) p->pos[i] * width, width * sizeof (float));
  rel = layer < 0 ? relative_error (data, l->embeds, (gsize) p->n * WIDTH)
                  : relative_error (picked, l->hidden + (gsize) layer * p->n_pos * WIDTH, (gsize) p->n_pos * WIDTH);
  g_test_message ("layer %d rel %.1e", layer, rel);
  g_assert_cmpfloat (rel, <=, l->limit);
  l->seen++;
}

static void
check_float (const char *name, gboolean exact)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", "text-f32.gguf", exact, 2);
  g_autofree float *hidden = stored (prompt, "%s", "hf_hidden"), *embeds = stored (prompt, "%s", "hf_inputs_embeds");
  g_autofree float *expected = stored (prompt, "%s", "hf_logits"), *logits = NULL;
  Layers layers = { prompt, hidden, embeds, exact ? 1e-4 : 3e-2, 0 };
  double rel;

  logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS | FACET_BUILD_MARK_LAYERS, prompt->pos, prompt->n_pos,
                               check_layer, &layers);
  g_assert_cmpint (layers.seen, ==, LAYERS + 1);
  rel = relative_error (logits, expected, (gsize) prompt->n_pos * VOCAB);
  g_test_message ("%s: logits rel %.1e", name, rel);
  g_assert_cmpfloat (rel, <=, layers.limit);
}

static void
test_exact (gconstpointer name)
{
  check_float (name, TRUE);
}

/* A cache in half precision. */
static void
test_float (gconstpointer name)
{
  check_float (name, FALSE);
}

/* Pictures of the larger models: in both directions, in sliding layers. */
static void
test_spans (gconstpointer name)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", "text-f32.gguf", TRUE, 2);
  g_autofree float *expected = stored (prompt, "%s", "hf_logits_vision_bidirectional"), *causal = stored (prompt, "%s", "hf_logits");
  g_autofree float *logits = NULL, *skipping = NULL;
  gsize n = (gsize) prompt->n_pos * VOCAB;

  g_assert_false (run->decoder->image_spans);
  run->decoder->image_spans = TRUE;
  logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS, prompt->pos, prompt->n_pos, NULL, NULL);
  g_test_message ("%s: logits rel %.1e", (const char *) name, relative_error (logits, expected, n));
  g_assert_cmpfloat (relative_error (logits, expected, n), <=, 1e-4);
  g_assert_cmpfloat (relative_error (logits, causal, n), >, 0.1);
  skipping = decoder_run_prompt (run, prompt, 0, FACET_BUILD_NORMAL, prompt->pos, prompt->n_pos, NULL, NULL);
  g_assert_cmpfloat (relative_error (skipping, expected, n), <=, 1e-4);
}

/* ---- quantised weights ---- */

/* The last 12 rows: with float activations against the same weights in
 * floats; with 8-bit ones within their rounding. */
static void
test_quantised (gconstpointer name)
{
  static const char *const types[] = { "q8_0", "q4_0", "q4_k" };
  g_autoptr (KitPrompt) prompt = open_case (name);
  gint32 last[12];

  for (int i = 0; i < 12; i++)
    last[i] = prompt->n - 12 + i;
  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    for (int exact = 0; exact < 2; exact++) {
      g_autofree char *file = g_strdup_printf ("text-%s.gguf", types[t]);
      g_autofree float *expected = stored (prompt, "lc_logits_%s_dequantised", types[t]);
      g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", file, exact, 2);
      g_autofree float *logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_NORMAL, last, 12, NULL, NULL);
      double rel = relative_error (logits, expected, 12 * VOCAB);

      g_test_message ("%s %s%s: logits rel %.1e", (const char *) name, types[t], exact ? " exact" : "", rel);
      g_assert_cmpfloat (rel, <=, exact ? 1e-2 : 0.6);
    }
}

/* ---- rows that need no logits ---- */

/* Passing only the wanted rows through the layers that share keys and values
 * gives what passing all does; whatever the chunks. */
static void
test_skip (gconstpointer name)
{
  static const int chunks[] = { 0, 1, 7, 64 };
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", "text-f32.gguf", TRUE, 2);
  gint32 wanted[] = { 0, 9, 11, 30, 31, prompt->n - 1 };
  int n = G_N_ELEMENTS (wanted);
  g_autofree float *expected = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS, wanted, n, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (int some = 1; some <= n; some += n - 1) {
      g_autofree float *logits = decoder_run_prompt (run, prompt, chunks[i], FACET_BUILD_NORMAL, wanted + n - some, some, NULL, NULL);
      double rel = relative_error (logits, expected + (gsize) (n - some) * VOCAB, (gsize) some * VOCAB);

      g_test_message ("%s chunk %d, %d rows: rel %.1e", (const char *) name, chunks[i], some, rel);
      g_assert_cmpfloat (rel, <=, 3e-5);
    }
}

/* The layers above the last own keys and values have no node of token rows. */
static void
test_skip_graph (void)
{
  g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", "text-f32.gguf", TRUE, 1);
  g_autoptr (FacetGraph) graph = run->decoder->build (run->decoder, FACET_BUILD_NORMAL);
  int stores = 0, of_tokens = 0, of_outputs = 0;

  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);

    stores += node->op == FACET_OP_KV_STORE;
    if (node->op == FACET_OP_ATTENTION && node->rows == FACET_ROWS_TOKENS)
      of_tokens++;
    if (node->op == FACET_OP_ATTENTION && node->rows == FACET_ROWS_OUTPUTS)
      of_outputs++;
  }
  g_assert_cmpint (stores, ==, 4);
  g_assert_cmpint (of_tokens, ==, 3);
  g_assert_cmpint (of_outputs, ==, 4);
  g_assert_cmpint (run->decoder->n_kv_layers, ==, 4);
}

/* ---- answers ---- */

static gboolean
is_banned (const gint32 *banned, gsize n, gint32 id)
{
  for (gsize i = 0; i < n; i++)
    if (banned[i] == id)
      return TRUE;
  return FALSE;
}

/* Teacher-forced, one row a step, where the reference is sure of its choice. */
static void
test_greedy (gconstpointer name)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autoptr (DecoderRun) run = decoder_run_new ("gemma4-tiny", "text-f32.gguf", TRUE, 2);
  g_autofree gint32 *greedy = npy_ints (npz_get (prompt->npz, "hf_greedy"));
  g_autofree gint32 *banned = npy_ints (npz_get (prompt->npz, "greedy_banned_ids"));
  g_autofree float *margin = stored (prompt, "%s", "hf_greedy_margin");
  gint32 last = prompt->n - 1;
  float *logits = decoder_run_prompt (run, prompt, 16, FACET_BUILD_NORMAL, &last, 1, NULL, NULL);
  int sure = 0;

  for (int i = 0; i < 32; i++) {
    int best = -1;

    for (int v = 0; v < VOCAB; v++)
      if (!is_banned (banned, npz_get (prompt->npz, "greedy_banned_ids")->n, v) && (best < 0 || logits[v] > logits[best]))
        best = v;
    if (margin[i] > 1e-3f) {
      g_assert_cmpint (best, ==, greedy[i]);
      sure++;
    }
    g_free (logits);
    logits = decoder_run_token (run, greedy[i], prompt->n + i);
  }
  g_assert_cmpint (sure, >=, 30);
  g_free (logits);
}

int
main (int argc, char **argv)
{
  static const struct { const char *name; GTestDataFunc func; } each[] = {
    { "exact", test_exact }, { "float", test_float }, { "quantised", test_quantised }, { "skip", test_skip }, { "greedy", test_greedy },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (guint t = 0; t < G_N_ELEMENTS (each); t++) {
      g_autofree char *path = g_strdup_printf ("/gemma4/%s/%s", cases[c], each[t].name);

      g_test_add_data_func (path, cases[c], each[t].func);
    }
  g_test_add_data_func ("/gemma4/image/spans", "image", test_spans);
  g_test_add_data_func ("/gemma4/interleaved/spans", "interleaved", test_spans);
  g_test_add_func ("/gemma4/skip-graph", test_skip_graph);
  return g_test_run ();
}
