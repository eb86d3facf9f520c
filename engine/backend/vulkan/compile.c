#include "backend/vulkan/plan.h"

#include <string.h>

#define ALIGN 256

guint32
facet_vk_capacity (const FacetPlan *plan, int rows)
{
  return (guint32) (rows == FACET_ROWS_TOKENS ? plan->max_rows : rows == FACET_ROWS_OUTPUTS ? plan->max_outputs : rows);
}

/* ---- what the emitting files use ---- */

gboolean
facet_vk_begin (FacetVkCompiler *c, FacetVkDispatch *d, const char *name, const guint32 *constants, int n, int rows, GError **error)
{
  *d = (FacetVkDispatch) { .kind = FACET_VK_GROUPS_ROWS, .rows = rows, .rows_a_group = 1, .groups_a_row = 1, .y = 1,
                           .most_rows = G_MAXUINT32,
                           .shader = g_intern_string (name) };
  for (int i = 0; i < FACET_VK_BINDINGS; i++)
    d->operands[i].value = FACET_VK_RANGE;
  for (int i = 0; i < MIN (n, (int) G_N_ELEMENTS (d->constants)); i++)
    d->constants[i] = constants[i];
  return facet_vk_pipeline (c->plan->vk, name, constants, n, &d->pipeline, error);
}

void
facet_vk_bind (FacetVkDispatch *d, int binding, int value, gboolean write)
{
  d->operands[binding] = (FacetVkOperand) { .value = value, .write = write };
}

void
facet_vk_bind_range (FacetVkDispatch *d, int binding, FacetVkRange range, gboolean write)
{
  d->operands[binding] = (FacetVkOperand) { .value = FACET_VK_RANGE, .range = range, .write = write };
}

void
facet_vk_push (FacetVkDispatch *d, gconstpointer push, gsize bytes)
{
  g_assert (bytes <= FACET_VK_PUSH_BYTES);
  memcpy (d->push, push, bytes);
  d->push_bytes = (guint32) bytes;
}

void
facet_vk_end (FacetVkCompiler *c, const FacetVkDispatch *d)
{
  g_array_append_vals (c->plan->dispatches, d, 1);
}

int
facet_vk_scratch (FacetVkCompiler *c, gsize bytes)
{
  FacetVkValue value = { .placed = { .bytes = bytes } };

  g_array_append_val (c->plan->values, value);
  return (int) c->plan->values->len - 1;
}

FacetVkRange
facet_vk_vector (FacetVkCompiler *c, const FacetTensor *tensor)
{
  return facet_vk_weight (c->plan->vk, tensor)->parts[0].range;
}

/* ---- before anything is emitted ---- */

static FacetVkValue *
value_at (FacetPlan *plan, int value)
{
  return &g_array_index (plan->values, FacetVkValue, value);
}

static gboolean
is_gated (FacetVkCompiler *c, int geglu)
{
  const FacetGraph *g = c->plan->graph;
  const FacetNode *node = facet_graph_node (g, geglu), *a, *b;

  if (node->op != FACET_OP_GEGLU || c->uses[node->src[0]] != 1 || c->uses[node->src[1]] != 1)
    return FALSE;
  a = facet_graph_node (g, node->src[0]);
  b = facet_graph_node (g, node->src[1]);
  return a->op == FACET_OP_MATMUL && b->op == FACET_OP_MATMUL && a->src[0] == b->src[0] && a->w[0]->dtype == b->w[0]->dtype
         && a->w[1] == NULL && b->w[1] == NULL && node->src[0] != node->src[1];
}

/* A table that no product reads stays on the host: a step needs few of its rows. */
static gboolean
table_is_shared (const FacetGraph *graph, const FacetTensor *table)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);

    if (node->op == FACET_OP_MATMUL && node->w[0]->data == table->data)
      return TRUE;
  }
  return FALSE;
}

