#include "backend/vulkan/plan.h"

#include <string.h>

#include "backend/cpu/kernels.h"
#include "backend/table-columns.h"
#include "backend/vulkan/fault.h"

/* What a submit should take: short enough for a smooth desktop and a prompt
 * Stop, long enough that its overhead does not count. */
#define SUBMIT_SECONDS 0.05
/* Before anything was measured: a slow device. */
#define FIRST_SECONDS_PER_COST 1e-9

static guint32
rows_of (const FacetStep *step, int rows)
{
  return (guint32) (rows == FACET_ROWS_TOKENS ? step->n : rows == FACET_ROWS_OUTPUTS ? step->n_outputs : rows);
}

/* ---- what the device reads ---- */

static void
write_block (FacetPlan *plan, const FacetStep *step)
{
  gint32 *words = (gint32 *) (gpointer) plan->upload.mapped;
  gint32 *ids = words + FACET_STEP_HEADER, *visible = ids + plan->max_rows, *outputs = visible + plan->max_rows;

  words[FACET_STEP_N] = step->n;
  words[FACET_STEP_POSITION] = step->position;
  words[FACET_STEP_N_OUTPUTS] = step->n_outputs;
  words[FACET_STEP_IDS_AT] = FACET_STEP_HEADER;
  words[FACET_STEP_VISIBLE_AT] = FACET_STEP_HEADER + plan->max_rows;
  words[FACET_STEP_OUTPUTS_AT] = FACET_STEP_HEADER + 2 * plan->max_rows;
  for (int row = 0; row < step->n; row++) {
    /* The soft row that this row stands for is copied to its own place. */
    ids[row] = step->ids == NULL ? 0 : step->ids[row] < 0 ? -1 - row : step->ids[row];
    visible[row] = step->visible != NULL ? step->visible[row] : step->position + row;
  }
  for (int i = 0; i < step->n_outputs; i++)
    outputs[i] = step->outputs[i];
}

/* As visible.glsl: keys lo <= key < hi of @row of class @rows. */
void
facet_vk_visible_keys (const FacetStep *step, const FacetVkDispatch *d, int row, int *lo, int *hi)
{
  const FacetAttention *at = d->attention;
  int token = d->rows == FACET_ROWS_OUTPUTS ? step->outputs[row] : row, position = step->position + token;

  *lo = at->window > 0 ? MAX (0, position - at->window + 1) : 0;
  *hi = 1 + (at->spans && step->visible != NULL ? step->visible[token] : position);
}

guint32
facet_vk_count_splits (const FacetStep *step, const FacetVkDispatch *d)
{
  int first = 0, last = 0, rows = (int) rows_of (step, d->rows);

  if (d->split == 0 || rows == 0)
    return 1;
  for (int row = rows - 1; row >= 0; row--) {
    int hi;

    facet_vk_visible_keys (step, d, row, &first, &hi);
    last = MAX (last, hi - 1);
  }
  return (guint32) (last / (int) d->split - first / (int) d->split + 1);
}

VkDispatchIndirectCommand
facet_vk_step_groups (const FacetPlan *plan, const FacetVkDispatch *d, const FacetStep *step)
{
  if (d->kind == FACET_VK_GROUPS_BEST && !step->only_best)
    return (VkDispatchIndirectCommand) { 0, 0, 0 };
  return facet_vk_varies (plan, d) ? facet_vk_groups (d, rows_of (step, d->rows), facet_vk_count_splits (step, d))
                                   : facet_vk_groups (d, facet_vk_capacity (plan, d->rows), 1);
}

static void
write_groups (FacetPlan *plan, const FacetStep *step)
{
  VkDispatchIndirectCommand *groups = (VkDispatchIndirectCommand *) (gpointer) (plan->upload.mapped + plan->indirect_at);

  for (guint i = 0; i < plan->dispatches->len; i++) {
    const FacetVkDispatch *d = &g_array_index (plan->dispatches, FacetVkDispatch, i);

    if (facet_vk_varies (plan, d))
      groups[i] = facet_vk_step_groups (plan, d, step);
  }
}

static void
write_angles (FacetPlan *plan, const FacetStep *step)
{
  for (int t = 0; t < plan->ropes.n; t++)
    for (int row = 0; row < step->n; row++)
      facet_rope_angles_row (&plan->ropes, t, step->position + row,
                             (float *) (gpointer) (plan->upload.mapped + plan->rope_at[t]) + (gsize) row * plan->ropes.head[t]);
}

static void
write_embeddings (const FacetNode *node, const FacetStep *step, float *y)
{
  const FacetKernels *k = facet_kernels_get ();
  gsize stride = facet_dtype_row_bytes (node->w[0]->dtype, (gsize) node->cols);

  for (int row = 0; row < step->n; row++, y += node->cols) {
    gint32 id = step->ids[row];

    if (id < 0) {
      memcpy (y, step->soft + (gsize) (-1 - id) * node->cols, sizeof (float) * node->cols);
    } else {
      k->dequantize[node->w[0]->dtype] ((const guint8 *) node->w[0]->data + (gsize) id * stride, y, (gsize) node->cols);
      k->scale (y, node->f[0], y, (gsize) node->cols);
    }
  }
}

