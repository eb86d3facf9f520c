/* facet-models-page.h - choosing, adding, removing and downloading models
 *
 * Choosing a model writes the keys "model" and "projector" of the settings
 * ("" for the automatic projector); whoever loads models follows these keys.
 *
 * Signal: "chosen" (path), after the keys are written.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

#include "facet-model-library.h"

G_BEGIN_DECLS

#define FACET_TYPE_MODELS_PAGE (facet_models_page_get_type ())
G_DECLARE_FINAL_TYPE (FacetModelsPage, facet_models_page, FACET, MODELS_PAGE, AdwBin)

FacetModelsPage *facet_models_page_new (FacetModelLibrary *library, GSettings *settings);

G_END_DECLS
