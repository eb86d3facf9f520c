/* choose.h - the backend that a person's settings ask for */
#pragma once

#include "backend/backend.h"

/* CPU and VULKAN give what they say or DEVICE; AUTO gives a graphics processor
 * that fits, else the CPU (no error, one line in the log). CANCELLED while a
 * device was tried for the first time. @params may be NULL. */
FacetBackend *facet_backend_choose (const FacetModelParams *params, GError **error);
/* The one that does everything and does not fail. */
gboolean      facet_backend_is_cpu (const FacetBackend *backend);
/* Who loads a model waits for what @backend does; @params NULL: nobody does any more. */
void          facet_backend_watch  (FacetBackend *backend, const FacetModelParams *params);
