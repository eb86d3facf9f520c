/* What a device can do beyond the minimum, and which kernels that lets it use. */
#include "backend/vulkan/vk.h"

#include <string.h>

#define MIN_SUBGROUP 4
#define MAX_SUBGROUP 64

static gboolean
has (const VkExtensionProperties *extensions, guint32 n, const char *name)
{
  for (guint32 i = 0; i < n; i++)
    if (g_str_equal (extensions[i].extensionName, name))
      return TRUE;
  return FALSE;
}

static void
probe_dot (const FacetVkFunctions *f, VkPhysicalDevice physical, FacetVkTraits *traits)
{
  VkPhysicalDeviceShaderIntegerDotProductFeatures features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES };
  VkPhysicalDeviceShaderIntegerDotProductProperties fast = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES };

  f->GetPhysicalDeviceFeatures2 (physical, &(VkPhysicalDeviceFeatures2) { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &features, { 0 } });
  f->GetPhysicalDeviceProperties2 (physical, &(VkPhysicalDeviceProperties2) { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &fast, { 0 } });
  traits->dot = features.shaderIntegerDotProduct;
  traits->dot_is_fast = traits->dot && fast.integerDotProduct4x8BitPackedSignedAccelerated;
}

static void
probe_subgroup (const FacetVkFunctions *f, VkPhysicalDevice physical, FacetVkTraits *traits)
{
  VkPhysicalDeviceSubgroupSizeControlFeatures features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES };
  VkPhysicalDeviceSubgroupSizeControlProperties sizes = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES };
  VkPhysicalDeviceSubgroupProperties usual = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &sizes };
  guint32 size;

  f->GetPhysicalDeviceFeatures2 (physical, &(VkPhysicalDeviceFeatures2) { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &features, { 0 } });
  f->GetPhysicalDeviceProperties2 (physical, &(VkPhysicalDeviceProperties2) { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &usual, { 0 } });
  size = CLAMP (usual.subgroupSize, sizes.minSubgroupSize, sizes.maxSubgroupSize);
  if (features.subgroupSizeControl && features.computeFullSubgroups && (sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)
      && (usual.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) && (usual.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT)
      && size >= MIN_SUBGROUP && size <= MAX_SUBGROUP)
    traits->subgroup = size;
}

FacetVkTraits
facet_vk_traits (const FacetVkFunctions *f, VkPhysicalDevice physical, const VkExtensionProperties *extensions, guint32 n)
{
  FacetVkTraits traits = { 0 };

  if (has (extensions, n, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME))
    probe_dot (f, physical, &traits);
  if (has (extensions, n, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
    probe_subgroup (f, physical, &traits);
  return traits;
}

void
facet_vk_enable (const FacetVkTraits *traits, FacetVkEnabled *e)
{
  *e = (FacetVkEnabled) {
    .storage16 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES, .storageBuffer16BitAccess = VK_TRUE },
    .dot = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES, .shaderIntegerDotProduct = VK_TRUE },
    .subgroup = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES, .subgroupSizeControl = VK_TRUE,
                  .computeFullSubgroups = VK_TRUE },
  };
  if (traits->dot) {
    e->dot.pNext = e->storage16.pNext;
    e->storage16.pNext = &e->dot;
    e->extensions[e->n_extensions++] = VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME;
  }
  if (traits->subgroup > 0) {
    e->subgroup.pNext = e->storage16.pNext;
    e->storage16.pNext = &e->subgroup;
    e->extensions[e->n_extensions++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
  }
}

static const char *const names[] = { "scalar", "dot" };

const char *
facet_vk_tier_name (FacetVkTier tier)
{
  return names[tier];
}

/* Whether there are kernels of @tier for weights of @dtype. */
static gboolean
exists (FacetVkTier tier, FacetDtype dtype)
{
  return tier == FACET_VK_SCALAR || facet_dtype_info (dtype)->block > 1;
}

void
facet_vk_set_tiers (FacetVk *vk, FacetVkTier most)
{
  for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
    vk->tiers[dtype] = most;
    while (!exists (vk->tiers[dtype], (FacetDtype) dtype))
      vk->tiers[dtype]--;
  }
}

FacetVkTier
facet_vk_best_tier (const FacetVk *vk)
{
  const char *wanted = g_getenv ("FACET_VULKAN_TIER");

  for (int tier = 0; wanted != NULL && tier < FACET_VK_N_TIERS; tier++)
    if (g_str_equal (wanted, names[tier]))
      return tier >= FACET_VK_DOT && vk->traits.dot ? FACET_VK_DOT : FACET_VK_SCALAR;
  return vk->traits.dot_is_fast ? FACET_VK_DOT : FACET_VK_SCALAR;
}
