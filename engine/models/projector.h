/* projector.h - a projector file within a loaded model */
#pragma once

#include "facet.h"
#include "backend/backend.h"

/* Runs on @backend, which must outlive it; @detail as in FacetModelParams. */
FacetProjector *facet_projector_new (const char *path, FacetBackend *backend, int detail, GError **error);

/* From now on; what is kept stays. */
void            facet_projector_set_backend (FacetProjector *projector, FacetBackend *backend);

/* Most soft tokens that one picture becomes. */
int             facet_projector_span (FacetProjector *projector);

/* Ids of pictures or sound whose embeddings the file has (Gemma 3n), else 0. */
int             facet_projector_n_hard (FacetProjector *projector, gboolean audio);
/* Their embeddings, [n, width], computed at the first call; not to be asked for
 * if there are none. */
const float    *facet_projector_hard   (FacetProjector *projector, gboolean audio, GError **error);
