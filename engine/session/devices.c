#include "facet.h"

#include "backend/backend.h"
#include "backend/vulkan/vulkan.h"

/* As a JSON string. */
static void
append_string (GString *out, const char *key, const char *value)
{
  g_string_append_printf (out, ", \"%s\": \"", key);
  for (const char *c = value; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (out, "\\%c", *c);
    else if ((guchar) *c >= 0x20)
      g_string_append_c (out, *c);
  g_string_append_c (out, '"');
}

static void
append_json (GString *out, const FacetDeviceInfo *d)
{
  g_string_append_printf (out, ",\n {\"backend\": \"vulkan\", \"device\": %d", d->number);
  append_string (out, "name", d->name);
  append_string (out, "kind", facet_device_kind_name (d->kind));
  append_string (out, "driver", d->driver);
  append_string (out, "vulkan", d->api);
  g_string_append_printf (out, ", \"memory\": %" G_GUINT64_FORMAT, d->memory);
  append_string (out, "features", d->features);
  append_string (out, "unfit", d->unfit != NULL ? d->unfit : "");
  append_string (out, "self_test", d->self_test != NULL ? d->self_test : "");
  g_string_append (out, "}");
}

static void
append_text (GString *out, const FacetDeviceInfo *d)
{
  g_string_append_printf (out, "\nvulkan %d: %s (%s)\n", d->number, d->name, facet_device_kind_name (d->kind));
  g_string_append_printf (out, "  driver: %s; Vulkan %s\n", d->driver, d->api);
  g_string_append_printf (out, "  memory: %.1f GiB\n", (double) d->memory / (1 << 30));
  g_string_append_printf (out, "  features: %s\n", d->features);
  if (d->unfit != NULL)
    g_string_append_printf (out, "  verdict: unfit, %s", d->unfit);
  else
    g_string_append_printf (out, "  verdict: %s%s", d->self_test != NULL ? d->self_test : "its self-test runs with the first model",
                            d->kind == FACET_DEVICE_SOFTWARE ? "; only if asked for" : "");
}

char *
facet_devices_describe (gboolean json)
{
  FacetBackend *cpu = facet_cpu_backend_new (0, FALSE);
  g_autoptr (GPtrArray) devices = facet_vulkan_devices ();
  GString *out = g_string_new (NULL);

  if (json) {
    g_string_append (out, "[{\"backend\": \"cpu\", \"device\": 0");
    append_string (out, "name", cpu->description);
    g_string_append (out, "}");
  } else {
    g_string_append_printf (out, "cpu 0: %s", cpu->description);
  }
  for (guint i = 0; i < devices->len; i++)
    (json ? append_json : append_text) (out, g_ptr_array_index (devices, i));
  if (json)
    g_string_append (out, "]");
  cpu->klass->free (cpu);
  return g_string_free (out, FALSE);
}
