#include "config.h"

#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "report.h"

#define DEFAULT_MODEL "gemma-3-270m-q4_k_m.gguf"
/* What --device is until it is given: 0 is the processor's number. */
#define NO_DEVICE G_MININT

void
options_init (Options *options)
{
  *options = (Options){
    .device = NO_DEVICE,
    .temperature = -1,
    .top_k = -1,
    .top_p = -1,
    .min_p = -1,
    .repeat_penalty = -1,
    .seed = -1,
  };
}

void
options_clear (Options *options)
{
  g_clear_pointer (&options->model, g_free);
  g_clear_pointer (&options->mmproj, g_free);
}

static gboolean
parse_backend (const char *name, const char *value, gpointer data, GError **error)
{
  Options *options = data;
  static const char *const names[] = { "auto", "cpu", "vulkan" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (value, names[i])) {
      options->backend = (FacetBackendKind) i;
      return TRUE;
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _("“%s” is no backend; use auto, cpu or vulkan"), value);
  return FALSE;
}

static gboolean
parse_kv (const char *name, const char *value, gpointer data, GError **error)
{
  Options *options = data;

  if (g_str_equal (value, "f16")) {
    options->kv_type = FACET_KV_F16;
    return TRUE;
  }
  if (g_str_equal (value, "q8_0")) {
    options->kv_type = FACET_KV_Q8_0;
    return TRUE;
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _("“%s” is no cache type; use f16 or q8_0"), value);
  return FALSE;
}

static gboolean
parse_pan_and_scan (const char *name, const char *value, gpointer data, GError **error)
{
  Options *options = data;
  static const char *const names[] = { "auto", "on", "off" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (value, names[i])) {
      options->pan_and_scan = (FacetPanAndScan) i;
      return TRUE;
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _("“%s” is none of auto, on and off"), value);
  return FALSE;
}

/* A number of bytes, or of KiB, MiB or GiB with a K, M or G behind it. */
static gboolean
parse_device_memory (const char *name, const char *value, gpointer data, GError **error)
{
  static const char units[] = "KMG";
  Options *options = data;
  char *end;
  guint64 number = g_ascii_isdigit (*value) ? g_ascii_strtoull (value, &end, 10) : 0;
  const char *unit = number > 0 && *end != '\0' ? strchr (units, g_ascii_toupper (*end)) : NULL;
  int shift = unit != NULL ? 10 * (int) (unit - units + 1) : 0;

  if (number == 0 || end[unit != NULL] != '\0' || number > (G_MAXUINT64 >> 1 >> shift)) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _("“%s” is no amount of memory; write it as 512M or 4G"), value);
    return FALSE;
  }
  options->device_memory = number << shift;
  return TRUE;
}

/* @whole: also what does not decide where the model runs. */
static GOptionGroup *
model_group (Options *options, gboolean whole)
{
  const GOptionEntry general[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &options->model, N_("Model to use (GGUF); default: $FACET_MODEL, else the one that ./run fetched"), N_("FILE") },
    { "pan-and-scan", 0, 0, G_OPTION_ARG_CALLBACK, parse_pan_and_scan, N_("Show wide and tall pictures in parts, too: auto, on or off; Gemma 3 only"), N_("WHEN") },
    { "image-detail", 0, 0, G_OPTION_ARG_INT, &options->image_detail, N_("Most tokens that a picture may take: 70, 140, 280, 560 or 1120; Gemma 4 only"), N_("N") },
    { "exact", 0, 0, G_OPTION_ARG_NONE, &options->exact, N_("Keep activations in floating point: slow, for checking"), NULL },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry where[] = {
    { "mmproj", 0, 0, G_OPTION_ARG_FILENAME, &options->mmproj, N_("Projector with the picture or sound encoder"), N_("FILE") },
    { "ctx", 'c', 0, G_OPTION_ARG_INT, &options->context, N_("Context in tokens; default: the model's own, at most 4096"), N_("N") },
    { "threads", 't', 0, G_OPTION_ARG_INT, &options->threads, N_("Processor threads; default: physical cores"), N_("N") },
    { "backend", 0, 0, G_OPTION_ARG_CALLBACK, parse_backend, N_("auto, cpu or vulkan"), N_("NAME") },
    { "device", 0, 0, G_OPTION_ARG_INT, &options->device, N_("Device as numbered by “facet-cli devices”"), N_("N") },
    { "device-memory", 0, 0, G_OPTION_ARG_CALLBACK, parse_device_memory, N_("Most memory to use of a graphics device, such as 4G; default: what it has left"), N_("SIZE") },
    { "kv", 0, 0, G_OPTION_ARG_CALLBACK, parse_kv, N_("Precision of the attention cache: f16 or q8_0"), N_("TYPE") },
    G_OPTION_ENTRY_NULL
  };
  GOptionGroup *group = g_option_group_new ("model", _("Model options:"), _("Show the model options"), options, NULL);

  if (whole)
    g_option_group_add_entries (group, general);
  g_option_group_add_entries (group, where);
  g_option_group_set_translation_domain (group, GETTEXT_PACKAGE);
  return group;
}

