/* Gemma 3's decoder against the original implementation, over text, a picture
 * and pictures between text: every layer, the logits, greedy answers; through
 * the public interface. */
#include "compare.h"
#include "device.h"
#include "gemma3-kit.h"
#include "kit-pictures.h"

#include <string.h>

#define VOCAB GEMMA3_VOCAB

typedef struct {
  const char *name;         /* of the .npz */
  const char *pictures[2];  /* in prompt order */
} Case;

static const Case cases[] = {
  { "text", { NULL } },
  { "image", { "photo.png" } },
  { "interleaved", { "photo.png", "chart.png" } },
};

static FacetModel *
load_model (const char *file, gboolean exact)
{
  return gemma3_model (file, "gemma3-tiny/mmproj.gguf", exact);
}

/* With @extra tokens of the reference's own greedy answer. */
static FacetPrompt *
make_prompt (const Case *c, Npz *npz, int extra, gboolean swapped)
{
  g_autofree gint32 *greedy = npy_ints (npz_get (npz, "hf_greedy"));
  const char *const other[] = { c->pictures[1], c->pictures[0] };

  return gemma3_prompt (npz, swapped ? other : c->pictures, greedy, extra);
}

typedef struct {
  GArray *layers[8];
} Layers;

static void
keep_layer (int layer, const float *data, gsize rows, gsize width, gpointer user_data)
{
  Layers *layers = user_data;

  g_array_append_vals (layers->layers[layer + 1], data, rows * width);
}

/* Largest of rel over the stored positions of [n, width] values. */
static double
compare_rows (const float *ours, const float *expected, const gint32 *pos, int n_pos, int width)
{
  g_autofree float *picked = g_new (float, (gsize) n_pos * width);

  for (int i = 0; i < n_pos; i++)
    memcpy (picked + (gsize) i * width, ours + (gsize) pos[i] * width, width * sizeof (float));
  return relative_error (picked, expected, (gsize) n_pos * width);
}

static void
check_float (const Case *c, gboolean exact)
{
  g_autoptr (Npz) npz = gemma3_values (c->name);
  g_autoptr (FacetModel) model = load_model ("text-f32.gguf", exact);
  g_autoptr (FacetSession) session = gemma3_session (model, 0);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, 0, FALSE);
  g_autoptr (GArray) logits = NULL;
  g_autofree gint32 *pos = npy_ints (npz_get (npz, "pos"));
  g_autofree float *expected = npy_floats (npz_get (npz, "hf_logits")), *hidden = npy_floats (npz_get (npz, "hf_hidden"));
  g_autofree float *embeds = npy_floats (npz_get (npz, "hf_inputs_embeds"));
  int n_pos = npz_get (npz, "pos")->n, n = npz_get (npz, "input_ids")->n;
  Layers layers;
  double rel;

  for (int i = 0; i < 8; i++)
    layers.layers[i] = g_array_new (FALSE, FALSE, sizeof (float));
  facet_session_set_layer_func (session, keep_layer, &layers);
  logits = gemma3_logits (session, prompt, TRUE);
  g_assert_cmpuint (logits->len, ==, n * VOCAB);

  rel = relative_error ((float *) layers.layers[0]->data, embeds, (gsize) n * 256);
  g_test_message ("%s: embeddings rel %.1e", c->name, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  for (int l = 0; l < 7; l++) {
    rel = compare_rows ((float *) layers.layers[l + 1]->data, hidden + (gsize) l * n_pos * 256, pos, n_pos, 256);
    g_test_message ("%s: layer %d rel %.1e", c->name, l, rel);
    g_assert_cmpfloat (rel, <=, exact ? 1e-4 : 2e-3);
  }
  rel = compare_rows ((float *) logits->data, expected, pos, n_pos, VOCAB);
  g_test_message ("%s: logits rel %.1e", c->name, rel);
  g_assert_cmpfloat (rel, <=, exact ? 1e-4 : 3e-3);
  for (int i = 0; i < 8; i++)
    g_array_unref (layers.layers[i]);
}

static void
test_float (gconstpointer data)
{
  check_float (data, FALSE);
}

static void
test_exact (gconstpointer data)
{
  check_float (data, TRUE);
}

/* The last 12 rows of quantised files: with float activations against the
 * same weights in floats; with 8-bit ones within their rounding. */
static void
test_quantised (gconstpointer data)
{
  static const char *const types[] = { "q8_0", "q4_0", "q4_k" };
  const Case *c = data;
  g_autoptr (Npz) npz = gemma3_values (c->name);

  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    for (int exact = 0; exact < 2; exact++) {
      g_autofree char *file = g_strdup_printf ("text-%s.gguf", types[t]);
      g_autofree char *key = g_strdup_printf ("lc_logits_%s_dequantised", types[t]);
      g_autofree float *expected = npy_floats (npz_get (npz, key));
      g_autoptr (FacetModel) model = load_model (file, exact);
      g_autoptr (FacetSession) session = gemma3_session (model, 0);
      g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, 0, FALSE);
      g_autoptr (GArray) logits = gemma3_logits (session, prompt, TRUE);
      double rel = relative_error ((float *) logits->data + logits->len - 12 * VOCAB, expected, 12 * VOCAB);

      g_test_message ("%s %s%s: logits rel %.1e", c->name, types[t], exact ? " exact" : "", rel);
      g_assert_cmpfloat (rel, <=, exact ? 1e-2 : 0.2);
    }
}

