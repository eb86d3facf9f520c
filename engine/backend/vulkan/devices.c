#include "backend/vulkan/vk.h"

#include <string.h>

/* What the shaders take for granted, beyond what Vulkan 1.1 guarantees. */
#define MIN_SHARED (16 * 1024)
#define MIN_INVOCATIONS 256

typedef struct {
  VkPhysicalDeviceProperties2 properties;
  VkPhysicalDeviceMaintenance3Properties maintenance;
  VkPhysicalDeviceSubgroupProperties subgroup;
  VkPhysicalDeviceDriverProperties driver;
  VkPhysicalDeviceShaderIntegerDotProductProperties dot;
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT host;
  VkPhysicalDeviceFeatures2 features;
  VkPhysicalDevice16BitStorageFeatures storage16;
  VkPhysicalDeviceShaderFloat16Int8Features float16;
  VkPhysicalDeviceMemoryProperties2 memory;
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget;
  VkExtensionProperties *extensions;
  guint32 n_extensions;
} Answers;

static FacetDeviceKind
kind_of (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return FACET_DEVICE_DISCRETE;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return FACET_DEVICE_INTEGRATED;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return FACET_DEVICE_VIRTUAL;
  case VK_PHYSICAL_DEVICE_TYPE_CPU: return FACET_DEVICE_SOFTWARE;
  default: return FACET_DEVICE_OTHER;
  }
}

static gboolean
has_extension (const Answers *a, const char *name)
{
  for (guint32 i = 0; i < a->n_extensions; i++)
    if (g_str_equal (a->extensions[i].extensionName, name))
      return TRUE;
  return FALSE;
}

/* Extensions that the driver does not know leave their structs as they are. */
static void
ask (const FacetVkFunctions *f, VkPhysicalDevice physical, Answers *a)
{
  *a = (Answers) {
    .properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &a->maintenance },
    .maintenance = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &a->subgroup },
    .subgroup = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES },
    .driver = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES },
    .dot = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES },
    .host = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT },
    .features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &a->storage16 },
    .storage16 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES },
    .float16 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES },
    .memory = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 },
    .budget = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT },
  };
  f->EnumerateDeviceExtensionProperties (physical, NULL, &a->n_extensions, NULL);
  a->extensions = g_new0 (VkExtensionProperties, a->n_extensions + 1);
  f->EnumerateDeviceExtensionProperties (physical, NULL, &a->n_extensions, a->extensions);
  if (has_extension (a, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) {
    a->driver.pNext = a->properties.pNext;
    a->properties.pNext = &a->driver;
  }
  if (has_extension (a, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)) {
    a->dot.pNext = a->properties.pNext;
    a->properties.pNext = &a->dot;
  }
  if (has_extension (a, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) {
    a->host.pNext = a->properties.pNext;
    a->properties.pNext = &a->host;
  }
  if (has_extension (a, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) {
    a->float16.pNext = a->features.pNext;
    a->features.pNext = &a->float16;
  }
  if (has_extension (a, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME))
    a->memory.pNext = &a->budget;
  f->GetPhysicalDeviceProperties2 (physical, &a->properties);
  f->GetPhysicalDeviceFeatures2 (physical, &a->features);
  f->GetPhysicalDeviceMemoryProperties2 (physical, &a->memory);
}

static char *
list_features (const Answers *a, const FacetVkTraits *traits)
{
  GString *text = g_string_new (NULL);
  const struct { gboolean there; const char *name; } all[] = {
    { a->float16.shaderFloat16, "float16" },
    { a->dot.integerDotProduct4x8BitPackedSignedAccelerated, "integer dot product" },
    { has_extension (a, VK_KHR_8BIT_STORAGE_EXTENSION_NAME), "8-bit storage" },
    { has_extension (a, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME), "subgroup size control" },
    { has_extension (a, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME), "buffer device address" },
    { has_extension (a, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME), "timeline semaphore" },
    { has_extension (a, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME), "external host memory" },
    { has_extension (a, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME), "memory budget" },
  };

  g_string_append_printf (text, "subgroup of %u", a->subgroup.subgroupSize);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].there)
      g_string_append_printf (text, ", %s", all[i].name);
  if (traits->matrix.m > 0)
    g_string_append_printf (text, ", cooperative matrix of %ux%ux%u", traits->matrix.m, traits->matrix.n, traits->matrix.k);
  return g_string_free (text, FALSE);
}

