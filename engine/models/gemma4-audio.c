/* Gemma 4's sound encoder. Formulas: the original implementation
 * (transformers' Gemma4AudioModel). */
#include "models/conformer.h"

#include "media/mel.h"

typedef struct {
  FacetEncoder   base;
  FacetConformer conformer;
  const FacetTensor *out, *out_bias;
  FacetClipped   projection;
} Gemma4Audio;

static const FacetConformerKind kind = {
  .project = "a.input_projection",
  .before_attention = "attn_pre_norm",
  .after_attention = "attn_post_norm",
  .positions = "attn_k_rel",
  .scale = "per_dim_scale.weight",
  .last_norm = "ln2",
  .reach = 11,
  .k_scale = 1.8946361f, /* ln (1 + e) / ln 2 */
  .zero_rows_before = 1,
};

static int
conv_norm (FacetGraph *g, const FacetConformer *m, int which, int x, int map_cols)
{
  return facet_g_layer_norm (g, x, m->conv_norm[which], NULL, FACET_CONFORMER_EPS);
}

static int
gemma4_count (FacetEncoder *encoder, gsize n)
{
  return facet_conformer_rows ((int) facet_mel_frames (FACET_MEL_GEMMA4, n));
}

static gboolean
gemma4_prepare (FacetEncoder *encoder, const float *samples, gsize n, FacetEncoderInput *input, GError **error)
{
  if (!facet_conformer_prepare (input, samples, n, FACET_MEL_GEMMA4, error))
    return FALSE;
  input->n_tokens = gemma4_count (encoder, n);
  return TRUE;
}

static FacetGraph *
gemma4_build (FacetEncoder *encoder, int shape, gboolean mark)
{
  Gemma4Audio *m = (Gemma4Audio *) encoder;
  FacetGraph *g = facet_graph_new ();
  int h = facet_conformer_build (g, &m->conformer, shape, conv_norm, mark);

  h = facet_g_matmul (g, h, m->out, m->out_bias);
  if (mark)
    facet_graph_mark_layer (g, h, m->conformer.n_layers);
  h = facet_g_rms_norm (g, h, NULL, (int) m->out->ne[1], FACET_CONFORMER_EPS);
  facet_graph_set_result (g, facet_clipped_build (g, &m->projection, h));
  return g;
}

static void
gemma4_free (FacetEncoder *encoder)
{
  facet_conformer_clear (&((Gemma4Audio *) encoder)->conformer);
  g_free (encoder);
}

static FacetEncoder *
gemma4_load (FacetGguf *gguf, GError **error)
{
  Gemma4Audio *m = g_new0 (Gemma4Audio, 1);
  const FacetTensor *out = facet_gguf_tensor (gguf, "a.pre_encode.out.weight");
  gint64 out_width = out != NULL ? out->ne[1] : 1;
  FacetLoader loader;

  m->base = (FacetEncoder) { .klass = &facet_encoder_gemma4_audio, .count_audio = gemma4_count, .prepare_audio = gemma4_prepare,
                             .build = gemma4_build, .free = gemma4_free };
  facet_loader_init (&loader, gguf, "clip.audio");
  m->base.width = facet_loader_int (&loader, "projection_dim", 1, 1 << 16);
  facet_conformer_load (&m->conformer, &loader, &kind);
  m->out = facet_loader_matrix (&loader, m->conformer.width, out_width, "a.pre_encode.out.weight");
  m->out_bias = facet_loader_vector (&loader, out_width, "a.pre_encode.out.bias");
  facet_clipped_load (&m->projection, &loader, out_width, m->base.width, "mm.a.input_projection");
  if (!facet_loader_finish (&loader, &m->conformer.owned, error)) {
    gemma4_free (&m->base);
    return NULL;
  }
  return &m->base;
}

const FacetEncoderClass facet_encoder_gemma4_audio = {
  .type = "gemma4a",
  .audio = TRUE,
  .load = gemma4_load,
};
