/* facet-application.h - the program: store, engine, library and one window
 *
 * Loads the model of the settings (or the one that the library suggests) and
 * follows the settings from then on.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

#include "service/facet-engine-service.h"

G_BEGIN_DECLS

#define FACET_TYPE_APPLICATION (facet_application_get_type ())
G_DECLARE_FINAL_TYPE (FacetApplication, facet_application, FACET, APPLICATION, AdwApplication)

/* @backend: what answers; the tests give their own. */
FacetApplication *facet_application_new (const FacetEngineBackend *backend, gpointer config, GSettings *settings);

G_END_DECLS
