/* Gemma 3n's sound encoder (a universal speech model, arXiv 2303.01037).
 * Formulas: the original implementation (transformers' Gemma3nAudioEncoder). */
#include "models/conformer.h"

#include "media/mel.h"

#define EVERY 4 /* rows that the reduction after the last block keeps */
#define CONV_EPS 1e-3f

typedef struct {
  FacetEncoder   base;
  FacetConformer conformer;
  const FacetTensor *norm, *projection;
} Gemma3nAudio;

static const FacetConformerKind kind = {
  .project = "a.pre_encode.out",
  .before_attention = "ln1",
  .after_attention = "ln2",
  .positions = "linear_pos",
  .scale = "per_dim_scale",
  .last_norm = "layer_pre_norm",
  .softplus = TRUE,
  .reach = 12,
  .k_scale = 1,
};

static int
conv_norm (FacetGraph *g, const FacetConformer *m, int which, int x, int map_cols)
{
  return facet_g_cum_norm (g, x, map_cols, m->conv_norm[which], CONV_EPS);
}

static int
gemma3n_count (FacetEncoder *encoder, gsize n)
{
  return (facet_conformer_rows ((int) facet_mel_frames (FACET_MEL_GEMMA3N, n)) + EVERY - 1) / EVERY;
}

static gboolean
gemma3n_prepare (FacetEncoder *encoder, const float *samples, gsize n, FacetEncoderInput *input, GError **error)
{
  if (!facet_conformer_prepare (input, samples, n, FACET_MEL_GEMMA3N, error))
    return FALSE;
  input->n_tokens = gemma3n_count (encoder, n);
  return TRUE;
}

static FacetGraph *
gemma3n_build (FacetEncoder *encoder, int shape, gboolean mark)
{
  Gemma3nAudio *m = (Gemma3nAudio *) encoder;
  FacetGraph *g = facet_graph_new ();
  int h = facet_conformer_build (g, &m->conformer, shape, conv_norm, mark);

  h = facet_g_every (g, h, EVERY);
  if (mark)
    facet_graph_mark_layer (g, h, m->conformer.n_layers);
  h = facet_g_rms_norm (g, h, m->norm, m->conformer.width, FACET_CONFORMER_EPS);
  h = facet_g_matmul (g, h, m->projection, NULL);
  facet_graph_set_result (g, facet_g_rms_norm (g, h, NULL, m->base.width, FACET_CONFORMER_EPS));
  return g;
}

static void
gemma3n_free (FacetEncoder *encoder)
{
  facet_conformer_clear (&((Gemma3nAudio *) encoder)->conformer);
  g_free (encoder);
}

static FacetEncoder *
gemma3n_load (FacetGguf *gguf, GError **error)
{
  Gemma3nAudio *m = g_new0 (Gemma3nAudio, 1);
  FacetLoader loader;

  m->base = (FacetEncoder) { .klass = &facet_encoder_gemma3n_audio, .count_audio = gemma3n_count, .prepare_audio = gemma3n_prepare,
                             .build = gemma3n_build, .free = gemma3n_free };
  m->base.sound_rows = gemma3n_count (&m->base, FACET_CONFORMER_MAX_SAMPLES);
  facet_loader_init (&loader, gguf, "clip.audio");
  m->base.width = facet_loader_int (&loader, "projection_dim", 1, 1 << 16);
  facet_conformer_load (&m->conformer, &loader, &kind);
  m->norm = facet_loader_vector (&loader, m->conformer.width, "mm.a.soft_emb_norm.weight");
  m->projection = facet_loader_matrix (&loader, m->conformer.width, m->base.width, "mm.a.input_projection.weight");
  if (!facet_loader_finish (&loader, &m->conformer.owned, error)) {
    gemma3n_free (&m->base);
    return NULL;
  }
  return &m->base;
}

const FacetEncoderClass facet_encoder_gemma3n_audio = {
  .type = "gemma3na",
  .audio = TRUE,
  .load = gemma3n_load,
};
