#include "backend/vulkan/plan.h"

#include <math.h>

typedef struct {
  FacetVkRange range;
  gboolean     write;
} Access;

typedef struct {
  FacetPlan      *plan;
  VkCommandBuffer commands;  /* being recorded, or NULL */
  double          cost;
  GArray         *pending;   /* Access since the last barrier */
} Recorder;

gboolean
facet_vk_varies (const FacetPlan *plan, const FacetVkDispatch *d)
{
  if (d->split > 0 || d->kind == FACET_VK_GROUPS_BEST)
    return TRUE;
  return d->rows < 0 && plan->max_rows > 1;
}

VkDispatchIndirectCommand
facet_vk_groups (const FacetVkDispatch *d, guint32 rows, guint32 splits)
{
  guint32 x;

  if (d->kind == FACET_VK_GROUPS_ATTENTION)
    rows *= (guint32) (d->attention->n_head / d->attention->n_kv);
  if (rows < d->least_rows || rows > d->most_rows)
    return (VkDispatchIndirectCommand) { 0, 0, 0 };
  x = (rows + d->rows_a_group - 1) / d->rows_a_group * d->groups_a_row;
  if (d->kind == FACET_VK_GROUPS_EXPERTS) {
    guint32 places = rows * d->groups_a_row;

    x = (places + MIN (places, d->experts) * (d->rows_a_group - 1)) / d->rows_a_group;
  }
  if (d->kind == FACET_VK_GROUPS_ATTENTION)
    return (VkDispatchIndirectCommand) { x, d->y, splits };
  if (x == 0 || (d->kind == FACET_VK_GROUPS_MERGE && splits == 1))
    return (VkDispatchIndirectCommand) { 0, 0, 0 };
  return (VkDispatchIndirectCommand) { MIN (x, FACET_MAX_GROUPS), d->y, (x + FACET_MAX_GROUPS - 1) / FACET_MAX_GROUPS };
}

FacetVkRange
facet_vk_resolve (const FacetPlan *plan, const FacetVkOperand *operand)
{
  gsize bytes;

  if (operand->value >= 0)
    return g_array_index (plan->values, FacetVkValue, operand->value).range;
  if (operand->value == FACET_VK_RANGE)
    return operand->range;
  if (operand->value == FACET_VK_SOFT)
    return (FacetVkRange) { plan->upload.buffer, plan->soft_at, MAX (sizeof (float) * plan->max_rows * plan->soft_cols, 16) };
  bytes = sizeof (float) * plan->max_rows * plan->ropes.head[-3 - operand->value];
  return (FacetVkRange) { plan->upload.buffer, plan->rope_at[-3 - operand->value], bytes };
}

static gboolean
overlap (const FacetVkRange *a, const FacetVkRange *b)
{
  return a->buffer == b->buffer && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static gboolean
conflicts (Recorder *r, const FacetVkDispatch *d)
{
  for (int b = 1; b < FACET_VK_BINDINGS; b++) {
    FacetVkRange range = facet_vk_resolve (r->plan, &d->operands[b]);

    if (range.buffer == VK_NULL_HANDLE)
      continue;
    for (guint i = 0; i < r->pending->len; i++) {
      const Access *access = &g_array_index (r->pending, Access, i);

      if ((access->write || d->operands[b].write) && overlap (&access->range, &range))
        return TRUE;
    }
  }
  return FALSE;
}

static void
barrier (Recorder *r, VkPipelineStageFlags to, VkAccessFlags access)
{
  VkMemoryBarrier memory = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                             .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, .dstAccessMask = access };

  r->plan->vk->instance.f.CmdPipelineBarrier (r->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT, to, 0, 1,
                                              &memory, 0, NULL, 0, NULL);
  g_array_set_size (r->pending, 0);
}

static void
note (Recorder *r, const FacetVkDispatch *d)
{
  for (int b = 1; b < FACET_VK_BINDINGS; b++) {
    Access access = { facet_vk_resolve (r->plan, &d->operands[b]), d->operands[b].write };

    if (access.range.buffer != VK_NULL_HANDLE)
      g_array_append_val (r->pending, access);
  }
}