static FacetVkPlace
place_of (const FacetPlan *plan, int i)
{
  const FacetGraph *graph = plan->graph;
  const FacetNode *node = facet_graph_node (graph, i);

  if (node->op == FACET_OP_INPUT || node->op == FACET_OP_LOOKUP || (node->op == FACET_OP_EMBED && !table_is_shared (graph, node->w[0])))
    return FACET_VK_FROM_HOST;
  if (node->layer != FACET_NOT_A_LAYER)
    return FACET_VK_KEPT;
  return i != facet_graph_result (graph) ? FACET_VK_IN_ARENA : facet_vk_keeps_best (plan) ? FACET_VK_STAYS : FACET_VK_KEPT;
}

static void
look_over (FacetVkCompiler *c)
{
  const FacetGraph *g = c->plan->graph;
  int n = facet_graph_n_nodes (g);

  for (int i = 0; i < n; i++)
    for (int s = 0; s < FACET_MAX_SRC; s++)
      if (facet_graph_node (g, i)->src[s] >= 0)
        c->uses[facet_graph_node (g, i)->src[s]]++;
  for (int i = 0; i < n; i++) {
    const FacetNode *node = facet_graph_node (g, i);
    FacetVkValue value = { .place = place_of (c->plan, i) };

    g_array_append_val (c->plan->values, value);
    c->gated[i] = is_gated (c, i);
    if (c->gated[i])
      c->skip[node->src[0]] = c->skip[node->src[1]] = TRUE;
    if (value.place == FACET_VK_FROM_HOST)
      c->skip[i] = TRUE;
  }
  facet_vk_find_chains (c);
  facet_vk_find_heads (c);
  for (int i = 0; i < n; i++) {
    const FacetNode *node = facet_graph_node (g, i);

    if (!c->skip[i] || c->chains[i].written || value_at (c->plan, i)->place == FACET_VK_FROM_HOST)
      value_at (c->plan, i)->placed.bytes = (gsize) facet_vk_capacity (c->plan, node->rows) * node->cols * sizeof (float);
  }
}

static gboolean
require_weights (FacetVkCompiler *c, GError **error)
{
  g_autoptr (GPtrArray) tensors = g_ptr_array_new ();

  for (int i = 0; i < facet_graph_n_nodes (c->plan->graph); i++) {
    const FacetNode *node = facet_graph_node (c->plan->graph, i);

    if (value_at (c->plan, i)->place == FACET_VK_FROM_HOST)
      continue;
    if (node->op == FACET_OP_EXPERTS_UP || node->op == FACET_OP_EXPERTS_DOWN) {
      facet_vk_require_experts (c, node, tensors);
      continue;
    }
    for (int w = 0; w < 2; w++)
      if (node->w[w] != NULL)
        g_ptr_array_add (tensors, (gpointer) node->w[w]);
  }
  return facet_vk_weights_require (c->plan->vk, tensors, error);
}

