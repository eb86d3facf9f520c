/* facet-preferences.h - the preferences window
 *
 * Pages General, Model, Generation and Privacy, bound to the
 * settings. The row of the model activates the action "app.models", which the
 * application provides (it shows the page of models).
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define FACET_TYPE_PREFERENCES (facet_preferences_get_type ())
G_DECLARE_FINAL_TYPE (FacetPreferences, facet_preferences, FACET, PREFERENCES, AdwPreferencesWindow)

FacetPreferences *facet_preferences_new (GtkWindow *parent, GSettings *settings);

/* @name: what answers while no file is chosen; any text, NULL: nothing does. */
void              facet_preferences_set_automatic_model (FacetPreferences *self, const char *name);

G_END_DECLS
