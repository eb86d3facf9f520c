/* Gemma 3 with quantised weights, text and picture encoder alike, from the
 * picture's file to the answer: what the original implementation computes with
 * the same weights as floats (kit/make-gemma3-quantised.py). */
#include "compare.h"
#include "device.h"
#include "gemma3-kit.h"
#include "kit-pictures.h"

#include <math.h>
#include <string.h>

#define N_GREEDY 32
#define SOFT (16 * 256)

typedef struct {
  const char *name, *file;
  double      rounding;  /* of 8-bit activations; measured, with room */
} Projector;

static const Projector projectors[] = {
  { "q8_0", "gemma3-quantised/mmproj-q8_0.gguf", 0.06 },
  { "q4_0", "gemma3-quantised/mmproj-q4_0.gguf", 0.06 },
  { "wide_q4_k", "gemma3-quantised/mmproj-wide_q4_k.gguf", 0.06 },
  { "wide_q6_k", "gemma3-quantised/mmproj-wide_q6_k.gguf", 0.06 },
};
static const char *const texts[] = { "q8_0", "q4_0", "q4_k" };

typedef struct {
  const char *name;         /* of the .npz */
  const char *pictures[2];  /* in prompt order */
} Prompt;

static const Prompt prompts[] = {
  { "image", { "photo.png" } },
  { "interleaved", { "photo.png", "chart.png" } },
};

typedef struct {
  const Projector *projector;
  const char      *text;     /* NULL: the encoder alone */
} Pair;

/* ---- encoders ---- */

static void
test_soft (gconstpointer data)
{
  static const char *const pictures[] = { "photo", "chart" };
  const Pair *pair = data;
  g_autoptr (Npz) npz = gemma3_values ("vision_quantised");

  for (int exact = 0; exact < 2; exact++) {
    g_autoptr (FacetModel) model = gemma3_model ("text-q4_0.gguf", pair->projector->file, exact);

    for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
      g_autofree char *key = g_strdup_printf ("%s_%s", pair->projector->name, pictures[i]), *floats_key = g_strconcat (key, "_floats", NULL);
      g_autofree char *file = g_strconcat (pictures[i], ".png", NULL);
      g_autofree float *expected = npy_floats (npz_get (npz, key)), *floats = npy_floats (npz_get (npz, floats_key));
      g_autoptr (FacetImage) image = kit_picture (file);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) soft = facet_projector_encode (facet_model_get_projector (model), image, 0, NULL, &error);
      double rel, lost;

      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (soft), ==, SOFT * sizeof (float));
      rel = relative_error (g_bytes_get_data (soft, NULL), expected, SOFT);
      lost = relative_error (g_bytes_get_data (soft, NULL), floats, SOFT);
      g_test_message ("%s%s: rel %.1e; lost by the type %.1e", key, exact ? " exact" : "", rel, lost);
      g_assert_cmpfloat (rel, <=, exact ? 1e-4 : pair->projector->rounding);
      /* Or the file would not be quantised. */
      g_assert_cmpfloat (lost, >, 0.01);
    }
  }
}

/* ---- answers ---- */

static void
get (Npz *npz, const Prompt *p, const Pair *pair, const char *what, float **floats, gint32 **ints)
{
  g_autofree char *key = g_strdup_printf ("%s.%s.%s.%s", p->name, pair->text, pair->projector->name, what);

  if (floats != NULL)
    *floats = npy_floats (npz_get (npz, key));
  else
    *ints = npy_ints (npz_get (npz, key));
}

