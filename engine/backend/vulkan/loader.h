/* loader.h - Vulkan's functions, found at run time
 *
 * The program does not link with libvulkan: without a loader there is just no
 * device.
 */
#pragma once

#include <glib.h>

#include "backend/vulkan/cooperative.h"

#define FACET_VK_INSTANCE_FUNCTIONS(X) \
  X (CreateDevice) \
  X (DestroyInstance) \
  X (EnumerateDeviceExtensionProperties) \
  X (EnumeratePhysicalDevices) \
  X (GetDeviceProcAddr) \
  X (GetPhysicalDeviceCooperativeMatrixPropertiesKHR) \
  X (GetPhysicalDeviceFeatures2) \
  X (GetPhysicalDeviceMemoryProperties2) \
  X (GetPhysicalDeviceProperties2) \
  X (GetPhysicalDeviceQueueFamilyProperties)

#define FACET_VK_DEVICE_FUNCTIONS(X) \
  X (AllocateCommandBuffers) \
  X (AllocateDescriptorSets) \
  X (AllocateMemory) \
  X (BeginCommandBuffer) \
  X (BindBufferMemory) \
  X (CmdBindDescriptorSets) \
  X (CmdBindPipeline) \
  X (CmdCopyBuffer) \
  X (CmdDispatch) \
  X (CmdDispatchBase) \
  X (CmdDispatchIndirect) \
  X (CmdFillBuffer) \
  X (CmdPipelineBarrier) \
  X (CmdPushConstants) \
  X (CreateBuffer) \
  X (CreateCommandPool) \
  X (CreateComputePipelines) \
  X (CreateDescriptorPool) \
  X (CreateDescriptorSetLayout) \
  X (CreateFence) \
  X (CreatePipelineCache) \
  X (CreatePipelineLayout) \
  X (CreateShaderModule) \
  X (DestroyBuffer) \
  X (DestroyCommandPool) \
  X (DestroyDescriptorPool) \
  X (DestroyDescriptorSetLayout) \
  X (DestroyDevice) \
  X (DestroyFence) \
  X (DestroyPipeline) \
  X (DestroyPipelineCache) \
  X (DestroyPipelineLayout) \
  X (DestroyShaderModule) \
  X (DeviceWaitIdle) \
  X (EndCommandBuffer) \
  X (FreeCommandBuffers) \
  X (FreeMemory) \
  X (GetBufferMemoryRequirements) \
  X (GetDeviceQueue) \
  X (GetMemoryHostPointerPropertiesEXT) \
  X (GetPipelineCacheData) \
  X (MapMemory) \
  X (QueueSubmit) \
  X (ResetFences) \
  X (UpdateDescriptorSets) \
  X (WaitForFences)

/* Those of extensions that are missing are NULL. */
typedef struct {
#define MEMBER(name) PFN_vk ## name name;
  FACET_VK_INSTANCE_FUNCTIONS (MEMBER)
  FACET_VK_DEVICE_FUNCTIONS (MEMBER)
#undef MEMBER
} FacetVkFunctions;

/* An instance, its functions and the loader that they lie in. */
typedef struct {
  void                    *library;
  VkInstance               instance;
  VkDebugUtilsMessengerEXT messenger; /* with FACET_VULKAN_VALIDATE=1: complaints become warnings */
  FacetVkFunctions         f;
} FacetVkInstance;

#define FACET_VK_NO_LOADER "there is no Vulkan loader"
#define FACET_VK_NO_DRIVER "there is no Vulkan driver"

/* DEVICE: FACET_VK_NO_LOADER, FACET_VK_NO_DRIVER, or no Vulkan 1.1. On failure
 * nothing is left open. */
gboolean facet_vk_instance_open      (FacetVkInstance *self, GError **error);
void     facet_vk_instance_close     (FacetVkInstance *self);
/* Fills in the device's functions; those of extensions that are not enabled become NULL. */
void     facet_vk_load_device        (FacetVkInstance *self, VkDevice device);

/* TRUE on success, else sets NO_MEMORY or DEVICE: "@what: the code's name". */
gboolean facet_vk_check (VkResult result, const char *what, GError **error);