/* Teacher-forced, where the reference is sure of its choice. */
static void
test_greedy (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (Npz) npz = gemma3_values (c->name);
  g_autoptr (FacetModel) model = load_model ("text-f32.gguf", FALSE);
  g_autoptr (FacetSession) session = gemma3_session (model, 0);
  g_autofree gint32 *greedy = npy_ints (npz_get (npz, "hf_greedy")), *banned = npy_ints (npz_get (npz, "greedy_banned_ids"));
  g_autofree float *margin = npy_floats (npz_get (npz, "hf_greedy_margin"));
  int sure = 0;

  for (int i = 0; i < 32; i++) {
    g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, i, FALSE);
    g_autoptr (GArray) logits = gemma3_logits (session, prompt, FALSE);
    float *l = (float *) logits->data;
    int best = banned[0] == 0;

    for (int v = 0; v < VOCAB; v++)
      if (v != banned[0] && l[v] > l[best])
        best = v;
    if (margin[i] < 0.02)
      continue;
    g_assert_cmpint (best, ==, greedy[i]);
    sure++;
  }
  g_assert_cmpint (sure, >=, 25);
}

/* Chunks never split a picture; whatever their length, the values are those
 * of one step. Chunk 1 is widened to the picture. */
static void
test_chunks (gconstpointer data)
{
  static const int chunks[] = { 1, 17, 20, 64 };
  const Case *c = data;
  g_autoptr (Npz) npz = gemma3_values (c->name);
  g_autoptr (FacetModel) model = load_model ("text-f32.gguf", TRUE);
  g_autoptr (FacetSession) whole = gemma3_session (model, 0);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, 0, FALSE);
  g_autoptr (GArray) expected = gemma3_logits (whole, prompt, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (FacetSession) session = gemma3_session (model, chunks[i]);
    g_autoptr (GArray) logits = gemma3_logits (session, prompt, FALSE);
    double rel = relative_error ((float *) logits->data, (float *) expected->data, VOCAB);

    g_test_message ("%s chunk %d: rel %.1e", c->name, chunks[i], rel);
    g_assert_cmpfloat (rel, <=, 1e-5);
  }
}

/* Two pictures the other way round are another prompt; each is encoded once,
 * whatever is asked about it. */
static void
test_order (void)
{
  const Case *c = &cases[2];
  g_autoptr (Npz) npz = gemma3_values (c->name);
  g_autoptr (FacetModel) model = load_model ("text-f32.gguf", TRUE);
  g_autoptr (FacetSession) session = gemma3_session (model, 0), fresh = gemma3_session (model, 0);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, 0, FALSE), swapped = make_prompt (c, npz, 0, TRUE);
  g_autoptr (GArray) a = gemma3_logits (session, prompt, FALSE), b = gemma3_logits (session, swapped, FALSE);
  g_autoptr (GArray) again = gemma3_logits (session, prompt, FALSE), alone = gemma3_logits (fresh, swapped, FALSE);

  g_assert_cmpfloat (relative_error ((float *) a->data, (float *) b->data, VOCAB), >, 0.05);
  g_assert_cmpfloat (relative_error ((float *) a->data, (float *) again->data, VOCAB), <=, 1e-5);
  g_assert_cmpfloat (relative_error ((float *) b->data, (float *) alone->data, VOCAB), <=, 1e-5);
  g_assert_cmpuint (facet_projector_runs (facet_model_get_projector (model)), ==, 2);
}

/* A second question about the same picture starts behind it. */
static void
test_prefix (void)
{
  const Case *c = &cases[1];
  g_autoptr (Npz) npz = gemma3_values (c->name);
  g_autoptr (FacetModel) model = load_model ("text-f32.gguf", FALSE);
  g_autoptr (FacetSession) session = gemma3_session (model, 0);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, 0, FALSE), longer = make_prompt (c, npz, 8, FALSE);
  g_autoptr (GArray) first = gemma3_logits (session, prompt, FALSE);
  g_autoptr (GError) error = NULL;
  int cached = -1, n = npz_get (npz, "input_ids")->n;

  g_assert_cmpint (facet_session_count (session, longer, &cached, &error), ==, n + 8);
  g_assert_cmpint (cached, ==, n);
}

static void
test_without_projector (void)
{
  const Case *c = &cases[1];
  g_autoptr (Npz) npz = gemma3_values (c->name);
  g_autofree char *path = kit_path ("models/gemma3-tiny/text-q4_0.gguf");
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, &(FacetModelParams) { .threads = 1 }, &error);
  g_autoptr (FacetSession) session = gemma3_session (model, 0);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, 0, FALSE);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));

  g_assert_false (facet_model_accepts_images (model));
  g_assert_false (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER);
  g_clear_error (&error);
  g_assert_null (facet_model_load (path, &(FacetModelParams) { .projector = path, .threads = 1 }, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER);
}

int
main (int argc, char **argv)
{
  static const struct { const char *name; GTestDataFunc func; } each[] = {
    { "float", test_float }, { "exact", test_exact }, { "quantised", test_quantised }, { "greedy", test_greedy }, { "chunks", test_chunks },
  };

  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (guint t = 0; t < G_N_ELEMENTS (each); t++) {
      g_autofree char *path = g_strdup_printf ("/gemma3/%s/%s", cases[c].name, each[t].name);

      g_test_add_data_func (path, &cases[c], each[t].func);
    }
  g_test_add_func ("/gemma3/order", test_order);
  g_test_add_func ("/gemma3/prefix", test_prefix);
  g_test_add_func ("/gemma3/without-projector", test_without_projector);
  return g_test_run ();
}
