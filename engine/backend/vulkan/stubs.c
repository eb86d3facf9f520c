/* In place of everything else when built without Vulkan. */
#include "backend/vulkan/vulkan.h"

GPtrArray *
facet_vulkan_devices (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) facet_device_info_free);
}

FacetBackend *
facet_vulkan_backend_new (int device, gboolean exact, GError **error)
{
  g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "this program was built without Vulkan");
  return NULL;
}
