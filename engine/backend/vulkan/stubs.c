/* In place of everything else when built without Vulkan. */
#include "backend/vulkan/vulkan.h"

#define WHY "this program was built without Vulkan"

GPtrArray *
facet_vulkan_devices (char **why_none)
{
  *why_none = g_strdup (WHY);
  return g_ptr_array_new_with_free_func ((GDestroyNotify) facet_device_info_free);
}

FacetBackend *
facet_vulkan_backend_new (int device, const FacetModelParams *params, GError **error)
{
  g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "%s", WHY);
  return NULL;
}
