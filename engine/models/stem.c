#include "models/stem.h"

void
facet_stem_load (FacetStem *stem, FacetLoader *loader, FacetDecoder *decoder)
{
  const FacetTensor *embed = facet_gguf_tensor (loader->gguf, "token_embd.weight");

  decoder->vocab = embed != NULL && embed->ne[1] > 0 && embed->ne[1] <= G_MAXINT / 2 ? (int) embed->ne[1] : 0;
  stem->embed = facet_loader_matrix (loader, decoder->width, decoder->vocab, "token_embd.weight");
  stem->output = stem->embed;
  if (facet_gguf_tensor (loader->gguf, "output.weight") != NULL)
    stem->output = facet_loader_matrix (loader, decoder->width, decoder->vocab, "output.weight");
  stem->output_norm = facet_loader_vector (loader, decoder->width, "output_norm.weight");
  stem->softcap = facet_loader_float_or (loader, "final_logit_softcapping", 0);
}

void
facet_stem_finish (const FacetStem *stem, FacetGraph *g, int h, float eps)
{
  h = facet_g_rms_norm (g, h, stem->output_norm, (int) stem->output_norm->ne[0], eps);
  h = facet_g_matmul (g, h, stem->output, NULL);
  if (stem->softcap > 0)
    h = facet_g_softcap (g, h, stem->softcap);
  facet_graph_set_result (g, h);
}
