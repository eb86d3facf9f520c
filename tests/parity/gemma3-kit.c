#include "gemma3-kit.h"

#include "device.h"
#include "kit-pictures.h"

FacetModel *
gemma3_model (const char *text, const char *projector, gboolean exact)
{
  g_autofree char *text_name = g_strconcat ("models/gemma3-tiny/", text, NULL), *text_path = kit_path (text_name);
  g_autofree char *name = g_strconcat ("models/", projector, NULL), *path = kit_path (name);
  FacetModelParams params = { .projector = path, .threads = 1, .exact = exact };
  g_autoptr (GError) error = NULL;
  FacetModel *model;

  device_params (&params);
  model = facet_model_load (text_path, &params, &error);
  g_assert_no_error (error);
  return model;
}

FacetSession *
gemma3_session (FacetModel *model, int chunk)
{
  FacetSessionParams params = { .context = 256, .chunk = chunk };
  g_autoptr (GError) error = NULL;
  FacetSession *session = facet_session_new (model, &params, &error);

  g_assert_no_error (error);
  return session;
}

Npz *
gemma3_values (const char *name)
{
  g_autofree char *file = g_strdup_printf ("expected/gemma3/%s.npz", name), *path = kit_path (file);

  return npz_open (path);
}

FacetPrompt *
gemma3_prompt (Npz *npz, const char *const *pictures, const gint32 *more, int n_more)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autofree gint32 *ids = npy_ints (npz_get (npz, "input_ids")), *spans = npy_ints (npz_get (npz, "spans"));
  int n = npz_get (npz, "input_ids")->n, n_spans = npz_get (npz, "spans")->shape[0], at = 0;

  for (int s = 0; s <= n_spans; s++) {
    int end = s < n_spans ? spans[2 * s] : n;

    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    facet_prompt_add_tokens (prompt, ids + at, end - at);
    if (s < n_spans) {
      g_autoptr (FacetImage) image = kit_picture (pictures[s]);

      facet_prompt_add_image (prompt, image);
      at = spans[2 * s] + spans[2 * s + 1];
    }
  }
  facet_prompt_add_tokens (prompt, more, n_more);
  return prompt;
}

GArray *
gemma3_logits (FacetSession *session, FacetPrompt *prompt, gboolean all)
{
  GArray *logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GError) error = NULL;

  facet_session_logits (session, prompt, all, logits, NULL, &error);
  g_assert_no_error (error);
  return logits;
}
