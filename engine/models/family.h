/* family.h - what a model family tells the engine
 *
 * A family file reads hyper-parameters and tensors from the GGUF, checks that
 * everything is there with the right shape (all faults in one error), and
 * describes the decoder as a graph. It computes nothing.
 *
 * Adding a family: MODELS.md, "Adding a family".
 */
#pragma once

#include "facet.h"
#include "backend/backend.h"

typedef struct FacetDecoder FacetDecoder;

typedef struct {
  FacetFamily  family;
  const char  *architecture;  /* general.architecture */
  FacetDecoder *(*load) (FacetGguf *gguf, GError **error);
} FacetFamilyClass;

/* Which of the decoder's graphs. */
typedef enum {
  FACET_BUILD_NORMAL = 0,
  FACET_BUILD_ALL_ROWS = 1 << 0,    /* every row passes every layer, as per-layer dumps need */
  FACET_BUILD_MARK_LAYERS = 1 << 1, /* mark the embeddings and each layer's output */
} FacetBuild;

/* A family's model as the session sees it. */
struct FacetDecoder {
  const FacetFamilyClass *klass;
  int      width;
  int      vocab;
  int      n_layers;
  int      context_length;
  float    embed_scale;
  gboolean image_spans;       /* the rows of a picture see each other in both directions */
  const FacetTensor *lookup;  /* table of which LOOKUP reads rows in the map, NULL: none */

  int           n_kv_layers;  /* of the KV cache */
  FacetKvLayer *kv_layers;

  /* Describes one step. Returns: (transfer full). */
  FacetGraph *(*build) (FacetDecoder *decoder, FacetBuild what);
  void        (*free)  (FacetDecoder *decoder);
};

/* The family of the file or an UNSUPPORTED error that names it. */
const FacetFamilyClass *facet_family_for (FacetGguf *gguf, GError **error);

extern const FacetFamilyClass facet_family_gemma3;
extern const FacetFamilyClass facet_family_gemma3n;
extern const FacetFamilyClass facet_family_gemma4;
