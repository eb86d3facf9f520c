#include "texts.h"

#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "modes/facet-mode.h"
#include "options.h"
#include "report.h"

char *
texts_load (char **paths)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (char **path = paths; path != NULL && *path != NULL; path++) {
    g_autofree char *text = NULL, *name = g_path_get_basename (*path), *shown = g_filename_display_name (name), *quoted = NULL;
    gsize length;

    if (options_read_text (&text, *path, &length) != EXIT_OK)
      return NULL;
    if (!g_utf8_validate_len (text, length, NULL)) {
      report_sentence (_("%s: %s holds no text in UTF-8\n"), g_get_prgname (), *path);
      return NULL;
    }
    quoted = facet_mode_quote_file (shown, text, (gssize) length);
    g_string_append (all, quoted);
  }
  return g_string_free (g_steal_pointer (&all), FALSE);
}
