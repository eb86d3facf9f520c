#include "config.h"

#include <libintl.h>

#include "facet-locale.h"

/* Any one of po/LINGUAS tells a folder with our translations from others. */
#define SAMPLE "de/LC_MESSAGES/" GETTEXT_PACKAGE ".mo"

char *
facet_locale_directory (void)
{
  static const char *const beside[] = { "po", "../share/locale" };
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program != NULL ? g_path_get_dirname (program) : NULL;

  for (guint i = 0; folder != NULL && i < G_N_ELEMENTS (beside); i++) {
    g_autofree char *candidate = g_build_filename (folder, beside[i], NULL);
    g_autofree char *sample = g_build_filename (candidate, SAMPLE, NULL);

    if (g_file_test (sample, G_FILE_TEST_IS_REGULAR))
      return g_canonicalize_filename (candidate, NULL);
  }
  return g_strdup (LOCALEDIR);
}

void
facet_locale_bind (void)
{
  g_autofree char *directory = facet_locale_directory ();

  bindtextdomain (GETTEXT_PACKAGE, directory);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}
