#include "backend/vulkan/vk.h"

#include <string.h>

#include "backend/vulkan/fault.h"
#include "backend/vulkan/shaders.h"

#define MAX_CONSTANTS 9

static const FacetShader *
find_shader (const char *name)
{
  for (guint i = 0; i < facet_n_shaders; i++)
    if (g_str_equal (facet_shaders[i].name, name))
      return &facet_shaders[i];
  return NULL;
}

static gboolean
create (FacetVk *vk, const FacetShader *shader, const guint32 *constants, int n, VkPipeline *pipeline, GError **error)
{
  const FacetVkFunctions *f = &vk->instance.f;
  VkSpecializationMapEntry entries[MAX_CONSTANTS];
  VkSpecializationInfo specialization = { .mapEntryCount = (guint32) n, .pMapEntries = entries, .dataSize = sizeof *constants * n,
                                          .pData = constants };
  VkShaderModuleCreateInfo module = { .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = shader->bytes,
                                      .pCode = shader->code };
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO, .requiredSubgroupSize = constants != NULL ? constants[0] : 0
  };
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
    .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .stage = VK_SHADER_STAGE_COMPUTE_BIT,
               .pName = "main", .pSpecializationInfo = n > 0 ? &specialization : NULL },
    .layout = vk->layout,
  };
  gboolean done;

  g_assert (n <= MAX_CONSTANTS);
  if (shader->subgroup) {
    info.stage.pNext = &size;
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  }
  for (int i = 0; i < n; i++)
    entries[i] = (VkSpecializationMapEntry) { (guint32) i, (guint32) (i * sizeof *constants), sizeof *constants };
  if (!facet_vk_check (f->CreateShaderModule (vk->device, &module, NULL, &info.stage.module), shader->name, error))
    return FALSE;
  done = facet_vk_check (f->CreateComputePipelines (vk->device, vk->cache, 1, &info, NULL, pipeline), shader->name, error);
  f->DestroyShaderModule (vk->device, info.stage.module, NULL);
  return done;
}

gboolean
facet_vk_pipeline (FacetVk *vk, const char *name, const guint32 *constants, int n, VkPipeline *pipeline, GError **error)
{
  const FacetShader *shader = find_shader (facet_vk_fault_shader (name));
  g_autoptr (GString) key = g_string_new (name);
  VkPipeline known;

  if (shader == NULL) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: there is no shader \"%s\"", name);
    return FALSE;
  }
  for (int i = 0; i < n; i++)
    g_string_append_printf (key, " %u", constants[i]);
  known = g_hash_table_lookup (vk->pipelines, key->str);
  if (known == VK_NULL_HANDLE) {
    if (!create (vk, shader, constants, n, &known, error))
      return FALSE;
    vk->cache_is_new = TRUE;
    g_hash_table_insert (vk->pipelines, g_strdup (key->str), known);
  }
  *pipeline = known;
  return TRUE;
}

void
facet_vk_pipelines_drop (FacetVk *vk)
{
  GHashTableIter iter;
  gpointer pipeline;

  g_hash_table_iter_init (&iter, vk->pipelines);
  while (g_hash_table_iter_next (&iter, NULL, &pipeline))
    vk->instance.f.DestroyPipeline (vk->device, pipeline, NULL);
  g_hash_table_remove_all (vk->pipelines);
}

void
facet_vk_pipelines_free (FacetVk *vk)
{
  facet_vk_pipelines_drop (vk);
  g_hash_table_unref (vk->pipelines);
}
