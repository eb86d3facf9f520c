/* Gemma 3n's decoder against the original implementation, over text, a picture,
 * a sound and both between text: every stream of every layer, the logits,
 * greedy answers. */
#include "decoder-run.h"
#include "device.h"

#include <math.h>
#include <string.h>

#define VOCAB 368
#define TEXT_VOCAB 352
#define WIDTH 32
#define STREAMS 4
#define LAYERS 22
#define OWN 20
#define FFN 128
#define SPARSE 10
/* Its rows are marked as seeing each other, which this family must ignore. */
#define IMAGE_ID 353

#define FLOATS "text-f32.gguf.gz"

static const char *const cases[] = { "text", "image", "audio", "interleaved" };

static KitPrompt *
open_case (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".npz", NULL);

  return kit_prompt_open ("gemma3n", file, WIDTH, IMAGE_ID, TEXT_VOCAB);
}

static float *
stored (const KitPrompt *prompt, const char *key)
{
  return npy_floats (npz_get (prompt->npz, key));
}

/* The bytes of a model, which its run reads. */
static GPtrArray *model_bytes;

/* Multiplies the scale of the sparse layers by sqrt (n / (n - 1)). */
static void
use_sample_deviation (char *bytes, gsize size)
{
  const float scale = 1.6448535919189453f, other = (float) (scale * sqrt (FFN / (FFN - 1.0)));
  int n = 0;

  for (gsize at = 0; at + sizeof scale <= size && n < SPARSE; at++)
    if (memcmp (bytes + at, &scale, sizeof scale) == 0) {
      memcpy (bytes + at, &other, sizeof other);
      n++;
    }
  g_assert_cmpint (n, ==, SPARSE);
}

static DecoderRun *
open_model (const char *file, gboolean sample_deviation, gboolean exact)
{
  gsize size;
  char *bytes = kit_model_bytes ("gemma3n-tiny", file, &size);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf;

  g_ptr_array_add (model_bytes, bytes);
  if (sample_deviation)
    use_sample_deviation (bytes, size);
  gguf = facet_gguf_open_bytes (bytes, size, file, &error);
  g_assert_no_error (error);
  return decoder_run_open (gguf, exact, 1);
}

/* ---- float weights ---- */

typedef struct {
  const KitPrompt *prompt;
  const float     *hidden;  /* [LAYERS, STREAMS, n_pos, WIDTH] */
  const float     *embeds;  /* [n, WIDTH] */
  double           limit;
  int              seen;
} Layers;

static void
check_layer (int layer, const float *data, int rows, int width, gpointer user_data)
{
  Layers *l = user_data;
  const KitPrompt *p = l->prompt;
  gsize n = (gsize) p->n_pos * WIDTH;
  g_autofree float *picked = g_new (float, n);

  g_assert_cmpint (rows, ==, p->n);
  l->seen++;
  if (layer < 0) {
    g_assert_cmpint (width, ==, WIDTH);
    g_assert_cmpfloat (relative_error (data, l->embeds, (gsize) p->n * WIDTH), <=, 1e-5);
    return;
  }
  g_assert_cmpint (width, ==, STREAMS * WIDTH);
  for (int s = 0; s < STREAMS; s++) {
    double rel;

    for (int i = 0; i < p->n_pos; i++)
      memcpy (picked + i * WIDTH, data + (gsize) p->pos[i] * width + s * WIDTH, WIDTH * sizeof (float));
    rel = relative_error (picked, l->hidden + (layer * STREAMS + s) * n, n);
    g_test_message ("layer %d stream %d rel %.1e", layer, s, rel);
    g_assert_cmpfloat (rel, <=, l->limit);
  }
}

static void
check_float (const char *name, gboolean exact)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autoptr (DecoderRun) run = open_model (FLOATS, FALSE, exact);
  g_autofree float *hidden = stored (prompt, "hf_hidden"), *embeds = stored (prompt, "hf_inputs_embeds");
  g_autofree float *expected = stored (prompt, "hf_logits"), *logits = NULL;
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

/* The gates' deviation divides by n. Dividing by n - 1 is another model, which
 * the key of the scale can give, too. */
