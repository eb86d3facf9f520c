#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "options.h"
#include "report.h"

int
command_inspect (int argc, char **argv)
{
  g_auto (Options) options;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  options_init (&options);
  if (!options_parse (&options, OPTIONS_JSON, N_("FILE"), N_("Shows the metadata and the tensors of any GGUF file."), NULL,
                      &argc, &argv))
    return EXIT_USAGE;
  if (argc != 2) {
    options_complain (g_get_prgname (), _("name one file"));
    return EXIT_USAGE;
  }
  text = facet_gguf_describe (argv[1], options.json, &error);
  if (text == NULL) {
    report_error (error);
    return EXIT_FAILED;
  }
  fputs (text, stdout);
  if (!g_str_has_suffix (text, "\n"))
    fputc ('\n', stdout);
  return EXIT_OK;
}
