/* Devices that are made up: which are refused, which comes first, what each is
 * opened with. No driver is needed. */
#include "backend/vulkan/vk.h"

#include <string.h>

#define MiB ((guint64) 1 << 20)
#define N_EXTENSIONS 12

typedef struct {
  const char          *name;
  VkPhysicalDeviceType type;
  guint64              memory, budget, allocation;
  guint32              api, range, invocations, shared, bindings, alignment;
  VkQueueFlags         queues[2];
  gboolean             storage16, dot, dot_is_fast, subgroups, float16, memory_model, matrix;
  const char          *extensions[N_EXTENSIONS];
} Made;

/* The least that fits, with which every device below begins. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LEAST .memory = 4096 * MiB, .budget = 4096 * MiB, .allocation = 1024 * MiB, .api = VK_API_VERSION_1_1, .range = 128 * MiB, \
              .invocations = 256, .shared = 16384, .bindings = 8, .alignment = 256, .queues = { VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT }, \
              .storage16 = TRUE

static const VkCooperativeMatrixPropertiesKHR matrices[] = {
  /* Of other types, of another scope, too large, and two that fit. */
  { 0, NULL, 16, 16, 32, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, FALSE,
    VK_SCOPE_SUBGROUP_KHR },
  { 0, NULL, 16, 16, 16, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, FALSE,
    (VkScopeKHR) 2 },
  { 0, NULL, 64, 64, 16, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, FALSE,
    VK_SCOPE_SUBGROUP_KHR },
  { 0, NULL, 8, 8, 16, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, FALSE,
    VK_SCOPE_SUBGROUP_KHR },
  { 0, NULL, 16, 8, 16, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT16_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, VK_COMPONENT_TYPE_FLOAT32_KHR, FALSE,
    VK_SCOPE_SUBGROUP_KHR },
};

static const Made *const *made; /* ends with NULL */

/* ---- the functions of a driver ---- */

