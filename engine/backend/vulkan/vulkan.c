#include "backend/vulkan/plan.h"

#include <unistd.h>

#include "backend/choose.h"
#include "backend/vulkan/fault.h"

static gsize
plan_bytes (const FacetPlan *plan)
{
  return plan->arena.size + plan->upload.size + plan->kept.size;
}

static const float *
value (FacetPlan *plan, int node)
{
  gboolean copied = plan->best >= 0 && node == facet_graph_result (plan->graph);
  const FacetVkValue *v = &g_array_index (plan->values, FacetVkValue, copied ? plan->whole : node);

  if (v->place == FACET_VK_IN_ARENA)
    return NULL;
  return (const float *) (gconstpointer) ((v->place == FACET_VK_KEPT ? plan->kept : plan->upload).mapped + v->range.offset);
}

static void
vulkan_free (FacetBackend *backend)
{
  FacetVk *vk = (FacetVk *) backend;
  const FacetVkFunctions *f = &vk->instance.f;

  if (vk->device != VK_NULL_HANDLE) {
    f->DeviceWaitIdle (vk->device);
    facet_vk_weights_free (vk);
    facet_vk_pipelines_free (vk);
    if (vk->cache != VK_NULL_HANDLE) {
      facet_vk_cache_save (vk);
      f->DestroyPipelineCache (vk->device, vk->cache, NULL);
    }
    if (vk->layout != VK_NULL_HANDLE)
      f->DestroyPipelineLayout (vk->device, vk->layout, NULL);
    if (vk->set_layout != VK_NULL_HANDLE)
      f->DestroyDescriptorSetLayout (vk->device, vk->set_layout, NULL);
    if (vk->fence != VK_NULL_HANDLE)
      f->DestroyFence (vk->device, vk->fence, NULL);
    if (vk->pool != VK_NULL_HANDLE)
      f->DestroyCommandPool (vk->device, vk->pool, NULL);
    f->DestroyDevice (vk->device, NULL);
  }
  facet_vk_instance_close (&vk->instance);
  g_clear_pointer (&vk->info, facet_device_info_free);
  facet_vk_verdict_clear (&vk->verdict);
  g_free (vk->cache_key);
  g_free (vk->base.description);
  g_free (vk);
}

/* Of 1000. */
#define UPLOAD_SHARE 700

gboolean
facet_vk_go_on (FacetVk *vk, FacetVkStage stage, guint64 done, guint64 total, GError **error)
{
  guint64 from = stage == FACET_VK_UPLOADING ? 0 : UPLOAD_SHARE, to = stage == FACET_VK_UPLOADING ? UPLOAD_SHARE : 1000;

  if (facet_is_cancelled (vk->base.cancel)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  if (vk->base.progress != NULL)
    vk->base.progress (from + (to - from) * done / MAX (total, 1), 1000, vk->base.progress_data);
  return TRUE;
}

static void
facts (FacetBackend *backend, FacetDeviceFacts *out)
{
  FacetVk *vk = (FacetVk *) backend;

  out->identity = vk->cache_key;
  out->shares_memory = vk->shares_memory;
  out->room = facet_vk_memory_left (vk);
}

static gint64
driver_us (FacetBackend *backend)
{
  return ((FacetVk *) backend)->driver_us;
}

static gboolean
holds (FacetBackend *backend, const FacetTensor *tensor)
{
  return facet_vk_weight ((FacetVk *) backend, tensor) != NULL;
}

static void
forget (FacetBackend *backend)
{
  facet_vk_weights_drop ((FacetVk *) backend);
}

static const FacetBackendClass vulkan_class = {
  .name = "vulkan",
  .supports = facet_vk_supports,
  .compile = facet_vk_compile,
  .plan_free = facet_vk_plan_free,
  .plan_bytes = plan_bytes,
  .run = facet_vk_plan_run,
  .value = value,
  .best = facet_vk_plan_best,
  .fetch = facet_vk_plan_fetch,
  .count = facet_vk_plan_count,
  .kv_new = facet_vk_kv_new,
  .kv_free = facet_vk_kv_free,
  .kv_copy = facet_vk_kv_copy,
  .facts = facts,
  .driver_us = driver_us,
  .holds = holds,
  .forget = forget,
  .free = vulkan_free,
};

/* Operations of a command buffer, the unit that submits are made of. */
#define SEGMENT_COST 2e8
/* And at most of a part of a dispatch: 25 ms at 40 billion a second, which slow
 * devices do. */
#define PART_COST 1e9
/* By how much discrete ones are faster: they should not wait at barriers. */
#define DISCRETE 8

/* Takes the wanted device's place among what was probed. */
static gboolean
choose (FacetVk *vk, int number, GError **error)
{
  g_autoptr (GArray) all = facet_vk_probe_all (&vk->instance);
  FacetVkProbe *one = facet_vk_pick (all, number, error);
  double faster;

  if (one == NULL)
    return FALSE;
  vk->physical = one->physical;
  vk->family = one->family;
  vk->has_budget = one->has_budget;
  vk->limits = one->limits;
  vk->traits = one->traits;
  vk->info = g_steal_pointer (&one->info);
  vk->import_alignment = one->import_alignment;
  vk->shares_memory = vk->info->kind == FACET_DEVICE_INTEGRATED || facet_vk_pretends ();
  faster = vk->info->kind == FACET_DEVICE_DISCRETE ? DISCRETE : 1;
  vk->segment_cost = faster * SEGMENT_COST;
  vk->part_cost = faster * PART_COST;
  /* A page is the most by which the map reaches beyond its tensors. */
  vk->imports = vk->import_alignment > 0 && vk->import_alignment <= (gsize) sysconf (_SC_PAGESIZE)
                && (vk->shares_memory || vk->info->kind == FACET_DEVICE_SOFTWARE);
  return TRUE;
}

static gboolean
open_device (FacetVk *vk, GError **error)
{
  float priority = 0.5f;
  VkDeviceQueueCreateInfo queue = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueFamilyIndex = vk->family, .queueCount = 1,
                                    .pQueuePriorities = &priority };
  FacetVkEnabled enabled;
  VkDeviceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &enabled.storage16, .queueCreateInfoCount = 1,
                              .pQueueCreateInfos = &queue, .ppEnabledExtensionNames = enabled.extensions };

  facet_vk_enable (&vk->traits, &enabled);
  info.enabledExtensionCount = enabled.n_extensions;
  if (vk->imports)
    enabled.extensions[info.enabledExtensionCount++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  if (!facet_vk_check (vk->instance.f.CreateDevice (vk->physical, &info, NULL, &vk->device), "device", error))
    return FALSE;
  facet_vk_load_device (&vk->instance, vk->device);
  vk->instance.f.GetDeviceQueue (vk->device, vk->family, 0, &vk->queue);
  return TRUE;
}

