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
append_heaps (GString *out, const FacetDeviceInfo *d)
{
  g_string_append (out, ", \"heaps\": [");
  for (int i = 0; i < d->n_heaps; i++) {
    const FacetDeviceHeap *heap = &d->heaps[i];

    g_string_append_printf (out, "%s{\"bytes\": %" G_GUINT64_FORMAT ", \"own\": %s, \"budget\": ", i > 0 ? ", " : "", heap->size,
                            heap->own ? "true" : "false");
    if (heap->budget > 0)
      g_string_append_printf (out, "%" G_GUINT64_FORMAT "}", heap->budget);
    else
      g_string_append (out, "null}");
  }
  g_string_append_c (out, ']');
}

static void
append_device (GString *out, const FacetDeviceInfo *d)
{
  g_string_append_printf (out, ",\n {\"backend\": \"vulkan\", \"device\": %d", d->number);
  append_string (out, "name", d->name);
  append_string (out, "kind", facet_device_kind_name (d->kind));
  append_string (out, "driver", d->driver);
  append_string (out, "vulkan", d->api);
  g_string_append_printf (out, ", \"memory\": %" G_GUINT64_FORMAT, d->memory);
  append_heaps (out, d);
  append_string (out, "features", d->features);
  append_string (out, "unfit", d->unfit != NULL ? d->unfit : "");
  append_string (out, "self_test", d->self_test != NULL ? d->self_test : "");
  g_string_append (out, "}");
}

char *
facet_devices_describe (void)
{
  FacetBackend *cpu = facet_cpu_backend_new (0, FALSE);
  g_autofree char *why_none = NULL;
  g_autoptr (GPtrArray) devices = facet_vulkan_devices (&why_none);
  GString *out = g_string_new ("[{\"backend\": \"cpu\", \"device\": 0");

  append_string (out, "name", cpu->description);
  g_string_append (out, "}");
  for (guint i = 0; i < devices->len; i++)
    append_device (out, g_ptr_array_index (devices, i));
  if (why_none != NULL) {
    g_string_append (out, ",\n {\"backend\": \"vulkan\", \"device\": 0");
    append_string (out, "unfit", why_none);
    g_string_append (out, "}");
  }
  g_string_append (out, "]");
  cpu->klass->free (cpu);
  return g_string_free (out, FALSE);
}