static GOptionGroup *
sampling_group (Options *options)
{
  const GOptionEntry entries[] = {
    { "temp", 0, 0, G_OPTION_ARG_DOUBLE, &options->temperature, N_("Temperature; 0 always takes the likeliest token"), N_("X") },
    { "top-k", 0, 0, G_OPTION_ARG_INT, &options->top_k, N_("Choose among the K likeliest tokens; 0: all"), N_("K") },
    { "top-p", 0, 0, G_OPTION_ARG_DOUBLE, &options->top_p, N_("Choose among the likeliest tokens that together reach this probability"), N_("X") },
    { "min-p", 0, 0, G_OPTION_ARG_DOUBLE, &options->min_p, N_("Leave out tokens less likely than this share of the likeliest"), N_("X") },
    { "repeat-penalty", 0, 0, G_OPTION_ARG_DOUBLE, &options->repeat_penalty, N_("Make tokens that occurred lately less likely; 1: off"), N_("X") },
    { "seed", 's', 0, G_OPTION_ARG_INT64, &options->seed, N_("Same seed, same answer; default: a fresh one"), N_("N") },
    G_OPTION_ENTRY_NULL
  };
  GOptionGroup *group
      = g_option_group_new ("sampling", _("Sampling options (default: what the model recommends):"), _("Show the sampling options"), NULL, NULL);

  g_option_group_add_entries (group, entries);
  g_option_group_set_translation_domain (group, GETTEXT_PACKAGE);
  return group;
}

static gboolean
check_ranges (const Options *options, const char **complaint)
{
  *complaint = NULL;
  if (options->context < 0)
    *complaint = _("--ctx must not be negative");
  else if (options->threads < 0 || options->threads > 1024)
    *complaint = _("--threads must be between 0 and 1024");
  else if (options->image_detail < 0)
    *complaint = _("--image-detail must not be negative");
  else if (options->device < 0 && options->device != NO_DEVICE)
    *complaint = _("--device must not be negative");
  else if (isnan (options->temperature) || options->temperature > 100)
    *complaint = _("--temp must be between 0 and 100");
  else if (isnan (options->top_p) || options->top_p > 1)
    *complaint = _("--top-p must be between 0 and 1");
  else if (isnan (options->min_p) || options->min_p > 1)
    *complaint = _("--min-p must be between 0 and 1");
  else if (isnan (options->repeat_penalty) || options->repeat_penalty > 100)
    *complaint = _("--repeat-penalty must be between 0 and 100");
  return *complaint == NULL;
}

/* A number tells the backend, too. From here on 0 is for the backend to choose. */
static gboolean
settle_device (Options *options, const char **complaint)
{
  FacetBackendKind kind = options->device == 0 ? FACET_BACKEND_CPU : FACET_BACKEND_VULKAN;

  *complaint = NULL;
  if (options->device == NO_DEVICE)
    options->device = 0;
  else if (options->backend == FACET_BACKEND_AUTO)
    options->backend = kind;
  else if (options->backend != kind)
    *complaint = kind == FACET_BACKEND_CPU ? _("--device 0 is the processor; the graphics devices that “facet-cli devices” lists begin with 1")
                                           : _("--backend cpu has no device but 0");
  return *complaint == NULL;
}

static char *
default_model (void)
{
  const char *given = g_getenv ("FACET_MODEL");

  if (given != NULL && given[0] != '\0')
    return g_strdup (given);
  return g_build_filename (g_get_user_data_dir (), "facet", "models", DEFAULT_MODEL, NULL);
}

void
options_complain (const char *command, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  report_sentence ("%s: %s\n", command, message);
  g_printerr (_("“%s --help” shows all options.\n"), command);
}

static GOptionContext *
make_context (Options            *options,
              OptionsWanted       wanted,
              const char         *parameters,
              const char         *summary,
              const GOptionEntry *entries,
              gboolean           *help)
{
  const GOptionEntry help_entry[] = {
    { "help", 'h', 0, G_OPTION_ARG_NONE, help, N_("Show this help"), NULL },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry json_entry[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, N_("Print the result as JSON"), NULL },
    G_OPTION_ENTRY_NULL
  };
  GOptionContext *context = g_option_context_new (parameters);

  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, N_("Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."));
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (wanted & OPTIONS_JSON)
    g_option_context_add_main_entries (context, json_entry, GETTEXT_PACKAGE);
  /* GLib's own help hides the groups that matter most here. */
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, help_entry, GETTEXT_PACKAGE);
  if (wanted & (OPTIONS_MODEL | OPTIONS_DEVICE))
    g_option_context_add_group (context, model_group (options, (wanted & OPTIONS_MODEL) != 0));
  if (wanted & OPTIONS_SAMPLING)
    g_option_context_add_group (context, sampling_group (options));
  return context;
}

static void
print_help (GOptionContext *context)
{
  g_autofree char *text = g_option_context_get_help (context, FALSE, NULL);

  fputs (text, stdout);
}

/* GLib leaves it where a name that begins with a dash follows. */
static void
drop_separator (int *argc, char **argv)
{
  if (*argc < 2 || !g_str_equal (argv[1], "--"))
    return;
  memmove (argv + 1, argv + 2, (gsize) (*argc - 1) * sizeof *argv);
  (*argc)--;
}

gboolean
options_parse (Options            *options,
               OptionsWanted       wanted,
               const char         *parameters,
               const char         *summary,
               const GOptionEntry *entries,
               int                *argc,
               char             ***argv)
{
  gboolean help = FALSE;
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *command = g_strdup_printf ("facet-cli %s", (*argv)[0]);
  const char *complaint;

  g_set_prgname (command);
  context = make_context (options, wanted, parameters, summary, entries, &help);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    options_complain (command, "%s", error->message);
    return FALSE;
  }
  drop_separator (argc, *argv);
  if (help) {
    print_help (context);
    exit (fflush (stdout) == 0 ? EXIT_OK : EXIT_FAILED);
  }
  if (!check_ranges (options, &complaint) || !settle_device (options, &complaint)) {
    options_complain (command, "%s", complaint);
    return FALSE;
  }
  if (parameters == NULL && *argc > 1) {
    options_complain (command, _("unexpected argument “%s”"), (*argv)[1]);
    return FALSE;
  }
  if ((wanted & OPTIONS_MODEL) && options->model == NULL)
    options->model = default_model ();
  return TRUE;
}