static void
list_heaps (const Answers *a, FacetDeviceInfo *info)
{
  const VkPhysicalDeviceMemoryProperties *m = &a->memory.memoryProperties;

  info->n_heaps = (int) MIN (m->memoryHeapCount, FACET_MAX_HEAPS);
  for (int i = 0; i < info->n_heaps; i++) {
    gboolean own = (m->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;

    info->heaps[i] = (FacetDeviceHeap) { m->memoryHeaps[i].size, a->budget.heapBudget[i], own };
    info->memory += own ? m->memoryHeaps[i].size : 0;
  }
}

static gboolean
find_family (const FacetVkFunctions *f, VkPhysicalDevice physical, guint32 *family)
{
  guint32 n = 0;
  g_autofree VkQueueFamilyProperties *families = NULL;

  f->GetPhysicalDeviceQueueFamilyProperties (physical, &n, NULL);
  families = g_new0 (VkQueueFamilyProperties, n + 1);
  f->GetPhysicalDeviceQueueFamilyProperties (physical, &n, families);
  /* One that draws nothing is free for computing while the desktop draws. */
  for (int pass = 0; pass < 2; pass++)
    for (guint32 i = 0; i < n; i++)
      if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) && (pass == 1 || !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT))) {
        *family = i;
        return TRUE;
      }
  return FALSE;
}

static const char *
why_unfit (const Answers *a, gboolean has_queue)
{
  const VkPhysicalDeviceLimits *l = &a->properties.properties.limits;

  if (a->properties.properties.apiVersion < VK_API_VERSION_1_1)
    return "Vulkan 1.1 is missing";
  if (!has_queue)
    return "it computes nothing";
  if (!a->storage16.storageBuffer16BitAccess)
    return "16-bit storage is missing";
  if (l->maxPerStageDescriptorStorageBuffers < FACET_VK_BINDINGS || l->maxComputeSharedMemorySize < MIN_SHARED
      || l->maxComputeWorkGroupInvocations < MIN_INVOCATIONS || l->maxComputeWorkGroupSize[0] < MIN_INVOCATIONS)
    return "its work groups are too small";
  return NULL;
}

