/* pictures.h - pictures on the command line */
#pragma once

#include "facet.h"

/* Reads the NULL-terminated @paths (NULL: none) for @model; reports what
 * cannot be read, and which projector would fit a model without one, itself
 * and then returns NULL. Returns: (transfer full): of FacetImage. */
GPtrArray *pictures_load (FacetModel *model, char **paths);
