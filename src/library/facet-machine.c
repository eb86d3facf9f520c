#define G_LOG_DOMAIN "facet"

#include "facet-machine.h"

#include <json-glib/json-glib.h>

#include "facet.h"

static gboolean
is_usable (JsonObject *device)
{
  return g_str_equal (json_object_get_string_member_with_default (device, "backend", ""), "vulkan") &&
         !g_str_equal (json_object_get_string_member_with_default (device, "kind", ""), "software") &&
         *json_object_get_string_member_with_default (device, "unfit", "") == '\0';
}

char *
facet_machine_find_gpu_in (const char *devices)
{
  g_autoptr (JsonNode) root = json_from_string (devices, NULL);
  JsonArray *array = root != NULL && JSON_NODE_HOLDS_ARRAY (root) ? json_node_get_array (root) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *device = json_array_get_object_element (array, i);

    if (is_usable (device))
      return g_strdup (json_object_get_string_member_with_default (device, "name", ""));
  }
  return NULL;
}

char *
facet_machine_find_gpu (void)
{
  g_autofree char *devices = facet_devices_describe ();

  return facet_machine_find_gpu_in (devices);
}