/* One layout serves all shaders: the step block and up to seven more buffers. */
static gboolean
make_layout (FacetVk *vk, GError **error)
{
  const FacetVkFunctions *f = &vk->instance.f;
  VkDescriptorSetLayoutBinding bindings[FACET_VK_BINDINGS];
  VkDescriptorSetLayoutCreateInfo set = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = FACET_VK_BINDINGS,
                                          .pBindings = bindings };
  VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, FACET_VK_PUSH_BYTES };
  VkPipelineLayoutCreateInfo layout = { .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1,
                                        .pSetLayouts = &vk->set_layout, .pushConstantRangeCount = 1, .pPushConstantRanges = &push };

  for (guint32 i = 0; i < FACET_VK_BINDINGS; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding) { i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL };
  return facet_vk_check (f->CreateDescriptorSetLayout (vk->device, &set, NULL, &vk->set_layout), "layout", error)
         && facet_vk_check (f->CreatePipelineLayout (vk->device, &layout, NULL, &vk->layout), "layout", error);
}

static gboolean
prepare (FacetVk *vk, GError **error)
{
  const FacetVkFunctions *f = &vk->instance.f;
  VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                   .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, .queueFamilyIndex = vk->family };
  VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };

  vk->pipelines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  facet_vk_weights_init (vk);
  return facet_vk_check (f->CreateCommandPool (vk->device, &pool, NULL, &vk->pool), "command pool", error)
         && facet_vk_check (f->CreateFence (vk->device, &fence, NULL, &vk->fence), "fence", error)
         && facet_vk_cache_open (vk, error)
         && make_layout (vk, error);
}

/* Opening the loader loads every driver, software ones with their compilers:
 * not worth it where the kernel knows no graphics device. */
static gboolean
kernel_has_device (void)
{
  static const char *const nodes[] = { "/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/kgsl-3d0", "/dev/mali0" };

  for (guint i = 0; i < G_N_ELEMENTS (nodes); i++)
    if (g_file_test (nodes[i], G_FILE_TEST_EXISTS))
      return TRUE;
  return FALSE;
}

/* A driver that is not known yet builds and runs dozens of programs. */
static gboolean
trust (FacetVk *vk, const FacetModelParams *params, GError **error)
{
  gboolean trusted;

  facet_backend_watch (&vk->base, params);
  trusted = facet_vk_trust (vk, NULL, error);
  facet_backend_watch (&vk->base, NULL);
  return trusted;
}

FacetBackend *
facet_vulkan_backend_new (int device, const FacetModelParams *params, GError **error)
{
  FacetVk *vk;

  if (device == 0 && !kernel_has_device () && !facet_vk_pretends_kernel_device ()) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "Vulkan: there is no graphics processor, and a software device runs only by its number");
    return NULL;
  }
  vk = g_new0 (FacetVk, 1);
  vk->base.klass = &vulkan_class;
  vk->exact = params->exact;
  if (!facet_vk_instance_open (&vk->instance, error)) {
    g_free (vk);
    return NULL;
  }
  if (!choose (vk, device, error) || !open_device (vk, error) || !prepare (vk, error) || !trust (vk, params, error)) {
    vulkan_free (&vk->base);
    return NULL;
  }
  vk->base.description = g_strdup_printf ("vulkan (%s)", vk->info->name);
  return &vk->base;
}
