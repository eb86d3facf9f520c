/* facet-locale.h - where the translations lie
 *
 * Both programs call this once at the start of main(), after setlocale().
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns: (transfer full): the folder with LANGUAGE/LC_MESSAGES/facet.mo.
 * The folder po/ beside the program (a build tree) comes first, then
 * ../share/locale as seen from the program (an installation that was moved),
 * then the folder that the build was configured for. */
char *facet_locale_directory (void);

/* Makes the translations of that folder those of gettext's default domain. */
void  facet_locale_bind      (void);

G_END_DECLS
