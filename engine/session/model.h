/* model.h - a loaded model within the engine */
#pragma once

#include "facet.h"
#include "backend/backend.h"
#include "gguf/gguf.h"
#include "models/family.h"
#include "models/projector.h"
#include "tokenizer/tokenizer.h"

struct FacetModel {
  gint            refs;
  FacetModelInfo *info;
  FacetGguf      *gguf;
  FacetTokenizer *tokenizer;
  FacetDecoder   *decoder;
  FacetBackend   *backend;
  FacetProjector *projector; /* NULL: none */
  int             text_vocab; /* ids from here on have their embeddings in the projector; vocab where there are none such */
  gboolean        exact;
  FacetNotice     notice;     /* not yet taken */
};

/* The embedding, [width], of an id from text_vocab on; MISSING if the projector
 * has none. */
const float *facet_model_hard_embedding (FacetModel *model, gint32 id, GError **error);
