#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "json.h"
#include "options.h"
#include "report.h"

#define USUAL_CONTEXT 4096

static void
print_plan (const FacetMemoryPlan *plan, int context)
{
  g_autofree char *weights = report_bytes (plan->weights), *lookup = report_bytes (plan->lookup);
  g_autofree char *cache = report_bytes (plan->kv_cache), *compute = report_bytes (plan->compute);
  g_autofree char *total = report_bytes (plan->total), *available = report_bytes (plan->available);

  printf (_("\nMemory for a context of %d tokens:\n"), context);
  printf (_("  weights %s, attention cache %s, work space %s: %s of %s that may be taken now\n"), weights, cache, compute,
          total, available);
  if (plan->lookup > 0)
    printf (_("  besides, %s are read from the file row by row\n"), lookup);
}

static char *
plan_json (const FacetMemoryPlan *plan, int context)
{
  GString *json = g_string_new ("{");

  json_integer (json, "context", context);
  json_integer (json, "weights", (gint64) plan->weights);
  json_integer (json, "lookup", (gint64) plan->lookup);
  json_integer (json, "kv_cache", (gint64) plan->kv_cache);
  json_integer (json, "compute", (gint64) plan->compute);
  json_integer (json, "total", (gint64) plan->total);
  json_integer (json, "available", (gint64) plan->available);
  json_close (json, '}');
  return g_string_free (json, FALSE);
}

/* What the file is; if it is a model that runs here, what running it takes. */
static void
print_description (const char *path, const char *text, const Options *options)
{
  int context = options->context > 0 ? options->context : USUAL_CONTEXT;
  FacetMemoryPlan plan;
  gboolean runs = facet_plan_memory (path, options->mmproj, context, options->kv_type, &plan, NULL);

  if (options->json && runs) {
    g_autofree char *json = plan_json (&plan, context);

    printf ("{\n  \"memory\": %s,%s", json, text + 1);
  } else {
    fputs (text, stdout);
  }
  if (!g_str_has_suffix (text, "\n"))
    fputc ('\n', stdout);
  if (!options->json && runs)
    print_plan (&plan, context);
}

int
command_inspect (int argc, char **argv)
{
  g_auto (Options) options;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  GOptionEntry entries[] = {
    { "ctx", 0, 0, G_OPTION_ARG_INT, &options.context, N_("Tokens of context to plan memory for (usually 4096)"), N_("N") },
    { "mmproj", 0, 0, G_OPTION_ARG_FILENAME, &options.mmproj, N_("Projector to plan memory for"), N_("FILE") },
    { NULL },
  };

  options_init (&options);
  if (!options_parse (&options, OPTIONS_JSON, N_("FILE"), N_("Shows the metadata and the tensors of any GGUF file, and the memory that a model takes."),
                      entries, &argc, &argv))
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
  print_description (argv[1], text, &options);
  return EXIT_OK;
}