static void
test_deviation (gconstpointer name)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autofree float *population = stored (prompt, "hf_logits"), *unbiased = stored (prompt, "hf_logits_unbiased_std");
  const float *expected[] = { population, unbiased };
  gsize n = (gsize) prompt->n_pos * VOCAB;

  for (int sample = 0; sample < 2; sample++) {
    g_autoptr (DecoderRun) run = open_model (FLOATS, sample, TRUE);
    g_autofree float *logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS, prompt->pos, prompt->n_pos, NULL, NULL);

    g_test_message ("%s: rel %.1e, %.1e", (const char *) name, relative_error (logits, expected[0], n), relative_error (logits, expected[1], n));
    g_assert_cmpfloat (relative_error (logits, expected[sample], n), <=, 1e-4);
    g_assert_cmpfloat (relative_error (logits, expected[!sample], n), >, 0.02);
  }
}

/* ---- quantised weights ---- */

/* The last 12 rows, of a second implementation that divides by n - 1: with
 * float activations against the same weights in floats; with 8-bit ones within
 * their rounding. */
static void
test_quantised (gconstpointer name)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autofree float *expected = stored (prompt, "lc_logits_q4_0_dequantised");
  gint32 last[12];

  for (int i = 0; i < 12; i++)
    last[i] = prompt->n - 12 + i;
  for (int exact = 0; exact < 2; exact++) {
    g_autoptr (DecoderRun) run = open_model ("text-q4_0.gguf", TRUE, exact);
    g_autofree float *logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_NORMAL, last, 12, NULL, NULL);
    double rel = relative_error (logits, expected, 12 * VOCAB);

    g_test_message ("%s%s: logits rel %.1e", (const char *) name, exact ? " exact" : "", rel);
    g_assert_cmpfloat (rel, <=, exact ? 1e-2 : 0.5);
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
  g_autoptr (DecoderRun) run = open_model (FLOATS, FALSE, TRUE);
  gint32 wanted[] = { 0, 9, 11, 30, 31, prompt->n - 1 };
  int n = G_N_ELEMENTS (wanted);
  g_autofree float *expected = decoder_run_prompt (run, prompt, 0, FACET_BUILD_ALL_ROWS, wanted, n, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (int some = 1; some <= n; some += n - 1) {
      g_autofree float *logits = decoder_run_prompt (run, prompt, chunks[i], FACET_BUILD_NORMAL, wanted + n - some, some, NULL, NULL);
      double rel = relative_error (logits, expected + (gsize) (n - some) * VOCAB, (gsize) some * VOCAB);

      g_test_message ("%s chunk %d, %d rows: rel %.1e", (const char *) name, chunks[i], some, rel);
      g_assert_cmpfloat (rel, <=, 1e-4);
    }
}

/* The layers above the last own keys and values have no node of token rows. */
static void
test_skip_graph (void)
{
  g_autoptr (DecoderRun) run = open_model (FLOATS, FALSE, TRUE);
  DecoderNodes count = decoder_run_count (run);

  g_assert_cmpint (count.stores, ==, OWN);
  g_assert_cmpint (count.of_tokens, ==, OWN - 1);
  g_assert_cmpint (count.of_outputs, ==, LAYERS - OWN + 1);
  g_assert_cmpint (run->decoder->n_kv_layers, ==, OWN);
}

/* ---- models nested in this one ---- */

/* Behind @name with its length, as strings lie in the file. */
static guint8 *
find_string (char *bytes, gsize size, const char *name)
{
  gsize length = strlen (name);
  guint64 prefix = length;

  for (gsize at = sizeof prefix; at + length < size; at++)
    if (memcmp (bytes + at, name, length) == 0 && memcmp (bytes + at - sizeof prefix, &prefix, sizeof prefix) == 0)
      return (guint8 *) bytes + at + length;
  g_error ("no %s in the file", name);
}

/* Layer 3 with a feed-forward of 96 instead of 128. */
static void
narrow_key (char *bytes, gsize size)
{
  const guint32 narrow = FFN - 32;
  /* type of the value, type and number of the elements */
  guint8 *elements = find_string (bytes, size, "gemma3n.feed_forward_length") + 4 + 4 + 8;

  memcpy (elements + 3 * sizeof narrow, &narrow, sizeof narrow);
}

