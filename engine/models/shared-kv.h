/* shared-kv.h - attention of Gemma 3n and Gemma 4
 *
 * Layers see a sliding window or the whole context; each kind has its own
 * rotary base and may have its own head size. Queries and keys are normalised
 * per head with a gain, values without one, scores are not scaled. The first
 * n_own layers have keys and values of their own; a layer above them reads
 * those of the last one of its kind. Where the decoder has image_spans, rows of
 * a picture see each other in sliding layers. Definition: transformers,
 * models/gemma3n and models/gemma4.
 */
#pragma once

#include "models/family.h"
#include "models/loader.h"

typedef struct {
  const FacetTensor *q, *q_norm, *out;
  const FacetTensor *k, *k_norm;  /* NULL: shared */
  const FacetTensor *v;           /* NULL as well: the keys before norm and rotation */
  gboolean sliding;
  int      n_kv;
  int      cache;                 /* layer whose keys and values it reads */
} FacetSharedLayer;

typedef struct {
  const FacetDecoder *decoder;
  int       n_head, n_own, window;
  float     eps;
  FacetRope full, sliding;        /* with the head sizes */
  FacetSharedLayer *layers;       /* [layers of the decoder] */
} FacetSharedKv;

/* The layer whose keys and values layer @i reads, by a file's keys with
 * @prefix, such as "gemma3n", where the first @n_own layers have their own:
 * itself, or the last of those that is of its kind; -1: none is. */
int  facet_shared_kv_source (FacetGguf *gguf, const char *prefix, int n_own, int i);

/* Reads the keys "attention.*" and "rope.*" and the tensors of every layer, and
 * describes @decoder's cache. Its n_layers and width must be known. */
void facet_shared_kv_load  (FacetSharedKv *a, FacetLoader *loader, FacetDecoder *decoder);
void facet_shared_kv_clear (FacetSharedKv *a);
/* Stores keys and values of @normed, [rows, width], if layer @i has its own. */
void facet_shared_kv_store (const FacetSharedKv *a, FacetGraph *g, int i, int normed);
/* What layer @i's queries of @normed read, projected: [rows of @normed, width]. */
int  facet_shared_kv_read  (const FacetSharedKv *a, FacetGraph *g, int i, int normed);