/* The whole answer, token by token as the engine itself chooses them. */
static void
check_answer (const Pair *pair, const Prompt *p, FacetModel *model)
{
  g_autoptr (Npz) npz = gemma3_values ("greedy_quantised"), kit = gemma3_values (p->name);
  g_autoptr (FacetSession) session = gemma3_session (model, 0);
  g_autoptr (FacetPrompt) prompt = gemma3_prompt (kit, p->pictures, NULL, 0);
  g_autoptr (GArray) logits = gemma3_logits (session, prompt, FALSE);
  g_autofree float *expected = NULL;
  g_autofree gint32 *greedy = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (FacetReply) reply = { NULL };
  double rel;

  get (npz, p, pair, "logits", &expected, NULL);
  get (npz, p, pair, "greedy", NULL, &greedy);
  rel = relative_error ((float *) logits->data, expected, GEMMA3_VOCAB);
  g_test_message ("%s: logits rel %.1e", p->name, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  g_assert_true (facet_session_reply (session, prompt, &(FacetReplyParams) { .max_tokens = N_GREEDY, .endless = TRUE }, &reply, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (reply.ids->data, reply.ids->len * sizeof (gint32), greedy, N_GREEDY * sizeof (gint32));
}

static void
test_exact (gconstpointer data)
{
  const Pair *pair = data;
  g_autofree char *file = g_strdup_printf ("text-%s.gguf", pair->text);
  g_autoptr (FacetModel) model = gemma3_model (file, pair->projector->file, TRUE);

  for (guint i = 0; i < G_N_ELEMENTS (prompts); i++)
    check_answer (pair, &prompts[i], model);
}

/* As programs compute by default, with activations rounded to 8 bits: the
 * reference's own answer is held to, and wherever it leads by more than three times
 * what the rounding moves, its token must lead here, too. */
static void
check_default (const Pair *pair, const Prompt *p, FacetModel *model)
{
  g_autoptr (Npz) npz = gemma3_values ("greedy_quantised"), kit = gemma3_values (p->name);
  g_autoptr (FacetSession) session = gemma3_session (model, 0);
  g_autofree float *expected = NULL, *margin = NULL;
  g_autofree gint32 *greedy = NULL, *banned = npy_ints (npz_get (kit, "greedy_banned_ids"));
  double moved = 0;
  int sure = 0;

  get (npz, p, pair, "logits", &expected, NULL);
  get (npz, p, pair, "margin", &margin, NULL);
  get (npz, p, pair, "greedy", NULL, &greedy);
  for (int i = 0; i < N_GREEDY; i++) {
    g_autoptr (FacetPrompt) prompt = gemma3_prompt (kit, p->pictures, greedy, i);
    g_autoptr (GArray) logits = gemma3_logits (session, prompt, FALSE);
    const float *l = (const float *) logits->data;
    int best = banned[0] == 0;

    for (int v = 0; v < GEMMA3_VOCAB; v++) {
      if (i == 0)
        moved = fmax (moved, fabs ((double) l[v] - expected[v]));
      if (v != banned[0] && l[v] > l[best])
        best = v;
    }
    if (margin[i] <= 3 * moved)
      continue;
    g_assert_cmpint (best, ==, greedy[i]);
    sure++;
  }
  g_test_message ("%s: logits moved by %.2g, %d tokens sure", p->name, moved, sure);
  g_assert_cmpfloat (moved, <=, 1);
  g_assert_cmpint (sure, >=, 10);
}

static void
test_default (gconstpointer data)
{
  const Pair *pair = data;
  g_autofree char *file = g_strdup_printf ("text-%s.gguf", pair->text);
  g_autoptr (FacetModel) model = gemma3_model (file, pair->projector->file, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (prompts); i++)
    check_default (pair, &prompts[i], model);
}

static void
add (const Projector *projector, const char *text, const char *what, GTestDataFunc func)
{
  g_autofree char *path = text == NULL ? g_strdup_printf ("/gemma3-quantised/%s/%s", projector->name, what)
                                       : g_strdup_printf ("/gemma3-quantised/%s/text-%s/%s", projector->name, text, what);
  Pair pair = { projector, text };

  g_test_add_data_func_full (path, g_memdup2 (&pair, sizeof pair), func, g_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint i = 0; i < G_N_ELEMENTS (projectors); i++) {
    add (&projectors[i], NULL, "soft", test_soft);
    for (guint t = 0; t < G_N_ELEMENTS (texts); t++) {
      /* Software devices take their time: each type once. */
      if (device_is_gpu () && t != MIN (i, 2))
        continue;
      add (&projectors[i], texts[t], "exact", test_exact);
      add (&projectors[i], texts[t], "default", test_default);
    }
  }
  return g_test_run ();
}
