/* The whole program, over a script in place of the engine: it thinks, sees, hears, asks to read a file
 * and answers with all that an answer may hold. For states that a small model does not reach. With
 * FACET_SCRIPT_JUDGES in the environment its model checks pictures instead. */
#include <locale.h>

#include "application/facet-application.h"
#include "facet-settings.h"
#include "ui/script-backend.h"

static const char answer[] = "## Lenses\n"
                             "\n"
                             "Read [the page about lenses](https://example.org/lenses), then:\n"
                             "\n"
                             "```c\n"
                             "int lenses = 2;\n"
                             "```\n"
                             "\n"
                             "| lens | bends |\n"
                             "|---|---|\n"
                             "| convex | inwards |\n";
static const ScriptCall calls[] = { { "read_file", "{\"path\":\"/etc/hostname\"}" } };
static Script script = {
  .answer = answer,
  .thoughts = "A question about light.",
  .calls = calls,
  .n_calls = G_N_ELEMENTS (calls),
  .thinks = TRUE,
  .sees = TRUE,
  .hears = TRUE,
};

int
main (int argc, char *argv[])
{
  g_autoptr (FacetApplication) application = NULL;

  setlocale (LC_ALL, "");
  script.judges = g_getenv ("FACET_SCRIPT_JUDGES") != NULL;
  application = facet_application_new (&script_backend, &script, facet_settings_get_default ());
  return g_application_run (G_APPLICATION (application), argc, argv);
}
