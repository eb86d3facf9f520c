/* facet-engine-work.h - what one answer is made with and from, in the engine thread */
#pragma once

#include "facet-engine-backend.h"
#include "facet-media-cache.h"

G_BEGIN_DECLS

/* All borrowed. */
typedef struct {
  FacetModel             *model;
  const char             *projector; /* NULL: none */
  FacetSession           *session;
  FacetMediaCache        *media;
  const FacetRequest     *request;
  const FacetReplyParams *params;    /* with sampling */
  FacetReplySummary      *summary;   /* to be filled in */
} FacetEngineWork;

G_END_DECLS
