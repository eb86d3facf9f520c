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
  FacetModelParams params;    /* what the backend was chosen by; no pointers */
  guint64         encoder_bytes; /* of the projector's file, 0: none */
  int             failures;   /* of devices so far */
  gint            sessions;   /* that may hold plans and caches */
  GPtrArray      *retired;    /* backends that failed while several sessions had them */
};

/* After @why: the device opened anew, or, if it fails for the second time or
 * cannot do it, the CPU. */
void facet_model_replace_backend (FacetModel *model, const GError *why);

/* The embedding, [width], of an id from text_vocab on; MISSING if the projector
 * has none. */
const float *facet_model_hard_embedding (FacetModel *model, gint32 id, GError **error);
