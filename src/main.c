#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <locale.h>

#include "application/facet-application.h"
#include "facet-locale.h"
#include "facet-settings.h"

int
main (int argc, char *argv[])
{
  g_autoptr (FacetApplication) application = NULL;
  GSettings *settings = facet_settings_get_default ();

  facet_settings_apply_language (settings);
  setlocale (LC_ALL, "");
  facet_locale_bind ();

  application = facet_application_new (&facet_engine_backend_native, NULL, settings);
  return g_application_run (G_APPLICATION (application), argc, argv);
}