static void
narrow_tensors (char *bytes, gsize size)
{
  static const struct { const char *name; int dim; } tensors[] = {
    { "blk.3.ffn_gate.weight", 1 }, { "blk.3.ffn_up.weight", 1 }, { "blk.3.ffn_down.weight", 0 },
  };
  const guint64 narrow = FFN - 32;

  for (guint i = 0; i < G_N_ELEMENTS (tensors); i++)
    memcpy (find_string (bytes, size, tensors[i].name) + 4 + tensors[i].dim * sizeof narrow, &narrow, sizeof narrow);
}

/* Widths are read layer by layer, and must be those of the tensors. */
static void
test_nested (void)
{
  gsize size;
  char *bytes = kit_model_bytes ("gemma3n-tiny", FLOATS, &size);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf;

  g_ptr_array_add (model_bytes, bytes);
  narrow_key (bytes, size);
  gguf = facet_gguf_open_bytes (bytes, size, "nested", &error);
  g_assert_no_error (error);
  g_assert_null (facet_family_for (gguf, NULL)->load (gguf, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, "blk.3.ffn_gate.weight"));
  g_clear_error (&error);
  facet_gguf_close (gguf);

  narrow_tensors (bytes, size);
  gguf = facet_gguf_open_bytes (bytes, size, "nested", &error);
  g_assert_no_error (error);
  {
    g_autoptr (DecoderRun) run = decoder_run_open (gguf, TRUE, 1);
    g_autoptr (FacetGraph) graph = run->decoder->build (run->decoder, FACET_BUILD_NORMAL);
    g_autoptr (KitPrompt) prompt = open_case ("text");
    gint32 last = prompt->n - 1;
    g_autofree float *logits = decoder_run_prompt (run, prompt, 0, FACET_BUILD_NORMAL, &last, 1, NULL, NULL);
    int narrow = 0;

    for (int i = 0; i < facet_graph_n_nodes (graph); i++)
      narrow += facet_graph_node (graph, i)->op == FACET_OP_GEGLU && facet_graph_node (graph, i)->cols == FFN - 32;
    g_assert_cmpint (narrow, ==, 1);
    for (int v = 0; v < VOCAB; v++)
      g_assert_true (isfinite (logits[v]));
  }
}

/* ---- answers ---- */

/* Teacher-forced, one row a step, where the reference is sure of its choice. */
static void
test_greedy (gconstpointer name)
{
  g_autoptr (KitPrompt) prompt = open_case (name);
  g_autoptr (DecoderRun) run = open_model (FLOATS, FALSE, TRUE);
  g_autofree gint32 *greedy = npy_ints (npz_get (prompt->npz, "hf_greedy"));
  g_autofree float *margin = stored (prompt, "hf_greedy_margin");
  gint32 last = prompt->n - 1;
  float *logits = decoder_run_prompt (run, prompt, 16, FACET_BUILD_NORMAL, &last, 1, NULL, NULL);
  int sure = 0;

  for (int i = 0; i < 32; i++) {
    int best = 0;

    for (int v = 1; v < TEXT_VOCAB; v++)
      if (logits[v] > logits[best])
        best = v;
    if (margin[i] > 5e-3f) {
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
    { "exact", test_exact }, { "float", test_float }, { "deviation", test_deviation }, { "quantised", test_quantised },
    { "skip", test_skip }, { "greedy", test_greedy },
  };

  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);

  model_bytes = kept;
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (guint t = 0; t < G_N_ELEMENTS (each); t++) {
      g_autofree char *path = g_strdup_printf ("/gemma3n/%s/%s", cases[c], each[t].name);

      /* Software devices take their time: all prompts once, the rest over text. */
      if (device_is_gpu () && t > 0 && !(g_str_equal (cases[c], "text") && (each[t].func == test_quantised || each[t].func == test_greedy)))
        continue;
      g_test_add_data_func (path, cases[c], each[t].func);
    }
  g_test_add_func ("/gemma3n/skip-graph", test_skip_graph);
  g_test_add_func ("/gemma3n/nested", test_nested);
  return g_test_run ();
}
