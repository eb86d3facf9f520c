/* What a device can do beyond the minimum, and which kernels that lets it use. */
#include "backend/vulkan/vk.h"
#include "push-matrix.h"
#include "push.h"

#define MIN_SUBGROUP 4
#define MAX_SUBGROUP 64

static const char *const matrix_extensions[] = {
  VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
  VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
  VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
};

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
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &usual };
  guint32 size;

  f->GetPhysicalDeviceFeatures2 (physical, &(VkPhysicalDeviceFeatures2) { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &features, { 0 } });
  f->GetPhysicalDeviceProperties2 (physical, &properties);
  size = CLAMP (usual.subgroupSize, sizes.minSubgroupSize, sizes.maxSubgroupSize);
  if (features.subgroupSizeControl && features.computeFullSubgroups && (sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)
      && (usual.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) && (usual.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT)
      && size >= MIN_SUBGROUP && size <= MAX_SUBGROUP)
    traits->subgroup = size;
  /* A processor has the threads of a subgroup in one register, and reads memory for each of them in turn. */
  traits->slow_shared = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU && traits->subgroup == FACET_MATMUL_LANES
                        && (usual.supportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT);
}

/* Sizes that tiles of matmul-matrix.comp are made of. */
static gboolean
fits (const VkCooperativeMatrixPropertiesKHR *p)
{
  return p->AType == VK_COMPONENT_TYPE_FLOAT16_KHR && p->BType == VK_COMPONENT_TYPE_FLOAT16_KHR && p->CType == VK_COMPONENT_TYPE_FLOAT32_KHR
         && p->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && p->scope == VK_SCOPE_SUBGROUP_KHR && !p->saturatingAccumulation
         && (p->MSize == 8 || p->MSize == 16) && (p->NSize == 8 || p->NSize == 16) && p->KSize >= 4 && FACET_MATRIX_DEPTH % p->KSize == 0;
}

static void
choose_matrix (const FacetVkFunctions *f, VkPhysicalDevice physical, FacetVkTraits *traits)
{
  g_autofree VkCooperativeMatrixPropertiesKHR *all = NULL;
  guint32 n = 0;

  if (f->GetPhysicalDeviceCooperativeMatrixPropertiesKHR (physical, &n, NULL) != VK_SUCCESS)
    return;
  all = g_new0 (VkCooperativeMatrixPropertiesKHR, n + 1);
  for (guint32 i = 0; i < n; i++)
    all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  if (f->GetPhysicalDeviceCooperativeMatrixPropertiesKHR (physical, &n, all) != VK_SUCCESS)
    return;
  for (guint32 i = 0; i < n; i++)
    if (fits (&all[i]) && all[i].MSize * all[i].NSize * all[i].KSize > traits->matrix.m * traits->matrix.n * traits->matrix.k) {
      traits->matrix.m = all[i].MSize;
      traits->matrix.n = all[i].NSize;
      traits->matrix.k = all[i].KSize;
    }
}

static void
probe_matrix (const FacetVkFunctions *f, VkPhysicalDevice physical, FacetVkTraits *traits)
{
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR };
  VkPhysicalDeviceVulkanMemoryModelFeatures memory_model = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
                                                             .pNext = &matrix };
  VkPhysicalDeviceShaderFloat16Int8Features float16 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
                                                        .pNext = &memory_model };
  VkPhysicalDeviceCooperativeMatrixPropertiesKHR stages = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_PROPERTIES_KHR };
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &stages };

  f->GetPhysicalDeviceFeatures2 (physical, &(VkPhysicalDeviceFeatures2) { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &float16, { 0 } });
  f->GetPhysicalDeviceProperties2 (physical, &properties);
  /* Atomic functions of the other shaders have the scope of the device, which is a feature of its own once the model is enabled. */
  if (!matrix.cooperativeMatrix || !memory_model.vulkanMemoryModel || !memory_model.vulkanMemoryModelDeviceScope || !float16.shaderFloat16
      || !(stages.cooperativeMatrixSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT))
    return;
  choose_matrix (f, physical, traits);
  /* A processor has no unit for them. */
  traits->matrix_is_fast = traits->matrix.m > 0 && properties.properties.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU;
}

