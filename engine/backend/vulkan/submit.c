#include "backend/vulkan/vk.h"

#include "backend/vulkan/fault.h"

static VkResult
submit (FacetVk *vk, const VkCommandBuffer *commands, guint32 n, gboolean last)
{
  VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = n, .pCommandBuffers = commands };

  if (facet_vk_fault (FACET_VK_FAULT_SUBMIT))
    return VK_ERROR_DEVICE_LOST;
  return vk->instance.f.QueueSubmit (vk->queue, 1, &info, last ? vk->fence : VK_NULL_HANDLE);
}

static VkResult
wait (FacetVk *vk)
{
  VkResult result = vk->instance.f.WaitForFences (vk->device, 1, &vk->fence, VK_TRUE, G_MAXUINT64);

  return facet_vk_fault (FACET_VK_FAULT_WAIT) ? VK_ERROR_DEVICE_LOST : result;
}

gboolean
facet_vk_queue (FacetVk *vk, const VkCommandBuffer *commands, guint32 n, gboolean last, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (vk->lost)
    return facet_vk_check (VK_ERROR_DEVICE_LOST, "submit", error);
  vk->lost = !facet_vk_check (submit (vk, commands, n, last), "submit", error);
  /* What was given to it before may still run. */
  if (vk->lost)
    vk->instance.f.DeviceWaitIdle (vk->device);
  vk->driver_us += g_get_monotonic_time () - start;
  return !vk->lost;
}

gboolean
facet_vk_wait (FacetVk *vk, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  vk->lost = !facet_vk_check (wait (vk), "wait", error)
             || !facet_vk_check (vk->instance.f.ResetFences (vk->device, 1, &vk->fence), "fence", error);
  vk->driver_us += g_get_monotonic_time () - start;
  return !vk->lost;
}

gboolean
facet_vk_submit (FacetVk *vk, const VkCommandBuffer *commands, guint32 n, GError **error)
{
  return facet_vk_queue (vk, commands, n, TRUE, error) && facet_vk_wait (vk, error);
}
