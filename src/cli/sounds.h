/* sounds.h - sound on the command line */
#pragma once

#include "facet.h"

/* Reads the NULL-terminated @paths (NULL: none) for @model; reports what
 * cannot be read or heard, and which projector would fit a model without one,
 * itself and then returns NULL. Returns: (transfer full): of one GPtrArray of
 * FacetAudio for each path, longer recordings being cut into clips. */
GPtrArray *sounds_load (FacetModel *model, char **paths, FacetCancel *cancel);
