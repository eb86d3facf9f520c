/* per-layer.h - embeddings that enter every block (Gemma 3n and 4)
 *
 * For token t and layer l, with x0 the decoder's input embedding of width D:
 *   a = table[id][l] * sqrt(P)
 *   b = rms_norm ((proj x0)[l] / sqrt(D)) * norm
 *   p_l = (a + b) / sqrt(2)                                             [P]
 * The table, the largest tensor of such a file, stays in the map and is read
 * row by row; its row 0 serves soft rows and ids beyond it.
 *
 * Layers before @split are asked for on token rows, the others on output rows,
 * so that a prompt's rows cost nothing where only the last one goes on.
 */
#pragma once

#include "graph/graph.h"
#include "models/loader.h"

typedef struct {
  int   width;     /* P; 0: the model has none */
  int   n_layers, split;
  float eps, input_width;
  const FacetTensor *table, *norm;
  FacetTensor proj_before, proj_from;  /* rows of per_layer_model_proj on either side of @split */
} FacetPerLayer;

/* Reads embedding_length_per_layer_input and, if it is not 0, the tensors. */
void facet_per_layer_load (FacetPerLayer *p, FacetLoader *loader, int input_width, int n_layers, int split, float eps);
/* p_l of every layer before the split side by side, [rows of @x0, P * split], @x0 being token rows; -1 if none. */
int  facet_per_layer_before (const FacetPerLayer *p, FacetGraph *g, int x0);
/* The same of the layers from the split on, @x0 being token or output rows. */
int  facet_per_layer_from   (const FacetPerLayer *p, FacetGraph *g, int x0);
/* p_l of @layer out of the two. */
int  facet_per_layer_of     (const FacetPerLayer *p, FacetGraph *g, int before, int from, int layer);
