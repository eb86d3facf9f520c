#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <locale.h>

#include "application/facet-application.h"
#include "facet-settings.h"

int
main (int argc, char *argv[])
{
  g_autoptr (FacetApplication) application = NULL;
  GSettings *settings = facet_settings_get_default ();

  facet_settings_apply_language (settings);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  application = facet_application_new (&facet_engine_backend_native, NULL, settings);
  return g_application_run (G_APPLICATION (application), argc, argv);
}