static const struct {
  gboolean (*emit) (FacetVkCompiler *c, int node, GError **error);
  gboolean host; /* the host writes the value before a step */
} ops[FACET_OP_COUNT] = {
  [FACET_OP_EMBED] = { facet_vk_emit_embed, FALSE },
  [FACET_OP_LOOKUP] = { NULL, TRUE },
  [FACET_OP_INPUT] = { NULL, TRUE },
  [FACET_OP_TABLE] = { facet_vk_emit_embed, FALSE },
  [FACET_OP_TABLE_2D] = { facet_vk_emit_table_2d, FALSE },
  [FACET_OP_OUTPUTS] = { facet_vk_emit_outputs, FALSE },
  [FACET_OP_COLUMNS] = { facet_vk_emit_shape, FALSE },
  [FACET_OP_ROUTE] = { facet_vk_emit_route, FALSE },
  [FACET_OP_EXPERTS_UP] = { facet_vk_emit_experts_up, FALSE },
  [FACET_OP_EXPERTS_DOWN] = { facet_vk_emit_experts_down, FALSE },
  [FACET_OP_MATMUL] = { facet_vk_emit_matmul, FALSE },
  [FACET_OP_RMS_NORM] = { facet_vk_emit_norm, FALSE },
  [FACET_OP_LAYER_NORM] = { facet_vk_emit_norm, FALSE },
  [FACET_OP_ADD] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_MUL] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_SCALE] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_GELU] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_GEGLU] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_ROPE] = { facet_vk_emit_rope, FALSE },
  [FACET_OP_ROTATE] = { facet_vk_emit_rotate, FALSE },
  [FACET_OP_KV_STORE] = { facet_vk_emit_kv_store, FALSE },
  [FACET_OP_ATTENTION] = { facet_vk_emit_attention, FALSE },
  [FACET_OP_SOFTCAP] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_POOL] = { facet_vk_emit_pool, FALSE },
  [FACET_OP_RELU] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_SILU] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_CLAMP] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_GLU] = { facet_vk_emit_elementwise, FALSE },
  [FACET_OP_PATCHES] = { facet_vk_emit_shape, FALSE },
  [FACET_OP_CONV] = { facet_vk_emit_matmul, FALSE },
  [FACET_OP_DEPTHWISE] = { facet_vk_emit_depthwise, FALSE },
  [FACET_OP_UPSAMPLE] = { facet_vk_emit_shape, FALSE },
  [FACET_OP_RESHAPE] = { facet_vk_emit_shape, FALSE },
  [FACET_OP_EVERY] = { facet_vk_emit_shape, FALSE },
  [FACET_OP_CONCAT] = { facet_vk_emit_shape, FALSE },
  [FACET_OP_CAUSAL_CONV] = { facet_vk_emit_causal_conv, FALSE },
  [FACET_OP_LOCAL_ATTENTION] = { facet_vk_emit_local_attention, FALSE },
  [FACET_OP_CUM_STATS] = { facet_vk_emit_cumulative, FALSE },
  [FACET_OP_CUM_NORM] = { facet_vk_emit_cumulative, FALSE },
  [FACET_OP_MATCH_RMS] = { facet_vk_emit_row_statistics, FALSE },
  [FACET_OP_GAUSSIAN_TOPK] = { facet_vk_emit_row_statistics, FALSE },
  [FACET_OP_ALTUP_PREDICT] = { facet_vk_emit_altup, FALSE },
  [FACET_OP_ALTUP_CORRECT] = { facet_vk_emit_altup, FALSE },
  [FACET_OP_ALTUP_INJECT] = { facet_vk_emit_altup, FALSE },
};

gboolean
facet_vk_supports (FacetBackend *backend, const FacetGraph *graph, GError **error)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *n = facet_graph_node (graph, i);

    if (ops[n->op].emit == NULL && !ops[n->op].host) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: there is no shader for operation %d", n->op);
      return FALSE;
    }
    if (n->op == FACET_OP_ATTENTION && !facet_vk_check_attention ((FacetVk *) backend, &n->u.attention, error))
      return FALSE;
  }
  return facet_vk_trust ((FacetVk *) backend, graph, error);
}

static gboolean
emit (FacetVkCompiler *c, int i, GError **error)
{
  if (c->chains[i].norm >= 0)
    return facet_vk_emit_chain (c, i, error);
  return c->gated[i] ? facet_vk_emit_matmul (c, i, error) : ops[facet_graph_node (c->plan->graph, i)->op].emit (c, i, error);
}

/* ---- memory ---- */

static void
find_lifetimes (FacetPlan *plan)
{
  for (guint v = 0; v < plan->values->len; v++) {
    value_at (plan, (int) v)->placed.born = G_MAXINT;
    if (value_at (plan, (int) v)->place == FACET_VK_STAYS)
      value_at (plan, (int) v)->placed.dies = (int) plan->dispatches->len;
  }
  for (guint i = 0; i < plan->dispatches->len; i++) {
    const FacetVkDispatch *d = &g_array_index (plan->dispatches, FacetVkDispatch, i);

    for (int b = 1; b < FACET_VK_BINDINGS; b++) {
      FacetPlaced *placed = d->operands[b].value >= 0 ? &value_at (plan, d->operands[b].value)->placed : NULL;

      if (placed == NULL)
        continue;
      placed->born = MIN (placed->born, (int) i);
      placed->dies = MAX (placed->dies, (int) i);
    }
  }
}

