#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "options.h"

int
command_devices (int argc, char **argv)
{
  g_auto (Options) options;
  g_autofree char *text = NULL;

  options_init (&options);
  if (!options_parse (&options, OPTIONS_JSON, NULL, N_("Shows the processor and the graphics devices that models can run on."),
                      NULL, &argc, &argv))
    return EXIT_USAGE;
  text = facet_devices_describe (options.json);
  puts (text);
  return EXIT_OK;
}
