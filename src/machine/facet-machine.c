#define G_LOG_DOMAIN "facet"

#include "facet-machine.h"

#include <json-glib/json-glib.h>

#include "facet.h"

static void
graphics_device_free (gpointer data)
{
  FacetGraphicsDevice *device = data;

  g_free (device->id);
  g_free (device);
}

static const char *
member (JsonObject *device, const char *name)
{
  return json_object_get_string_member_with_default (device, name, "");
}

static gboolean
is_usable (JsonObject *device)
{
  return g_str_equal (member (device, "backend"), "vulkan") && *member (device, "unfit") == '\0' && *member (device, "name") != '\0';
}

/* Two cards of a kind have one name. */
static char *
make_id (GPtrArray *devices, const char *name)
{
  char *id = g_strdup (name);

  for (guint n = 2; facet_machine_find_graphics (devices, id) != 0; n++) {
    g_free (id);
    id = g_strdup_printf ("%s #%u", name, n);
  }
  return id;
}

GPtrArray *
facet_machine_graphics_in (const char *devices)
{
  g_autoptr (JsonNode) root = json_from_string (devices, NULL);
  JsonArray *array = root != NULL && JSON_NODE_HOLDS_ARRAY (root) ? json_node_get_array (root) : NULL;
  GPtrArray *found = g_ptr_array_new_with_free_func (graphics_device_free);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);
    FacetGraphicsDevice *device;

    if (!is_usable (object))
      continue;
    device = g_new (FacetGraphicsDevice, 1);
    *device = (FacetGraphicsDevice){
      .id = make_id (found, member (object, "name")),
      .number = (int) json_object_get_int_member_with_default (object, "device", 0),
      .software = g_str_equal (member (object, "kind"), "software"),
    };
    g_ptr_array_add (found, device);
  }
  return found;
}

GPtrArray *
facet_machine_graphics (void)
{
  g_autofree char *devices = facet_devices_describe ();

  return facet_machine_graphics_in (devices);
}

int
facet_machine_find_graphics (const GPtrArray *devices, const char *id)
{
  for (guint i = 0; i < devices->len; i++) {
    const FacetGraphicsDevice *device = devices->pdata[i];

    if (g_str_equal (device->id, id))
      return device->number;
  }
  return 0;
}

char *
facet_machine_find_gpu_in (const char *devices)
{
  g_autoptr (GPtrArray) found = facet_machine_graphics_in (devices);

  for (guint i = 0; i < found->len; i++) {
    const FacetGraphicsDevice *device = found->pdata[i];

    if (!device->software)
      return g_strdup (device->id);
  }
  return NULL;
}

char *
facet_machine_find_gpu (void)
{
  g_autofree char *devices = facet_devices_describe ();

  return facet_machine_find_gpu_in (devices);
}