static gboolean
make_set_pool (FacetPlan *plan, GError **error)
{
  guint32 n = MAX (plan->dispatches->len, 1);
  VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, n * FACET_VK_BINDINGS };
  VkDescriptorPoolCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = n, .poolSizeCount = 1,
                                      .pPoolSizes = &size };

  return facet_vk_check (plan->vk->instance.f.CreateDescriptorPool (plan->vk->device, &info, NULL, &plan->sets), "descriptor pool", error);
}

static gboolean
make_set (FacetPlan *plan, const FacetVkDispatch *d, VkDescriptorSet *set, GError **error)
{
  FacetVk *vk = plan->vk;
  VkDescriptorSetAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, .descriptorPool = plan->sets,
                                       .descriptorSetCount = 1, .pSetLayouts = &vk->set_layout };
  VkDescriptorBufferInfo buffers[FACET_VK_BINDINGS];
  VkWriteDescriptorSet writes[FACET_VK_BINDINGS];
  guint32 n = 0;

  if (!facet_vk_check (vk->instance.f.AllocateDescriptorSets (vk->device, &info, set), "descriptor set", error))
    return FALSE;
  for (guint32 b = 0; b < FACET_VK_BINDINGS; b++) {
    FacetVkRange range = b == 0 ? (FacetVkRange) { plan->upload.buffer, 0, plan->step_bytes } : facet_vk_resolve (plan, &d->operands[b]);

    if (range.buffer == VK_NULL_HANDLE)
      continue;
    buffers[n] = (VkDescriptorBufferInfo) { range.buffer, range.offset, range.size };
    writes[n] = (VkWriteDescriptorSet) { .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = *set, .dstBinding = b,
                                         .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                         .pBufferInfo = &buffers[n] };
    n++;
  }
  vk->instance.f.UpdateDescriptorSets (vk->device, n, writes, 0, NULL);
  return TRUE;
}

static gboolean
begin_commands (FacetVk *vk, VkCommandBuffer *commands, GError **error)
{
  VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = vk->pool,
                                       .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
  VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };

  return facet_vk_check (vk->instance.f.AllocateCommandBuffers (vk->device, &info, commands), "command buffer", error)
         && facet_vk_check (vk->instance.f.BeginCommandBuffer (*commands, &begin), "command buffer", error);
}

