/* Gemma 3n and Gemma 4 through the public interface: from picture and sound
 * files to the logits of the original implementation. Of Gemma 3n with the
 * tokens that end media. */
#include "compare.h"
#include "device.h"
#include "facet.h"
#include "inflate.h"
#include "npz.h"

#include <glib/gstdio.h>
#include <string.h>

#define TEXT_VOCAB 352
#define LAST_SOUND_ID 367

typedef struct {
  const char *family;    /* folder of the kit */
  gboolean    packed;    /* the model is compressed */
  int         vocab;
  int         detail;    /* of pictures */
  const char *name;      /* of the .npz */
  const char *media[2];  /* in prompt order */
} Case;

static const Case cases[] = {
  { "gemma3n", TRUE, 368, 0, "image", { "chart.png" } },
  { "gemma3n", TRUE, 368, 0, "audio", { "note_it.wav" } },
  { "gemma3n", TRUE, 368, 0, "interleaved", { "small.png", "chirp.wav" } },
  { "gemma4", FALSE, 640, 70, "image", { "photo.png" } },
  { "gemma4", FALSE, 640, 70, "audio", { "note_it.wav" } },
  { "gemma4", FALSE, 640, 70, "interleaved", { "chart.png", "chirp.wav" } },
};

static char *
kit_path (const char *folder, const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", folder, name, NULL);
}

static FacetModel *
load_model (const Case *c, gboolean with_projector)
{
  g_autofree char *folder = g_strdup_printf ("models/%s-tiny", c->family);
  g_autofree char *stored = kit_path (folder, c->packed ? "text-f32.gguf.gz" : "text-f32.gguf");
  g_autofree char *inflated = c->packed ? inflate_to_temporary (stored) : NULL, *projector = kit_path (folder, "mmproj.gguf");
  const char *path = inflated != NULL ? inflated : stored;
  FacetModelParams params = { .projector = with_projector ? projector : NULL, .threads = 1, .exact = TRUE,
                              .image_detail = c->detail };
  g_autoptr (GError) error = NULL;
  FacetModel *model;

  device_params (&params);
  model = facet_model_load (path, &params, &error);

  if (inflated != NULL)
    g_unlink (inflated);
  g_assert_no_error (error);
  return model;
}

static FacetSession *
new_session (FacetModel *model, int chunk)
{
  FacetSessionParams params = { .context = 512, .chunk = chunk };
  g_autoptr (GError) error = NULL;
  FacetSession *session = facet_session_new (model, &params, &error);

  g_assert_no_error (error);
  return session;
}

/* Returns: soft tokens of the file. */
static int
add_media (FacetPrompt *prompt, FacetModel *model, const char *name)
{
  g_autofree char *path = kit_path ("inputs", name);
  FacetProjector *projector = facet_model_get_projector (model);
  g_autoptr (GError) error = NULL;

  if (g_str_has_suffix (name, ".wav")) {
    g_autoptr (FacetAudio) audio = facet_audio_load (path, NULL, &error);

    g_assert_no_error (error);
    facet_prompt_add_audio (prompt, audio);
    return facet_projector_count_audio (projector, audio, NULL);
  } else {
    g_autoptr (FacetImage) image = facet_image_load (path, &error);

    g_assert_no_error (error);
    facet_prompt_add_image (prompt, image);
    return facet_projector_count (projector, image);
  }
}

/* The reference's rows as they are, media in place of its placeholders; what a
 * sound does not fill of its rows holds the last id. */
static FacetPrompt *
make_prompt (const Case *c, Npz *npz, FacetModel *model)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autofree gint32 *ids = npy_ints (npz_get (npz, "input_ids")), *spans = npy_ints (npz_get (npz, "spans"));
  int n = npz_get (npz, "input_ids")->n, n_spans = npz_get (npz, "spans")->shape[0], at = 0;

  for (int s = 0; s <= n_spans; s++) {
    int end = s < n_spans ? spans[2 * s] : n;

    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    facet_prompt_add_tokens (prompt, ids + at, end - at);
    if (s < n_spans) {
      at = end + add_media (prompt, model, c->media[s]);
      for (int i = at; i < end + spans[2 * s + 1]; i++)
        ids[i] = LAST_SOUND_ID;
    }
  }
  return prompt;
}

/* In one step and in chunks; on a device in chunks alone, twice with the same bits. */
static void
test_logits (gconstpointer data)
{
  const int chunks[] = { device_is_gpu () ? 13 : 0, 13 };
  const Case *c = data;
  g_autofree char *file = g_strconcat (c->name, ".npz", NULL), *folder = g_strconcat ("expected/", c->family, NULL);
  g_autofree char *path = kit_path (folder, file);
  g_autoptr (Npz) npz = npz_open (path);
  g_autofree gint32 *pos = npy_ints (npz_get (npz, "pos"));
  g_autofree float *expected = npy_floats (npz_get (npz, "hf_logits"));
  g_autoptr (FacetModel) model = load_model (c, TRUE);
  g_autoptr (FacetPrompt) prompt = make_prompt (c, npz, model);
  g_autoptr (GArray) before = NULL;
  int n_pos = npz_get (npz, "pos")->n;

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (FacetSession) session = new_session (model, chunks[i]);
    g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
    g_autofree float *picked = g_new (float, (gsize) n_pos * c->vocab);
    g_autoptr (GError) error = NULL;
    double rel;

    facet_session_logits (session, prompt, TRUE, logits, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (logits->len, ==, npz_get (npz, "input_ids")->n * c->vocab);
    for (int p = 0; p < n_pos; p++)
      memcpy (picked + (gsize) p * c->vocab, (float *) logits->data + (gsize) pos[p] * c->vocab, c->vocab * sizeof (float));
    rel = relative_error (picked, expected, (gsize) n_pos * c->vocab);
    g_test_message ("%s, chunk %d: logits rel %.1e", c->name, chunks[i], rel);
    g_assert_cmpfloat (rel, <=, 1e-4);
    if (before != NULL && chunks[i] == chunks[0])
      g_assert_cmpmem (logits->data, logits->len * sizeof (float), before->data, before->len * sizeof (float));
    g_clear_pointer (&before, g_array_unref);
    before = g_steal_pointer (&logits);
  }
  g_assert_true (device_is_gpu () == g_str_has_prefix (facet_model_backend_name (model), "vulkan"));
}

/* Such an id has no embedding without the projector. */
static void
test_without_projector (void)
{
  g_autoptr (FacetModel) model = load_model (&cases[0], FALSE);
  g_autoptr (FacetSession) session = new_session (model, 0);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GError) error = NULL;
  gint32 ids[] = { 2, 100, TEXT_VOCAB };

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, 2);
  g_assert_true (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  facet_prompt_add_tokens (prompt, ids + 2, 1);
  g_assert_false (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_MISSING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++) {
    g_autofree char *path = g_strdup_printf ("/media/%s/%s", cases[c].family, cases[c].name);

    /* Software devices take their time: pictures and sounds of each family together. */
    if (device_is_gpu () && cases[c].media[1] == NULL)
      continue;
    g_test_add_data_func (path, &cases[c], test_logits);
  }
  g_test_add_func ("/media/gemma3n/without-projector", test_without_projector);
  return g_test_run ();
}
