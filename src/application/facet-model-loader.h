/* facet-model-loader.h - keeps the model loaded that the settings ask for
 *
 * Loads the chosen file, or the library's automatic choice while none is
 * chosen; again when a setting changes that loading depends on (an answer that
 * is being written stops), and when a scan finds another automatic choice or
 * another projector (the answer is waited for).
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include "facet-model-library.h"
#include "service/facet-engine-service.h"

G_BEGIN_DECLS

typedef struct _FacetModelLoader FacetModelLoader;

FacetModelLoader *facet_model_loader_new  (GSettings *settings, FacetModelLibrary *library, FacetEngineService *service);
void              facet_model_loader_free (FacetModelLoader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetModelLoader, facet_model_loader_free)

G_END_DECLS
