/* Sound in prompts against the original implementation, the whole way: file,
 * spectrum, encoder, decoder, logits. */
#include "facet.h"
#include "npz.h"

#include <math.h>

/* A prompt of the kit: ids, and what its spans hold. */
typedef struct {
  const char *family, *name, *logits;
  const char *image;   /* of the first span; NULL: there is none */
  const char *sound;   /* of the last span */
  double      limit;   /* of max |a - b| / rms (b) */
} Case;

static const Case cases[] = {
  { "gemma4", "audio", "hf_logits", NULL, "note_it.wav", 1e-4 },
};

static char *
kit_path (const char *folder, const char *name, const char *file)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", folder, name, file, NULL);
}

static FacetModel *
load_model (const char *family)
{
  g_autofree char *folder = g_strconcat (family, "-tiny", NULL);
  g_autofree char *text = kit_path ("models", folder, "text-f32.gguf"), *projector = kit_path ("models", folder, "mmproj.gguf");
  g_autoptr (GError) error = NULL;
  FacetModel *model = facet_model_load (text, &(FacetModelParams){ .projector = projector, .threads = 2, .exact = TRUE }, &error);

  g_assert_no_error (error);
  return model;
}

/* Puts the sound into rows @start .. @start+@n-1; where the family fills up,
 * with the last id of the vocabulary. */
static void
add_sound (FacetPrompt *prompt, FacetModel *model, const char *file, int n)
{
  g_autofree char *path = kit_path ("inputs", file, NULL);
  g_autoptr (FacetAudio) audio = facet_audio_load (path, NULL, NULL);
  int count = facet_projector_count_audio (facet_model_get_projector (model), audio, NULL);
  gint32 filler = facet_model_vocab_size (model) - 1;

  g_assert_cmpint (count, >, 0);
  g_assert_cmpint (count, <=, n);
  facet_prompt_add_audio (prompt, audio);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  for (; count < n; count++)
    facet_prompt_add_tokens (prompt, &filler, 1);
}

static void
add_image (FacetPrompt *prompt, FacetModel *model, const char *file, int n)
{
  g_autofree char *path = kit_path ("inputs", file, NULL);
  g_autoptr (FacetImage) image = facet_image_load (path, NULL);

  g_assert_cmpint (facet_projector_count (facet_model_get_projector (model), image), ==, n);
  facet_prompt_add_image (prompt, image);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
}

static FacetPrompt *
make_prompt (const Case *c, FacetModel *model, Npz *npz)
{
  g_autofree gint32 *ids = npy_ints (npz_get (npz, "input_ids")), *spans = npy_ints (npz_get (npz, "spans"));
  int n = npz_get (npz, "input_ids")->n, n_spans = npz_get (npz, "spans")->shape[0], row = 0;
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_RAW);

  g_assert_cmpint (n_spans, ==, c->image ? 2 : 1);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  for (int s = 0; s < n_spans; s++) {
    facet_prompt_add_tokens (prompt, ids + row, spans[2 * s] - row);
    if (s == n_spans - 1)
      add_sound (prompt, model, c->sound, spans[2 * s + 1]);
    else
      add_image (prompt, model, c->image, spans[2 * s + 1]);
    row = spans[2 * s] + spans[2 * s + 1];
  }
  facet_prompt_add_tokens (prompt, ids + row, n - row);
  return prompt;
}

/* max |a - b| / rms (b) of the rows of which values are stored. */
static double
difference (const GArray *logits, Npz *npz, const char *key, int vocab)
{
  g_autofree float *expected = npy_floats (npz_get (npz, key));
  g_autofree gint32 *pos = npy_ints (npz_get (npz, "pos"));
  int n = npz_get (npz, "pos")->n;
  double worst = 0, square = 0;

  for (int i = 0; i < n; i++)
    for (int v = 0; v < vocab; v++) {
      double b = expected[(gsize) i * vocab + v];

      worst = fmax (worst, fabs (g_array_index (logits, float, (gsize) pos[i] * vocab + v) - b));
      square += b * b;
    }
  return worst / sqrt (square / ((double) n * vocab));
}

static void
test_logits (gconstpointer data)
{
  static const int chunks[] = { 0, 13 };
  const Case *c = data;
  g_autofree char *file = g_strconcat (c->name, ".npz", NULL), *path = kit_path ("expected", c->family, file);
  g_autoptr (Npz) npz = npz_open (path);
  g_autoptr (FacetModel) model = load_model (c->family);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, model, npz);

  g_assert_true (facet_model_accepts_audio (model));
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (FacetSession) session = facet_session_new (model, &(FacetSessionParams){ .chunk = chunks[i] }, NULL);
    g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
    g_autoptr (GError) error = NULL;
    int vocab = facet_model_vocab_size (model);
    double rel;

    g_assert_true (facet_session_logits (session, prompt, TRUE, logits, NULL, &error));
    g_assert_cmpuint (logits->len, ==, npz_get (npz, "input_ids")->n * vocab);
    rel = difference (logits, npz, c->logits, vocab);
    g_test_message ("%s %s, chunk %d: logits rel %.2e", c->family, c->name, chunks[i], rel);
    g_assert_cmpfloat (rel, <=, c->limit);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/sound-prompt/%s/%s", cases[i].family, cases[i].name);

    g_test_add_data_func (path, &cases[i], test_logits);
  }
  return g_test_run ();
}