static VKAPI_ATTR VkResult VKAPI_CALL
enumerate_devices (VkInstance instance, uint32_t *n, VkPhysicalDevice *devices)
{
  uint32_t there = 0;

  for (; made[there] != NULL; there++)
    if (devices != NULL)
      devices[there] = (VkPhysicalDevice) (gpointer) made[there];
  *n = there;
  return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
enumerate_extensions (VkPhysicalDevice physical, const char *layer, uint32_t *n, VkExtensionProperties *extensions)
{
  const Made *m = (const Made *) (gpointer) physical;

  for (*n = 0; m->extensions[*n] != NULL; (*n)++)
    if (extensions != NULL)
      g_strlcpy (extensions[*n].extensionName, m->extensions[*n], VK_MAX_EXTENSION_NAME_SIZE);
  return VK_SUCCESS;
}

/* A driver must not be asked for what it has not heard of. */
static void
require_extension (const Made *m, const char *name)
{
  for (int i = 0; m->extensions[i] != NULL; i++)
    if (g_str_equal (m->extensions[i], name))
      return;
  g_error ("%s was asked for what %s brings", m->name, name);
}

static VKAPI_ATTR void VKAPI_CALL
get_properties (VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *out)
{
  const Made *m = (const Made *) (gpointer) physical;
  VkPhysicalDeviceLimits *l = &out->properties.limits;

  out->properties.apiVersion = m->api;
  out->properties.deviceType = m->type;
  g_strlcpy (out->properties.deviceName, m->name, VK_MAX_PHYSICAL_DEVICE_NAME_SIZE);
  l->maxStorageBufferRange = m->range;
  l->maxComputeWorkGroupInvocations = l->maxComputeWorkGroupSize[0] = m->invocations;
  l->maxComputeWorkGroupCount[1] = 65535;
  l->maxComputeSharedMemorySize = m->shared;
  l->maxPerStageDescriptorStorageBuffers = m->bindings;
  l->minStorageBufferOffsetAlignment = m->alignment;
  for (VkBaseOutStructure *s = out->pNext; s != NULL; s = s->pNext)
    switch (s->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES:
      ((VkPhysicalDeviceMaintenance3Properties *) s)->maxMemoryAllocationSize = m->allocation;
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES: {
      VkPhysicalDeviceSubgroupProperties *p = (VkPhysicalDeviceSubgroupProperties *) s;

      p->subgroupSize = 32;
      p->supportedStages = VK_SHADER_STAGE_COMPUTE_BIT;
      p->supportedOperations = VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES: {
      VkPhysicalDeviceSubgroupSizeControlProperties *p = (VkPhysicalDeviceSubgroupSizeControlProperties *) s;

      require_extension (m, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
      p->minSubgroupSize = 8;
      p->maxSubgroupSize = 32;
      p->requiredSubgroupSizeStages = VK_SHADER_STAGE_COMPUTE_BIT;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES:
      require_extension (m, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
      ((VkPhysicalDeviceShaderIntegerDotProductProperties *) s)->integerDotProduct4x8BitPackedSignedAccelerated = m->dot_is_fast;
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT:
      require_extension (m, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
      ((VkPhysicalDeviceExternalMemoryHostPropertiesEXT *) s)->minImportedHostPointerAlignment = 4096;
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES:
      require_extension (m, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
      g_strlcpy (((VkPhysicalDeviceDriverProperties *) s)->driverName, "made up", VK_MAX_DRIVER_NAME_SIZE);
      break;
    default:
      g_assert_cmpint ((int) s->sType, ==, (int) VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_PROPERTIES_KHR);
      require_extension (m, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
      ((VkPhysicalDeviceCooperativeMatrixPropertiesKHR *) s)->cooperativeMatrixSupportedStages = VK_SHADER_STAGE_COMPUTE_BIT;
      break;
    }
}

static VKAPI_ATTR void VKAPI_CALL
get_features (VkPhysicalDevice physical, VkPhysicalDeviceFeatures2 *out)
{
  const Made *m = (const Made *) (gpointer) physical;

  for (VkBaseOutStructure *s = out->pNext; s != NULL; s = s->pNext)
    switch (s->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES:
      ((VkPhysicalDevice16BitStorageFeatures *) s)->storageBuffer16BitAccess = m->storage16;
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES:
      require_extension (m, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
      ((VkPhysicalDeviceShaderFloat16Int8Features *) s)->shaderFloat16 = m->float16;
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES:
      require_extension (m, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
      ((VkPhysicalDeviceShaderIntegerDotProductFeatures *) s)->shaderIntegerDotProduct = m->dot;
      break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES: {
      VkPhysicalDeviceSubgroupSizeControlFeatures *p = (VkPhysicalDeviceSubgroupSizeControlFeatures *) s;

      require_extension (m, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
      p->subgroupSizeControl = p->computeFullSubgroups = m->subgroups;
      break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES: {
      VkPhysicalDeviceVulkanMemoryModelFeatures *p = (VkPhysicalDeviceVulkanMemoryModelFeatures *) s;

      require_extension (m, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME);
      p->vulkanMemoryModel = p->vulkanMemoryModelDeviceScope = m->memory_model;
      break;
    }
    default:
      g_assert_cmpint ((int) s->sType, ==, (int) VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
      require_extension (m, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
      ((VkPhysicalDeviceCooperativeMatrixFeaturesKHR *) s)->cooperativeMatrix = m->matrix;
      break;
    }
}

static VKAPI_ATTR void VKAPI_CALL
get_memory (VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *out)
{
  const Made *m = (const Made *) (gpointer) physical;
  VkPhysicalDeviceMemoryProperties *p = &out->memoryProperties;

  p->memoryHeapCount = 2;
  p->memoryHeaps[0] = (VkMemoryHeap) { 1024 * MiB, 0 };
  p->memoryHeaps[1] = (VkMemoryHeap) { m->memory, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT };
  if (out->pNext == NULL)
    return;
  require_extension (m, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  ((VkPhysicalDeviceMemoryBudgetPropertiesEXT *) out->pNext)->heapBudget[1] = m->budget;
}

static VKAPI_ATTR void VKAPI_CALL
get_queues (VkPhysicalDevice physical, uint32_t *n, VkQueueFamilyProperties *families)
{
  const Made *m = (const Made *) (gpointer) physical;

  for (*n = 0; *n < G_N_ELEMENTS (m->queues); (*n)++)
    if (families != NULL)
      families[*n].queueFlags = m->queues[*n];
}

static VKAPI_ATTR VkResult VKAPI_CALL
get_matrices (VkPhysicalDevice physical, uint32_t *n, VkCooperativeMatrixPropertiesKHR *properties)
{
  if (properties != NULL)
    memcpy (properties, matrices, sizeof matrices);
  *n = G_N_ELEMENTS (matrices);
  return VK_SUCCESS;
}

static GArray *
probe (const Made *const *devices)
{
  FacetVkInstance instance = { .f = {
    .EnumeratePhysicalDevices = enumerate_devices, .EnumerateDeviceExtensionProperties = enumerate_extensions,
    .GetPhysicalDeviceProperties2 = get_properties, .GetPhysicalDeviceFeatures2 = get_features,
    .GetPhysicalDeviceMemoryProperties2 = get_memory, .GetPhysicalDeviceQueueFamilyProperties = get_queues,
    .GetPhysicalDeviceCooperativeMatrixPropertiesKHR = get_matrices } };

  made = devices;
  return facet_vk_probe_all (&instance);
}

/* What is found of one device; it lives as long as @all. */
static const FacetVkProbe *
probe_one (const Made *device, GArray **all)
{
  *all = probe ((const Made *const[]) { device, NULL });
  g_assert_cmpuint ((*all)->len, ==, 1);
  return &g_array_index (*all, FacetVkProbe, 0);
}

/* ---- what is found ---- */

/* Discrete before integrated before virtual ones, the one with more memory first;
 * software and what does not fit only by name. */
static void
test_order (void)
{
  static const Made software = { "software", VK_PHYSICAL_DEVICE_TYPE_CPU, LEAST }, virtual = { "virtual", VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU, LEAST },
                    integrated = { "integrated", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, LEAST },
                    other = { "other", VK_PHYSICAL_DEVICE_TYPE_OTHER, LEAST },
                    small = { "small", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST };
  Made old = small, large = small;
  const Made *all[] = { &software, &other, &virtual, &integrated, &small, &old, &large, NULL };
  static const char *const order[] = { "large", "small", "integrated", "virtual", "software", "other", "old" };

  old.name = "old";
  old.api = VK_API_VERSION_1_0;
  old.memory *= 4;
  large.name = "large";
  large.memory *= 2;
  /* Those that come first are taken away one after the other. */
  for (guint gone = 0; gone < G_N_ELEMENTS (order); gone++) {
    g_autoptr (GArray) found = probe (all);
    g_autoptr (GError) error = NULL;
    FacetVkProbe *first = facet_vk_pick (found, 0, &error);

    g_assert_cmpuint (found->len, ==, G_N_ELEMENTS (order) - gone);
    for (guint i = 0; i < found->len; i++) {
      g_assert_cmpstr (g_array_index (found, FacetVkProbe, i).info->name, ==, order[gone + i]);
      g_assert_cmpint (g_array_index (found, FacetVkProbe, i).info->number, ==, (int) i + 1);
    }
    if (gone < 4) {
      g_assert_no_error (error);
      g_assert_cmpstr (first->info->name, ==, order[gone]);
    } else {
      g_assert_null (first);
      g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
      g_clear_error (&error);
      first = facet_vk_pick (found, 1, &error);
      g_assert_cmpstr (first != NULL ? first->info->name : "old", ==, order[gone]);
    }
    g_clear_error (&error);
    g_assert_null (facet_vk_pick (found, (int) found->len + 1, &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
    for (guint i = 0; i < G_N_ELEMENTS (all) - 1; i++)
      if (all[i] != NULL && g_str_equal (all[i]->name, order[gone]))
        memmove (&all[i], &all[i + 1], sizeof *all * (G_N_ELEMENTS (all) - 1 - i));
  }
}

static void
test_unfit (void)
{
  static const struct { Made device; const char *why; } cases[] = {
    { { "fits", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST }, NULL },
    { { "old", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .api = VK_API_VERSION_1_0 }, "Vulkan 1.1 is missing" },
    { { "draws", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .queues = { VK_QUEUE_GRAPHICS_BIT } }, "it computes nothing" },
    { { "wide", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .storage16 = FALSE }, "16-bit storage is missing" },
    { { "threads", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .invocations = 128 }, "its work groups are too small" },
    { { "shared", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .shared = 8192 }, "its work groups are too small" },
    { { "bindings", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .bindings = 4 }, "its work groups are too small" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GArray) all = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_cmpstr (probe_one (&cases[i].device, &all)->info->unfit, ==, cases[i].why);
    for (int number = 0; number < 2; number++) {
      g_assert_cmpint (facet_vk_pick (all, number, &error) != NULL, ==, cases[i].why == NULL);
      if (cases[i].why != NULL)
        g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
      g_assert_true (cases[i].why == NULL || number == 0 || strstr (error->message, cases[i].why) != NULL);
      g_clear_error (&error);
    }
  }
}

static void
test_limits (void)
{
  Made device = { "limits", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST };
  g_autoptr (GArray) least = NULL, most = NULL;
  const FacetVkProbe *p = probe_one (&device, &least);

  g_assert_cmpuint (p->limits.range, ==, 128 * MiB);
  g_assert_cmpuint (p->limits.allocation, ==, 1024 * MiB);
  g_assert_cmpuint (p->limits.alignment, ==, 256);
  g_assert_cmpuint (p->limits.shared, ==, 16384);
  g_assert_cmpuint (p->family, ==, 0);
  g_assert_false (p->has_budget);
  g_assert_cmpuint (p->import_alignment, ==, 0);
  g_assert_cmpuint (p->info->memory, ==, 4096 * MiB);
  /* More than shaders can count is not used; a family that only computes leaves the other to the desktop. */
  device = (Made) { "limits", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST, .range = G_MAXUINT32, .allocation = 4095 * MiB, .alignment = 4, .budget = 3000 * MiB,
                    .queues = { VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT, VK_QUEUE_COMPUTE_BIT },
                    .extensions = { VK_EXT_MEMORY_BUDGET_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME } };
  p = probe_one (&device, &most);
  g_assert_cmpuint (p->limits.range, ==, 2048 * MiB);
  g_assert_cmpuint (p->limits.allocation, ==, 4095 * MiB);
  g_assert_cmpuint (p->limits.alignment, ==, 16);
  g_assert_cmpuint (p->family, ==, 1);
  g_assert_true (p->has_budget);
  g_assert_cmpuint (p->import_alignment, ==, 4096);
  g_assert_cmpint (p->info->n_heaps, ==, 2);
  g_assert_cmpuint (p->info->heaps[1].budget, ==, 3000 * MiB);
  g_assert_true (g_str_has_prefix (p->info->driver, "made up"));
}

/* What a device promises is used only with all that goes with it. */
static void
test_tiers (void)
{
#define DOT VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME
#define SUBGROUPS VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME
#define MATRIX VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME
#define MODEL VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME
#define GPU "tiers", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, LEAST
  static const struct { Made device; FacetVkTier best; guint32 subgroup, n_extensions; } cases[] = {
    { { GPU }, FACET_VK_SCALAR, 0, 0 },
    { { GPU, .dot = TRUE, .dot_is_fast = TRUE }, FACET_VK_SCALAR, 0, 0 },
    { { GPU, .dot = TRUE, .dot_is_fast = TRUE, .extensions = { DOT } }, FACET_VK_DOT, 0, 1 },
    { { GPU, .dot = TRUE, .extensions = { DOT } }, FACET_VK_SCALAR, 0, 1 },
    { { GPU, .subgroups = TRUE, .extensions = { SUBGROUPS } }, FACET_VK_SCALAR, 32, 1 },
    { { GPU, .extensions = { SUBGROUPS } }, FACET_VK_SCALAR, 0, 0 },
    { { GPU, .subgroups = TRUE, .float16 = TRUE, .memory_model = TRUE, .matrix = TRUE, .extensions = { SUBGROUPS, MATRIX, MODEL } }, FACET_VK_MATRIX, 32, 4 },
    { { GPU, .subgroups = TRUE, .memory_model = TRUE, .matrix = TRUE, .extensions = { SUBGROUPS, MATRIX, MODEL } }, FACET_VK_SCALAR, 32, 1 },
    { { GPU, .subgroups = TRUE, .float16 = TRUE, .matrix = TRUE, .extensions = { SUBGROUPS, MATRIX, MODEL } }, FACET_VK_SCALAR, 32, 1 },
    { { GPU, .subgroups = TRUE, .float16 = TRUE, .memory_model = TRUE, .matrix = TRUE, .extensions = { SUBGROUPS, MATRIX } }, FACET_VK_SCALAR, 32, 1 },
    { { GPU, .float16 = TRUE, .memory_model = TRUE, .matrix = TRUE, .dot = TRUE, .dot_is_fast = TRUE, .extensions = { DOT, MATRIX, MODEL } }, FACET_VK_DOT, 0, 1 },
    { { "software", VK_PHYSICAL_DEVICE_TYPE_CPU, LEAST, .subgroups = TRUE, .float16 = TRUE, .memory_model = TRUE, .matrix = TRUE,
        .extensions = { SUBGROUPS, MATRIX, MODEL } }, FACET_VK_SCALAR, 32, 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GArray) all = NULL;
    const FacetVkProbe *p = probe_one (&cases[i].device, &all);
    FacetVk vk = { .traits = p->traits };
    FacetVkEnabled enabled;

    facet_vk_enable (&p->traits, &enabled);
    g_test_message ("case %u: %s", i, p->info->features);
    g_assert_cmpint ((int) facet_vk_best_tier (&vk), ==, (int) cases[i].best);
    g_assert_cmpuint (p->traits.subgroup, ==, cases[i].subgroup);
    g_assert_cmpuint (enabled.n_extensions, ==, cases[i].n_extensions);
    g_assert_cmpint (strstr (p->info->features, "cooperative matrix of 16x8x16") != NULL, ==, p->traits.matrix.m > 0);
    /* Weights of each type go as high as they have kernels. */
    facet_vk_set_tiers (&vk, cases[i].best);
    g_assert_cmpint ((int) vk.tiers[FACET_F32], ==, (int) FACET_VK_SCALAR);
    g_assert_cmpint ((int) vk.tiers[FACET_Q4_0], ==, (int) cases[i].best);
    g_assert_cmpint ((int) vk.few_tiers[FACET_Q4_0], ==, (int) MIN (cases[i].best, FACET_VK_DOT) * (cases[i].best != FACET_VK_MATRIX));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_unsetenv ("FACET_VULKAN_TIER");
  g_test_add_func ("/probe/order", test_order);
  g_test_add_func ("/probe/unfit", test_unfit);
  g_test_add_func ("/probe/limits", test_limits);
  g_test_add_func ("/probe/tiers", test_tiers);
  return g_test_run ();
}
