#include "backend/vulkan/vk.h"

#include "backend/vulkan/fault.h"

static VkPhysicalDeviceMemoryProperties
memory_properties (FacetVk *vk, VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget)
{
  VkPhysicalDeviceMemoryProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 };

  if (budget != NULL && vk->has_budget)
    properties.pNext = budget;
  vk->instance.f.GetPhysicalDeviceMemoryProperties2 (vk->physical, &properties);
  return properties.memoryProperties;
}

/* Types are ordered so that the first with the wanted properties is the best;
 * the last choice is what every device has. */
static int
find_type (FacetVk *vk, FacetVkMemory kind, guint32 allowed)
{
  const VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const VkMemoryPropertyFlags wanted[][2] = {
    [FACET_VK_DEVICE] = { VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0 },
    [FACET_VK_UPLOAD] = { host, host },
    [FACET_VK_READBACK] = { host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, host },
  };
  VkPhysicalDeviceMemoryProperties m = memory_properties (vk, NULL);

  for (int choice = 0; choice < 2; choice++)
    for (guint32 i = 0; i < m.memoryTypeCount; i++)
      if ((allowed >> i & 1) && (m.memoryTypes[i].propertyFlags & wanted[kind][choice]) == wanted[kind][choice])
        return (int) i;
  return -1;
}

guint64
facet_vk_memory_left (FacetVk *vk)
{
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT };
  VkPhysicalDeviceMemoryProperties m = memory_properties (vk, &budget);
  guint32 heap = m.memoryTypes[find_type (vk, FACET_VK_DEVICE, G_MAXUINT32)].heapIndex;

  if (!vk->has_budget)
    return m.memoryHeaps[heap].size - MIN (vk->taken, m.memoryHeaps[heap].size);
  return budget.heapBudget[heap] > budget.heapUsage[heap] ? budget.heapBudget[heap] - budget.heapUsage[heap] : 0;
}

static gboolean
host_can_see (FacetVk *vk, int type)
{
  const VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

  return (memory_properties (vk, NULL).memoryTypes[type].propertyFlags & host) == host;
}

static VkResult
allocate (FacetVk *vk, const VkMemoryAllocateInfo *info, VkDeviceMemory *memory)
{
  if (facet_vk_fault (FACET_VK_FAULT_ALLOCATE))
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  return vk->instance.f.AllocateMemory (vk->device, info, NULL, memory);
}

gboolean
facet_vk_buffer_new (FacetVk *vk, gsize size, FacetVkMemory kind, FacetVkBuffer *buffer, GError **error)
{
  const FacetVkFunctions *f = &vk->instance.f;
  VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = MAX (size, 16),
    .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT
             | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT,
  };
  VkMemoryRequirements needs;
  VkMemoryAllocateInfo allocation = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
  int type;

  *buffer = (FacetVkBuffer) { .size = size };
  if (!facet_vk_check (f->CreateBuffer (vk->device, &info, NULL, &buffer->buffer), "buffer", error))
    return FALSE;
  f->GetBufferMemoryRequirements (vk->device, buffer->buffer, &needs);
  type = find_type (vk, kind, needs.memoryTypeBits);
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = (guint32) type;
  if (type < 0 || needs.size > vk->limits.allocation || (kind == FACET_VK_DEVICE && needs.size > facet_vk_memory_left (vk))) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "Vulkan: no room for %" G_GSIZE_FORMAT " MiB on %s", size >> 20,
                 vk->info->name);
    goto fail;
  }
  if (!facet_vk_check (allocate (vk, &allocation, &buffer->memory), "memory", error)
      || !facet_vk_check (f->BindBufferMemory (vk->device, buffer->buffer, buffer->memory, 0), "memory", error))
    goto fail;
  if (host_can_see (vk, type) && !(vk->hides_memory && kind == FACET_VK_DEVICE)
      && !facet_vk_check (f->MapMemory (vk->device, buffer->memory, 0, VK_WHOLE_SIZE, 0, (void **) &buffer->mapped), "map", error))
    goto fail;
  vk->taken += size;
  return TRUE;

fail:
  buffer->size = 0;
  facet_vk_buffer_free (vk, buffer);
  return FALSE;
}

static gboolean
import_memory (FacetVk *vk, void *at, gsize size, FacetVkBuffer *buffer, GError **error)
{
  const FacetVkFunctions *f = &vk->instance.f;
  const VkExternalMemoryHandleTypeFlagBits kind = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  VkMemoryHostPointerPropertiesEXT properties = { .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT };
  VkImportMemoryHostPointerInfoEXT pages = { .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, .handleType = kind,
                                             .pHostPointer = at };
  VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &pages, .allocationSize = size };
  VkMemoryRequirements needs;

  if (!facet_vk_check (f->GetMemoryHostPointerPropertiesEXT (vk->device, kind, at, &properties), "import", error))
    return FALSE;
  f->GetBufferMemoryRequirements (vk->device, buffer->buffer, &needs);
  if ((properties.memoryTypeBits & needs.memoryTypeBits) == 0 || needs.size > size)
    return facet_vk_check (VK_ERROR_FEATURE_NOT_PRESENT, "import", error);
  info.memoryTypeIndex = (guint32) g_bit_nth_lsf (properties.memoryTypeBits & needs.memoryTypeBits, -1);
  return facet_vk_check (facet_vk_fault (FACET_VK_FAULT_IMPORT) ? VK_ERROR_OUT_OF_HOST_MEMORY
                                                                : f->AllocateMemory (vk->device, &info, NULL, &buffer->memory), "import", error)
         && facet_vk_check (f->BindBufferMemory (vk->device, buffer->buffer, buffer->memory, 0), "import", error);
}

gboolean
facet_vk_buffer_import (FacetVk *vk, void *at, gsize size, FacetVkBuffer *buffer, GError **error)
{
  VkExternalMemoryBufferCreateInfo external = { .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
                                                .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT };
  VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .pNext = &external, .size = size,
                              .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT };

  *buffer = (FacetVkBuffer) { 0 };
  if (facet_vk_check (vk->instance.f.CreateBuffer (vk->device, &info, NULL, &buffer->buffer), "import", error)
      && import_memory (vk, at, size, buffer, error))
    return TRUE;
  facet_vk_buffer_free (vk, buffer);
  return FALSE;
}

void
facet_vk_buffer_free (FacetVk *vk, FacetVkBuffer *buffer)
{
  if (buffer->buffer != VK_NULL_HANDLE)
    vk->instance.f.DestroyBuffer (vk->device, buffer->buffer, NULL);
  /* Unmaps it, too. */
  if (buffer->memory != VK_NULL_HANDLE)
    vk->instance.f.FreeMemory (vk->device, buffer->memory, NULL);
  vk->taken -= MIN (vk->taken, buffer->size);
  *buffer = (FacetVkBuffer) { 0 };
}
