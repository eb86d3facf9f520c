#include "device.h"

#include <stdlib.h>

#include "backend/vulkan/vulkan.h"

gboolean
device_is_gpu (void)
{
  return g_strcmp0 (g_getenv ("FACET_TEST_BACKEND"), "vulkan") == 0;
}

static int
device_number (void)
{
  const char *wanted = g_getenv ("FACET_TEST_DEVICE");
  g_autoptr (GPtrArray) devices = facet_vulkan_devices ();

  for (guint i = 0; i < devices->len; i++) {
    const FacetDeviceInfo *info = g_ptr_array_index (devices, i);

    if (info->unfit == NULL && (wanted == NULL || atoi (wanted) == info->number))
      return info->number;
  }
  return 0;
}

gboolean
device_missing (void)
{
  return device_is_gpu () && device_number () == 0;
}

void
device_params (FacetModelParams *params)
{
  params->backend = device_is_gpu () ? FACET_BACKEND_VULKAN : FACET_BACKEND_CPU;
  params->device = device_is_gpu () ? device_number () : 0;
}

FacetBackend *
device_backend (int threads, gboolean exact)
{
  g_autoptr (GError) error = NULL;
  FacetBackend *backend = device_is_gpu () ? facet_vulkan_backend_new (device_number (), exact, &error) : facet_cpu_backend_new (threads, exact);

  g_assert_no_error (error);
  return backend;
}
