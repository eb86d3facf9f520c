/* hard-tokens.h - embeddings of the ids that a projector brings along (Gemma 3n)
 *
 * The last ids of such a vocabulary are not in the text's embedding table:
 * <end_of_image> begins those of pictures, <end_of_audio> those of sound. Row r
 * of either table enters the decoder as
 *   rms_norm (input_projection (rms_norm (embedding[r]) * hard_emb_norm))
 * and like soft tokens unscaled. Row n - 1 of sound also fills the places of a
 * sound shorter than the longest one.
 */
#pragma once

#include "backend/backend.h"

typedef struct {
  int    n, width;
  float *rows;     /* [n, width] */
} FacetHardTokens;

void facet_hard_tokens_clear (FacetHardTokens *tokens);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetHardTokens, facet_hard_tokens_clear)

/* Rows of the table for pictures or for sound; 0: the file has none. */
int      facet_hard_tokens_count (FacetGguf *gguf, gboolean audio);
/* Computes them for a decoder of this width. */
gboolean facet_hard_tokens_load  (FacetHardTokens *tokens, FacetGguf *gguf, gboolean audio, int width,
                                  FacetBackend *backend, GError **error);
