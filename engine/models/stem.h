/* stem.h - what every family has below and above its layers
 *
 * The embedding table, the last norm and the output matrix, which is the
 * embedding table itself unless the file has its own.
 */
#pragma once

#include "models/family.h"
#include "models/loader.h"

typedef struct {
  const FacetTensor *embed;       /* [width, vocab] */
  const FacetTensor *output;      /* [width, vocab] */
  const FacetTensor *output_norm; /* [width] */
  float              softcap;     /* of the logits, 0: none */
} FacetStem;

/* @decoder's width must be known; its vocab is set. */
void facet_stem_load   (FacetStem *stem, FacetLoader *loader, FacetDecoder *decoder);
/* Logits of the rows of @h; the graph's result. */
void facet_stem_finish (const FacetStem *stem, FacetGraph *g, int h, float eps);
