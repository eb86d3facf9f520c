/* clipped.h - a matrix between two clamps
 *
 * Encoders of Gemma 4 keep the range that each product saw in training: where
 * a file has NAME.input_min, .input_max, .output_min and .output_max, the
 * input is clamped before and the output after it.
 */
#pragma once

#include "graph/graph.h"
#include "models/loader.h"

typedef struct {
  const FacetTensor *w;
  gboolean clipped;
  float    in[2], out[2]; /* lowest, highest */
} FacetClipped;

/* NAME.weight with ne = { in, out }, and its ranges if it has any. */
void facet_clipped_load  (FacetClipped *linear, FacetLoader *loader, gint64 in, gint64 out, const char *name);
int  facet_clipped_build (FacetGraph *g, const FacetClipped *linear, int x);