static gboolean
begin_segment (Recorder *r, GError **error)
{
  FacetVkSegment segment = { VK_NULL_HANDLE, 0 };
  gboolean begun = begin_commands (r->plan->vk, &segment.commands, error);

  g_array_append_val (r->plan->segments, segment);
  if (!begun)
    return FALSE;
  r->commands = segment.commands;
  r->cost = 0;
  /* What earlier command buffers of the queue did. */
  barrier (r, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
  return TRUE;
}

static gboolean
end_segment (Recorder *r, GError **error)
{
  VkCommandBuffer commands = r->commands;

  g_array_index (r->plan->segments, FacetVkSegment, r->plan->segments->len - 1).cost = r->cost;
  barrier (r, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
  r->commands = VK_NULL_HANDLE;
  return facet_vk_check (r->plan->vk->instance.f.EndCommandBuffer (commands), "command buffer", error);
}

/* What steps of few rows do takes longer: memory bounds it. */
static double
slower (const FacetPlan *plan, double cost)
{
  return plan->kv != NULL && plan->max_rows <= FACET_VK_FEW_ROWS ? cost / 4 : cost;
}

/* Of a dispatch; only those of the most rows are divided. */
static guint32
count_parts (const FacetPlan *plan, const FacetVkDispatch *d, VkDispatchIndirectCommand groups)
{
  double parts = ceil (d->cost / slower (plan, plan->vk->part_cost));

  return d->divisible && groups.z == 1 ? (guint32) CLAMP (parts, 1, MAX (groups.x, groups.y)) : 1;
}

/* Groups of part @part of @n, along the longer side. */
static void
dispatch_part (Recorder *r, VkDispatchIndirectCommand groups, guint32 part, guint32 n)
{
  gboolean by_y = groups.y > groups.x;
  guint64 side = MAX (groups.x, groups.y);
  guint32 from = (guint32) (side * part / n), count = (guint32) (side * (part + 1) / n) - from;

  r->plan->vk->instance.f.CmdDispatchBase (r->commands, by_y ? 0 : from, by_y ? from : 0, 0, by_y ? groups.x : count,
                                           by_y ? count : groups.y, 1);
}

static void
record_part (Recorder *r, guint i, VkDescriptorSet set, guint32 part, guint32 n)
{
  FacetPlan *plan = r->plan;
  const FacetVkFunctions *f = &plan->vk->instance.f;
  const FacetVkDispatch *d = &g_array_index (plan->dispatches, FacetVkDispatch, i);
  VkDispatchIndirectCommand groups = facet_vk_groups (d, facet_vk_capacity (plan, d->rows), 1);

  /* Parts of one dispatch write different rows and columns. */
  if (part == 0 && conflicts (r, d))
    barrier (r, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
  note (r, d);
  f->CmdBindPipeline (r->commands, VK_PIPELINE_BIND_POINT_COMPUTE, d->pipeline);
  f->CmdBindDescriptorSets (r->commands, VK_PIPELINE_BIND_POINT_COMPUTE, plan->vk->layout, 0, 1, &set, 0, NULL);
  f->CmdPushConstants (r->commands, plan->vk->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, d->push_bytes, d->push);
  if (n > 1)
    dispatch_part (r, groups, part, n);
  else if (facet_vk_varies (plan, d))
    f->CmdDispatchIndirect (r->commands, plan->upload.buffer, plan->indirect_at + i * sizeof groups);
  else
    f->CmdDispatch (r->commands, groups.x, groups.y, groups.z);
  r->cost += d->cost / n;
}

static gboolean
record_one (Recorder *r, guint i, GError **error)
{
  FacetPlan *plan = r->plan;
  const FacetVkDispatch *d = &g_array_index (plan->dispatches, FacetVkDispatch, i);
  guint32 n = count_parts (plan, d, facet_vk_groups (d, facet_vk_capacity (plan, d->rows), 1));
  VkDescriptorSet set;

  if (!make_set (plan, d, &set, error))
    return FALSE;
  for (guint32 part = 0; part < n; part++) {
    gboolean last = part + 1 == n && i + 1 == plan->dispatches->len;

    if (r->commands == VK_NULL_HANDLE && !begin_segment (r, error))
      return FALSE;
    record_part (r, i, set, part, n);
    if ((r->cost >= slower (plan, plan->vk->segment_cost) || last) && !end_segment (r, error))
      return FALSE;
  }
  return TRUE;
}

/* The whole result to the host, for when its best do not suffice. */
static gboolean
record_fetch (FacetPlan *plan, GError **error)
{
  Recorder r = { .plan = plan, .pending = g_array_new (FALSE, FALSE, sizeof (Access)) };
  const FacetVkRange *from = &g_array_index (plan->values, FacetVkValue, facet_graph_result (plan->graph)).range;
  const FacetVkRange *to = &g_array_index (plan->values, FacetVkValue, plan->whole).range;
  VkBufferCopy copy = { from->offset, to->offset, to->size };
  gboolean done = begin_commands (plan->vk, &plan->fetch, error);

  if (done) {
    r.commands = plan->fetch;
    barrier (&r, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
    plan->vk->instance.f.CmdCopyBuffer (r.commands, from->buffer, to->buffer, 1, &copy);
    barrier (&r, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    done = facet_vk_check (plan->vk->instance.f.EndCommandBuffer (r.commands), "command buffer", error);
  }
  g_array_unref (r.pending);
  return done;
}

gboolean
facet_vk_record (FacetPlan *plan, GError **error)
{
  Recorder r = { .plan = plan, .pending = g_array_new (FALSE, FALSE, sizeof (Access)) };
  gboolean done = make_set_pool (plan, error);

  for (guint i = 0; done && i < plan->dispatches->len; i++)
    done = record_one (&r, i, error);
  g_array_unref (r.pending);
  plan->commands = g_new (VkCommandBuffer, plan->segments->len);
  return done && (plan->best < 0 || record_fetch (plan, error));
}
