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

static void
print_share (const FacetShare *share, int first, int layers)
{
  g_autofree char *weights = report_bytes (share->weights), *cache = report_bytes (share->kv_cache), *compute = report_bytes (share->compute);

  if (share->layers > 0)
    printf (_("  %s: layers %d to %d of %d; weights %s, attention cache %s, work space %s\n"), share->name, first, first + share->layers - 1,
            layers, weights, cache, compute);
}

static void
print_placement (const FacetPlacement *placement)
{
  g_autofree char *room = report_bytes (placement->room), *encoders = report_bytes (placement->encoders);

  printf (_("\nWhere it runs:\n"));
  print_share (&placement->processor, 1, placement->layers);
  print_share (&placement->device, placement->processor.layers + 1, placement->layers);
  if (placement->device.name == NULL)
    return;
  if (placement->device.layers == 0)
    printf (_("  %s: no layer fits\n"), placement->device.name);
  if (placement->encoders > 0)
    printf (_("  of the graphics device %s may be used; %s of it are kept for pictures and sound\n"), room, encoders);
  else
    printf (_("  of the graphics device %s may be used\n"), room);
}

static void
share_json (GString *json, const char *name, const FacetShare *share)
{
  json_open (json, name, '{');
  json_string (json, "name", share->name, -1);
  json_integer (json, "layers", share->layers);
  json_integer (json, "weights", (gint64) share->weights);
  json_integer (json, "kv_cache", (gint64) share->kv_cache);
  json_integer (json, "compute", (gint64) share->compute);
  json_close (json, '}');
}

static char *
placement_json (const FacetPlacement *placement)
{
  GString *json = g_string_new ("{");

  json_integer (json, "layers", placement->layers);
  share_json (json, "processor", &placement->processor);
  if (placement->device.name != NULL) {
    share_json (json, "device", &placement->device);
    json_integer (json, "room", (gint64) placement->room);
    json_integer (json, "encoders", (gint64) placement->encoders);
  }
  json_close (json, '}');
  return g_string_free (json, FALSE);
}

/* What the file is; if it is a model that runs here, what running it takes and
 * where. */
static int
print_description (const char *text, const Options *options)
{
  int context = options->context > 0 ? options->context : USUAL_CONTEXT;
  FacetMemoryPlan plan;
  FacetPlacement placement;
  gboolean runs = facet_plan_memory (options->model, options->mmproj, context, options->kv_type, &plan, NULL);
  g_autoptr (FacetModel) model = runs ? options_load_model (options, NULL) : NULL;

  if (model != NULL)
    facet_model_foresee (model, context, options->kv_type, &placement);
  if (options->json && runs) {
    g_autofree char *json = plan_json (&plan, context), *where = model != NULL ? placement_json (&placement) : g_strdup ("null");

    printf ("{\n  \"memory\": %s,\n  \"placement\": %s,%s", json, where, text + 1);
  } else {
    fputs (text, stdout);
  }
  if (!g_str_has_suffix (text, "\n"))
    fputc ('\n', stdout);
  if (!options->json && runs)
    print_plan (&plan, context);
  if (!options->json && model != NULL)
    print_placement (&placement);
  return runs && model == NULL ? EXIT_FAILED : EXIT_OK;
}

int
command_inspect (int argc, char **argv)
{
  g_auto (Options) options;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  options_init (&options);
  if (!options_parse (&options, OPTIONS_JSON | OPTIONS_DEVICE, N_("FILE"),
                      N_("Shows the metadata and the tensors of any GGUF file, the memory that a model takes, and where it would run."),
                      NULL, &argc, &argv))
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
  options.model = g_strdup (argv[1]);
  return print_description (text, &options);
}
