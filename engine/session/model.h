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
  gboolean        exact;
};
