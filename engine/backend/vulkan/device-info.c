#include "backend/vulkan/vulkan.h"

void
facet_device_info_free (FacetDeviceInfo *info)
{
  g_free (info->name);
  g_free (info->driver);
  g_free (info->api);
  g_free (info->features);
  g_free (info->unfit);
  g_free (info->self_test);
  g_free (info);
}

const char *
facet_device_kind_name (FacetDeviceKind kind)
{
  static const char *const names[] = { "discrete", "integrated", "virtual", "software", "other" };

  return names[kind];
}