static FacetVkProbe
probe (const FacetVkFunctions *f, VkPhysicalDevice physical)
{
  Answers a;
  const VkPhysicalDeviceProperties *p = &a.properties.properties;
  const VkPhysicalDeviceLimits *l = &p->limits;
  FacetVkProbe self = { .physical = physical };
  g_autofree char *key = NULL;

  ask (f, physical, &a);
  self.traits = facet_vk_traits (f, physical, a.extensions, a.n_extensions);
  self.info = g_new0 (FacetDeviceInfo, 1);
  self.info->name = g_strdup (p->deviceName);
  self.info->driver = a.driver.driverName[0] != '\0' ? g_strdup_printf ("%s, %s", a.driver.driverName, a.driver.driverInfo)
                                                     : g_strdup_printf ("%u", p->driverVersion);
  self.info->api = g_strdup_printf ("%u.%u.%u", VK_API_VERSION_MAJOR (p->apiVersion), VK_API_VERSION_MINOR (p->apiVersion),
                                    VK_API_VERSION_PATCH (p->apiVersion));
  self.info->kind = kind_of (p->deviceType);
  list_heaps (&a, self.info);
  self.info->features = list_features (&a, &self.traits);
  self.info->unfit = g_strdup (why_unfit (&a, find_family (f, physical, &self.family)));
  key = facet_vk_cache_key (f, physical);
  self.info->self_test = facet_vk_verdict (key);
  self.has_budget = has_extension (&a, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  self.import_alignment = a.host.minImportedHostPointerAlignment;
  /* Shaders count bytes in 32 bits. */
  self.limits = (FacetVkLimits) {
    .range = MIN (l->maxStorageBufferRange, 1u << 31),
    .allocation = a.maintenance.maxMemoryAllocationSize,
    .alignment = MAX (l->minStorageBufferOffsetAlignment, 16),
    .groups_y = l->maxComputeWorkGroupCount[1],
    .shared = l->maxComputeSharedMemorySize,
  };
  g_free (a.extensions);
  return self;
}

static int
compare_probes (gconstpointer a, gconstpointer b)
{
  const FacetDeviceInfo *x = ((const FacetVkProbe *) a)->info, *y = ((const FacetVkProbe *) b)->info;

  if ((x->unfit != NULL) != (y->unfit != NULL))
    return x->unfit != NULL ? 1 : -1;
  if (x->kind != y->kind)
    return (int) x->kind - (int) y->kind;
  return x->memory < y->memory ? 1 : x->memory > y->memory ? -1 : 0;
}

static void
probe_clear (gpointer data)
{
  g_clear_pointer (&((FacetVkProbe *) data)->info, facet_device_info_free);
}

GArray *
facet_vk_probe_all (FacetVkInstance *instance)
{
  GArray *all = g_array_new (FALSE, TRUE, sizeof (FacetVkProbe));
  g_autofree VkPhysicalDevice *devices = NULL;
  guint32 n = 0;

  g_array_set_clear_func (all, probe_clear);
  instance->f.EnumeratePhysicalDevices (instance->instance, &n, NULL);
  devices = g_new0 (VkPhysicalDevice, n + 1);
  if (instance->f.EnumeratePhysicalDevices (instance->instance, &n, devices) != VK_SUCCESS)
    n = 0;
  for (guint32 i = 0; i < n; i++) {
    FacetVkProbe one = probe (&instance->f, devices[i]);

    g_array_append_val (all, one);
  }
  g_array_sort (all, compare_probes);
  for (guint i = 0; i < all->len; i++)
    g_array_index (all, FacetVkProbe, i).info->number = (int) i + 1;
  return all;
}

FacetVkProbe *
facet_vk_pick (GArray *all, int number, GError **error)
{
  FacetVkProbe *one = NULL;

  for (guint i = 0; i < all->len && one == NULL; i++) {
    FacetVkProbe *probe = &g_array_index (all, FacetVkProbe, i);

    if (number > 0 ? probe->info->number == number
                   : probe->info->unfit == NULL && probe->info->kind <= FACET_DEVICE_VIRTUAL)
      one = probe;
  }
  if (one == NULL && number > 0)
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "Vulkan: there is no device %d", number);
  else if (one == NULL)
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "Vulkan: none of %u devices is a graphics processor that fits", all->len);
  else if (one->info->unfit != NULL)
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "Vulkan: %s cannot be used: %s", one->info->name, one->info->unfit);
  return one != NULL && one->info->unfit == NULL ? one : NULL;
}

GPtrArray *
facet_vulkan_devices (char **why_none)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_device_info_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) all = NULL;
  FacetVkInstance instance;

  *why_none = NULL;
  if (!facet_vk_instance_open (&instance, &error)) {
    *why_none = g_strdup (error->message);
    return infos;
  }
  all = facet_vk_probe_all (&instance);
  for (guint i = 0; i < all->len; i++)
    g_ptr_array_add (infos, g_steal_pointer (&g_array_index (all, FacetVkProbe, i).info));
  facet_vk_instance_close (&instance);
  if (infos->len == 0)
    *why_none = g_strdup (FACET_VK_NO_DRIVER);
  return infos;
}