/* Cooperative matrices and what their shaders use besides. */
static gboolean
has_matrix_extensions (const FacetVkFunctions *f, const VkExtensionProperties *extensions, guint32 n)
{
  for (guint i = 0; i < G_N_ELEMENTS (matrix_extensions); i++)
    if (!has (extensions, n, matrix_extensions[i]))
      return FALSE;
  return f->GetPhysicalDeviceCooperativeMatrixPropertiesKHR != NULL;
}

FacetVkTraits
facet_vk_traits (const FacetVkFunctions *f, VkPhysicalDevice physical, const VkExtensionProperties *extensions, guint32 n)
{
  FacetVkTraits traits = { 0 };

  if (has (extensions, n, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME))
    probe_dot (f, physical, &traits);
  if (has (extensions, n, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
    probe_subgroup (f, physical, &traits);
  if (traits.subgroup > 0 && has_matrix_extensions (f, extensions, n))
    probe_matrix (f, physical, &traits);
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
    .float16 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES, .shaderFloat16 = VK_TRUE },
    .memory_model = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES, .pNext = &e->float16, .vulkanMemoryModel = VK_TRUE,
                      .vulkanMemoryModelDeviceScope = VK_TRUE },
    .matrix = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, .pNext = &e->memory_model, .cooperativeMatrix = VK_TRUE },
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
  if (traits->matrix.m > 0) {
    e->float16.pNext = e->storage16.pNext;
    e->storage16.pNext = &e->matrix;
    for (guint i = 0; i < G_N_ELEMENTS (matrix_extensions); i++)
      e->extensions[e->n_extensions++] = matrix_extensions[i];
  }
}

static const char *const names[] = { "scalar", "dot", "matrix" };

const char *
facet_vk_tier_name (FacetVkTier tier)
{
  return names[tier];
}

gboolean
facet_vk_has_tier (const FacetVk *vk, FacetVkTier tier)
{
  const gboolean has[] = { TRUE, vk->traits.dot, vk->traits.matrix.m > 0 };

  return has[tier];
}

static gboolean
does_well (const FacetVk *vk, FacetVkTier tier)
{
  const gboolean well[] = { TRUE, vk->traits.dot_is_fast, vk->traits.matrix_is_fast };

  return well[tier];
}

gboolean
facet_vk_may_use_tier (const FacetVk *vk, FacetVkTier tier)
{
  return does_well (vk, tier) || tier == facet_vk_best_tier (vk);
}

/* Whether there are kernels of @tier for weights of @dtype: 32-bit floats would
 * lose too much as 16-bit ones. */
static gboolean
exists (FacetVkTier tier, FacetDtype dtype)
{
  const gboolean is[] = { TRUE, facet_dtype_info (dtype)->block > 1, dtype != FACET_F32 };

  return is[tier];
}

FacetVkTier
facet_vk_lower_tier (const FacetVk *vk, FacetVkTier tier, FacetDtype dtype)
{
  do
    tier--;
  while (!exists (tier, dtype) || !does_well (vk, tier));
  return tier;
}

void
facet_vk_set_tiers (FacetVk *vk, FacetVkTier most)
{
  for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
    FacetVkTier *many = &vk->tiers[dtype], *few = &vk->few_tiers[dtype];

    *many = most;
    if (!facet_vk_has_tier (vk, most) || !exists (most, (FacetDtype) dtype))
      *many = facet_vk_lower_tier (vk, most, (FacetDtype) dtype);
    *few = *many == FACET_VK_MATRIX ? facet_vk_lower_tier (vk, *many, (FacetDtype) dtype) : *many;
  }
}

FacetVkTier
facet_vk_best_tier (const FacetVk *vk)
{
  const char *wanted = g_getenv ("FACET_VULKAN_TIER");
  FacetVkTier tier = FACET_VK_N_TIERS - 1;

  for (int named = 0; wanted != NULL && named < FACET_VK_N_TIERS; named++)
    if (g_str_equal (wanted, names[named])) {
      for (tier = (FacetVkTier) named; !facet_vk_has_tier (vk, tier);)
        tier--;
      return tier;
    }
  while (!does_well (vk, tier))
    tier--;
  return tier;
}