static void
write_lookup (const FacetNode *node, const FacetStep *step, float *y)
{
  const FacetKernels *k = facet_kernels_get ();
  const FacetTensor *table = node->w[0];
  gsize stride = facet_dtype_row_bytes (table->dtype, (gsize) table->ne[0]);
  guint32 rows = rows_of (step, node->rows);

  for (guint32 row = 0; row < rows; row++, y += node->cols) {
    gint32 id = step->ids[node->rows == FACET_ROWS_OUTPUTS ? (guint32) step->outputs[row] : row];

    if (id < 0 || id >= table->ne[1])
      id = 0;
    facet_dequantize_columns (k, table->dtype, (const guint8 *) table->data + (gsize) id * stride, node->i[0], node->cols, y);
    k->scale (y, node->f[0], y, (gsize) node->cols);
  }
}

static void
write_soft_rows (FacetPlan *plan, const FacetStep *step)
{
  gsize bytes = sizeof (float) * plan->soft_cols;

  for (int row = 0; plan->soft_cols > 0 && row < step->n; row++)
    if (step->ids[row] < 0)
      memcpy (plan->upload.mapped + plan->soft_at + row * bytes, step->soft + (gsize) (-1 - step->ids[row]) * plan->soft_cols, bytes);
}

static void
write_values (FacetPlan *plan, const FacetStep *step)
{
  for (int i = 0; i < facet_graph_n_nodes (plan->graph); i++) {
    const FacetVkValue *value = &g_array_index (plan->values, FacetVkValue, i);
    const FacetNode *node = facet_graph_node (plan->graph, i);
    float *y = (float *) (gpointer) (plan->upload.mapped + value->range.offset);

    if (value->place != FACET_VK_FROM_HOST)
      continue;
    if (node->op == FACET_OP_EMBED)
      write_embeddings (node, step, y);
    else if (node->op == FACET_OP_LOOKUP)
      write_lookup (node, step, y);
    else
      memcpy (y, step->inputs[node->i[0]], sizeof (float) * rows_of (step, node->rows) * node->cols);
  }
}

/* ---- the run ---- */

/* Segments first .. end - 1 should together take SUBMIT_SECONDS. */
static guint
end_of_submit (const FacetPlan *plan, guint first, double share)
{
  double rate = plan->vk->seconds_per_cost > 0 ? plan->vk->seconds_per_cost : FIRST_SECONDS_PER_COST, seconds = 0;
  guint end = first;

  do
    seconds += g_array_index (plan->segments, FacetVkSegment, end++).cost * share * rate;
  while (end < plan->segments->len && seconds < SUBMIT_SECONDS);
  return end;
}

/* Adds up what they cost. */
static gboolean
queue_segments (FacetPlan *plan, guint first, guint end, double share, gboolean last, double *cost, GError **error)
{
  VkCommandBuffer *commands = plan->commands;
  double sum = 0;

  for (guint i = first; i < end; i++) {
    commands[i - first] = g_array_index (plan->segments, FacetVkSegment, i).commands;
    sum += g_array_index (plan->segments, FacetVkSegment, i).cost * share;
  }
  facet_vk_fault_note_submit (sum);
  *cost += sum;
  return facet_vk_queue (plan->vk, commands, end - first, last, error);
}

/* Slower than thought counts at once, faster by and by. */
static void
learn (FacetVk *vk, double cost, gint64 since)
{
  double rate = facet_vk_fault_seconds (cost, (double) (g_get_monotonic_time () - since) * 1e-6) / MAX (cost, 1);

  vk->seconds_per_cost = MAX (rate, 0.75 * vk->seconds_per_cost + 0.25 * rate);
}

/* Stop is heard between submits; a decoder's step of one row is waited for once. */
static gboolean
run_segments (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error)
{
  double share = (double) step->n / plan->max_rows;
  gboolean at_once = plan->kv != NULL && plan->max_rows == 1;
  gint64 start = g_get_monotonic_time ();
  double cost = 0;

  for (guint first = 0, end; first < plan->segments->len; first = end) {
    gboolean last;

    if ((first == 0 || !at_once) && facet_is_cancelled (cancel)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
    end = end_of_submit (plan, first, share);
    last = !at_once || end == plan->segments->len;
    if (!queue_segments (plan, first, end, share, last, &cost, error))
      return FALSE;
    if (!last)
      continue;
    if (!facet_vk_wait (plan->vk, error))
      return FALSE;
    learn (plan->vk, cost, start);
    if (step->progress != NULL)
      step->progress ((int) end, (int) plan->segments->len, step->progress_data);
    start = g_get_monotonic_time ();
    cost = 0;
  }
  return TRUE;
}

gboolean
facet_vk_plan_run (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error)
{
  g_assert (step->n >= 0 && step->n <= plan->max_rows && step->n_outputs <= plan->max_outputs);
  write_block (plan, step);
  write_groups (plan, step);
  write_angles (plan, step);
  write_soft_rows (plan, step);
  write_values (plan, step);
  if (!run_segments (plan, step, cancel, error))
    return FALSE;
  return step->only_best || step->n_outputs == 0 || facet_vk_plan_fetch (plan, error);
}