static gsize
aligned (gsize bytes)
{
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* The step block, then the counts of groups, the angles, soft rows and the
 * values from the host. */
static gsize
lay_out_upload (FacetPlan *plan)
{
  gsize at;

  plan->step_bytes = sizeof (gint32) * (FACET_STEP_HEADER + 2 * plan->max_rows + plan->max_outputs);
  plan->indirect_at = aligned (plan->step_bytes);
  at = aligned (plan->indirect_at + sizeof (VkDispatchIndirectCommand) * plan->dispatches->len);
  plan->rope_at = g_new0 (gsize, plan->ropes.n + 1);
  for (int t = 0; t < plan->ropes.n; t++) {
    plan->rope_at[t] = at;
    at = aligned (at + sizeof (float) * plan->max_rows * plan->ropes.head[t]);
  }
  plan->soft_at = at;
  /* Something is bound even where there are none. */
  at = aligned (at + MAX (sizeof (float) * plan->max_rows * plan->soft_cols, 16));
  for (guint v = 0; v < plan->values->len; v++) {
    FacetVkValue *value = value_at (plan, (int) v);

    if (value->place != FACET_VK_FROM_HOST)
      continue;
    value->placed.offset = at;
    at = aligned (at + value->placed.bytes);
  }
  return at;
}

static gsize
lay_out_kept (FacetPlan *plan)
{
  gsize at = 0;

  for (guint v = 0; v < plan->values->len; v++) {
    FacetVkValue *value = value_at (plan, (int) v);

    if (value->place != FACET_VK_KEPT)
      continue;
    value->placed.offset = at;
    at = aligned (at + value->placed.bytes);
  }
  return at;
}

static gboolean
is_in_arena (FacetPlan *plan, guint v)
{
  FacetVkPlace place = value_at (plan, (int) v)->place;

  return place == FACET_VK_IN_ARENA || place == FACET_VK_STAYS;
}

static gsize
lay_out_arena (FacetPlan *plan)
{
  guint n = plan->values->len;
  g_autofree FacetPlaced *placed = g_new0 (FacetPlaced, n);
  gsize bytes;

  for (guint v = 0; v < n; v++) {
    placed[v] = value_at (plan, (int) v)->placed;
    placed[v].bytes = is_in_arena (plan, v) && placed[v].born != G_MAXINT ? aligned (placed[v].bytes) : 0;
  }
  bytes = facet_place (placed, (int) n);
  for (guint v = 0; v < n; v++)
    if (is_in_arena (plan, v))
      value_at (plan, (int) v)->placed.offset = placed[v].offset;
  return bytes;
}

static gboolean
values_fit (FacetPlan *plan, GError **error)
{
  for (guint v = 0; v < plan->values->len; v++)
    if (value_at (plan, (int) v)->placed.bytes > plan->vk->limits.range) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: a value of %" G_GSIZE_FORMAT " MiB is more than %s can bind",
                   value_at (plan, (int) v)->placed.bytes >> 20, plan->vk->info->name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
allocate (FacetPlan *plan, GError **error)
{
  FacetVk *vk = plan->vk;

  find_lifetimes (plan);
  if (!values_fit (plan, error) || !facet_vk_buffer_new (vk, lay_out_upload (plan), FACET_VK_UPLOAD, &plan->upload, error)
      || !facet_vk_buffer_new (vk, lay_out_kept (plan), FACET_VK_READBACK, &plan->kept, error)
      || !facet_vk_buffer_new (vk, lay_out_arena (plan), FACET_VK_DEVICE, &plan->arena, error))
    return FALSE;
  for (guint v = 0; v < plan->values->len; v++) {
    FacetVkValue *value = value_at (plan, (int) v);
    const FacetVkBuffer *home[] = { &plan->arena, &plan->upload, &plan->kept, &plan->arena };

    value->range = (FacetVkRange) { home[value->place]->buffer, value->placed.offset, value->placed.bytes };
  }
  return TRUE;
}

/* ---- the whole ---- */

static gboolean
build (FacetVkCompiler *c, GError **error)
{
  FacetPlan *plan = c->plan;

  facet_rope_angles_init (&plan->ropes, plan->graph);
  if (!facet_vk_supports (&plan->vk->base, plan->graph, error))
    return FALSE;
  look_over (c);
  if (!require_weights (c, error))
    return FALSE;
  for (int i = 0, n = facet_graph_n_nodes (plan->graph); i < n; i++)
    if ((!c->skip[i] && !emit (c, i, error)) || !facet_vk_go_on (plan->vk, FACET_VK_BUILDING, (guint64) i + 1, (guint64) n, error))
      return FALSE;
  return (!facet_vk_keeps_best (plan) || facet_vk_emit_best (c, error)) && allocate (plan, error) && facet_vk_record (plan, error);
}

FacetPlan *
facet_vk_compile (FacetBackend *backend, const FacetGraph *graph, FacetKv *kv, int max_rows, int max_outputs, GError **error)
{
  int n = facet_graph_n_nodes (graph);
  FacetPlan *plan = g_new0 (FacetPlan, 1);
  FacetVkCompiler c = { plan, g_new0 (int, n), g_new0 (gboolean, n), g_new0 (gboolean, n), g_new0 (gboolean, n),
                        g_new (int, n), g_new (int, n), g_new (int, n),
                        g_new0 (FacetVkChain, n), g_ptr_array_new_with_free_func (g_free) };

  for (int i = 0; i < n; i++)
    c.eights[i] = c.halves[i] = c.orders[i] = -1;
  plan->vk = (FacetVk *) backend;
  plan->graph = graph;
  plan->kv = kv;
  plan->max_rows = max_rows;
  plan->max_outputs = max_outputs;
  plan->best = plan->whole = -1;
  plan->values = g_array_new (FALSE, TRUE, sizeof (FacetVkValue));
  plan->dispatches = g_array_new (FALSE, TRUE, sizeof (FacetVkDispatch));
  plan->segments = g_array_new (FALSE, TRUE, sizeof (FacetVkSegment));
  if (!build (&c, error))
    g_clear_pointer (&plan, facet_vk_plan_free);
  g_free (c.uses);
  g_free (c.gated);
  g_free (c.skip);
  g_free (c.joined);
  g_free (c.eights);
  g_free (c.halves);
  g_free (c.orders);
  g_free (c.chains);
  g_ptr_array_unref (c.owned);
  return plan;
}

void
facet_vk_plan_free (FacetPlan *plan)
{
  FacetVk *vk = plan->vk;

  for (guint i = 0; i < plan->segments->len; i++)
    vk->instance.f.FreeCommandBuffers (vk->device, vk->pool, 1, &g_array_index (plan->segments, FacetVkSegment, i).commands);
  if (plan->fetch != VK_NULL_HANDLE)
    vk->instance.f.FreeCommandBuffers (vk->device, vk->pool, 1, &plan->fetch);
  if (plan->sets != VK_NULL_HANDLE)
    vk->instance.f.DestroyDescriptorPool (vk->device, plan->sets, NULL);
  facet_vk_buffer_free (vk, &plan->arena);
  facet_vk_buffer_free (vk, &plan->upload);
  facet_vk_buffer_free (vk, &plan->kept);
  facet_rope_angles_clear (&plan->ropes);
  g_array_unref (plan->values);
  g_array_unref (plan->dispatches);
  g_array_unref (plan->segments);
  g_free (plan->commands);
  g_free (plan->rope_at);
  g_free (plan);
}
