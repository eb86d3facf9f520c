#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "backend/vulkan/vulkan.h"

gboolean
device_is_gpu (void)
{
  return g_strcmp0 (g_getenv ("FACET_TEST_BACKEND"), "vulkan") == 0;
}

gboolean
device_rounds_halves (void)
{
  return device_is_gpu () && g_strcmp0 (g_getenv ("FACET_VULKAN_TIER"), "matrix") == 0;
}

/* The tier that a test is run for must be there. */
static gboolean
has_tier (const FacetDeviceInfo *info)
{
  return !device_rounds_halves () || strstr (info->features, "cooperative matrix") != NULL;
}

static int
device_number (void)
{
  const char *wanted = g_getenv ("FACET_TEST_DEVICE");
  g_autofree char *why_none = NULL;
  g_autoptr (GPtrArray) devices = facet_vulkan_devices (&why_none);

  for (guint i = 0; i < devices->len; i++) {
    const FacetDeviceInfo *info = g_ptr_array_index (devices, i);

    if (info->unfit == NULL && has_tier (info) && (wanted == NULL || atoi (wanted) == info->number))
      return info->number;
  }
  return 0;
}

gboolean
device_missing (void)
{
  if (!device_is_gpu () || device_number () > 0)
    return FALSE;
  /* As a plan, which is how TAP says it; the status stays 0. */
  g_print ("1..0 # SKIP there is no such device\n");
  return TRUE;
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
  FacetModelParams params = { .exact = exact };
  g_autoptr (GError) error = NULL;
  FacetBackend *backend = device_is_gpu () ? facet_vulkan_backend_new (device_number (), &params, &error) : facet_cpu_backend_new (threads, exact);

  g_assert_no_error (error);
  return backend;
}
