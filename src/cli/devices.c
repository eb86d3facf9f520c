#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "commands.h"
#include "options.h"
#include "report.h"

static const char *
member (JsonObject *device, const char *name)
{
  return json_object_get_string_member_with_default (device, name, "");
}

static const char *
kind_text (const char *kind)
{
  static const struct {
    const char *kind;
    const char *text;
  } kinds[] = {
    { "discrete", NC_ ("kind of graphics device", "discrete") },
    { "integrated", NC_ ("kind of graphics device", "integrated") },
    { "virtual", NC_ ("kind of graphics device", "virtual") },
    { "software", NC_ ("kind of graphics device", "software") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kind, kinds[i].kind))
      return g_dpgettext2 (NULL, "kind of graphics device", kinds[i].text);
  return C_ ("kind of graphics device", "other");
}

/* The engine's reasons are English; these are the known ones. */
static const char *
reason_text (const char *reason)
{
  static const char *const known[] = { N_("Vulkan 1.1 is missing"), N_("it computes nothing"), N_("16-bit storage is missing"),
                                       N_("its work groups are too small"), N_("this program was built without Vulkan"),
                                       N_("there is no Vulkan loader"), N_("there is no Vulkan driver"), NULL };

  return g_strv_contains (known, reason) ? _(reason) : reason;
}

static void
print_verdict (JsonObject *device)
{
  const char *unfit = member (device, "unfit");
  const char *self_test = member (device, "self_test"), *without = "works without ";

  if (*unfit != '\0')
    printf (_("  verdict: it cannot be used: %s\n"), reason_text (unfit));
  else if (*self_test == '\0')
    printf (_("  verdict: its self-test runs with the first model\n"));
  else if (g_str_equal (self_test, "works"))
    printf (_("  verdict: it works\n"));
  else if (g_str_has_prefix (self_test, without))
    /* Translators: %s is technical, such as "dot of Q4_0, matrix of F16" */
    printf (_("  verdict: it works, but without these programs: %s\n"), self_test + strlen (without));
  else
    /* Translators: %s is a technical message in English */
    printf (_("  verdict: its self-test failed: %s\n"), self_test);
  if (g_str_equal (member (device, "kind"), "software"))
    printf (_("  taken only if it is asked for\n"));
}

static void
print_heaps (JsonObject *device)
{
  JsonArray *heaps = json_object_get_array_member (device, "heaps");

  for (guint i = 0; i < json_array_get_length (heaps); i++) {
    JsonObject *heap = json_array_get_object_element (heaps, i);
    gboolean own = json_object_get_boolean_member (heap, "own");
    g_autofree char *size = report_bytes ((guint64) json_object_get_int_member (heap, "bytes"));
    g_autofree char *budget = report_bytes ((guint64) json_object_get_int_member_with_default (heap, "budget", 0));

    if (json_object_get_null_member (heap, "budget"))
      printf (own ? _("  memory: %s\n") : _("  memory of the processor: %s\n"), size);
    else
      printf (own ? _("  memory: %s, of which %s may be used now\n") : _("  memory of the processor: %s, of which %s may be used now\n"),
              size, budget);
  }
}

static void
print_device (JsonObject *device)
{
  const char *backend = member (device, "backend");
  int number = (int) json_object_get_int_member_with_default (device, "device", 0);

  if (g_str_equal (backend, "cpu")) {
    printf ("%s %d: %s\n", backend, number, member (device, "name"));
    return;
  }
  if (number == 0) {
    /* Translators: %s is why: “there is no Vulkan driver” */
    printf (_("no graphics device: %s\n"), reason_text (member (device, "unfit")));
    return;
  }
  printf ("%s %d: %s (%s)\n", backend, number, member (device, "name"), kind_text (member (device, "kind")));
  printf (_("  driver: %s; Vulkan %s\n"), member (device, "driver"), member (device, "vulkan"));
  print_heaps (device);
  printf (_("  features: %s\n"), member (device, "features"));
  print_verdict (device);
}

int
command_devices (int argc, char **argv)
{
  g_auto (Options) options;
  g_autofree char *text = NULL;

  options_init (&options);
  if (!options_parse (&options, OPTIONS_JSON, NULL, N_("Shows the processor and the graphics devices that models can run on."),
                      NULL, &argc, &argv))
    return EXIT_USAGE;
  text = facet_devices_describe ();
  if (options.json) {
    puts (text);
  } else {
    g_autoptr (JsonNode) root = json_from_string (text, NULL);
    JsonArray *devices = json_node_get_array (root);

    for (guint i = 0; i < json_array_get_length (devices); i++)
      print_device (json_array_get_object_element (devices, i));
  }
  return EXIT_OK;
}
