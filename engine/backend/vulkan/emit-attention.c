#include "backend/vulkan/plan.h"

#define MIN_SPLIT 128
#define MAX_SPLITS 64

static guint32
row_class (int rows)
{
  return (guint32) rows;
}

/* Queries a work group: as many as there are and as its memory holds. */
static guint32
query_rows (const FacetPlan *plan, const FacetNode *n)
{
  const FacetAttention *at = &n->u.attention;
  guint32 queries = facet_vk_capacity (plan, n->rows) * (guint32) (at->n_head / at->n_kv), rows = FACET_ATTENTION_ROWS;

  /* Keys, partial sums and scores take about 7 KiB and 256 bytes a query. */
  while (rows > 1 && (rows / 2 >= queries || 7168 + rows * (4 * (guint32) at->head_k + 512) > plan->vk->limits.shared))
    rows /= 2;
  return rows;
}

static guint32
split_keys (const FacetPlan *plan, const FacetNode *n)
{
  const FacetAttention *at = &n->u.attention;
  guint32 ring;

  if (at->cache < 0 || facet_vk_capacity (plan, n->rows) > FACET_VK_FEW_ROWS)
    return 0;
  ring = (guint32) plan->kv->ring[at->cache];
  return MAX (MIN_SPLIT, (ring / MAX_SPLITS + MIN_SPLIT - 1) / MIN_SPLIT * MIN_SPLIT);
}

static gboolean
emit_merge (FacetVkCompiler *c, int node, const struct FacetPushAttention *push, int parts, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "attention-merge", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, parts, FALSE);
  facet_vk_push (&d, push, sizeof *push);
  d.kind = FACET_VK_GROUPS_MERGE;
  d.attention = &n->u.attention;
  d.split = push->split;
  d.y = push->n_head;
  d.cost = 1000;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_check_attention (FacetVk *vk, const FacetAttention *at, GError **error)
{
  if (at->head_v <= 8 * FACET_ATTENTION_KEYS && 7168 + 4 * at->head_k + 512 <= (int) vk->limits.shared)
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: attention heads of %d and %d columns are too large", at->head_k, at->head_v);
  return FALSE;
}

static struct FacetPushAttention
make_push (const FacetPlan *plan, const FacetNode *n)
{
  const FacetAttention *at = &n->u.attention;
  struct FacetPushAttention push = {
    .rows = row_class (n->rows),
    .n_head = (guint32) at->n_head,
    .n_kv = (guint32) at->n_kv,
    .head_k = (guint32) at->head_k,
    .head_v = (guint32) at->head_v,
    .window = (guint32) at->window,
    .causal = at->causal,
    .spans = at->spans,
    .split = split_keys (plan, n),
    .scale = at->scale,
    .softcap = at->softcap,
  };

  if (at->cache >= 0) {
    push.ring = (guint32) plan->kv->ring[at->cache];
    push.k_stride = (guint32) plan->kv->k_stride[at->cache];
    push.v_stride = (guint32) plan->kv->v_stride[at->cache];
  } else {
    push.n_keys = row_class (facet_graph_node (plan->graph, n->src[1])->rows);
    push.k_stride = (guint32) (sizeof (float) * facet_graph_node (plan->graph, n->src[1])->cols);
    push.v_stride = (guint32) (sizeof (float) * facet_graph_node (plan->graph, n->src[2])->cols);
  }
  return push;
}

static void
bind_keys (const FacetPlan *plan, FacetVkDispatch *d, const FacetNode *n, int first, int count)
{
  int cache = n->u.attention.cache;

  if (cache >= 0) {
    facet_vk_bind_range (d, 3, facet_vk_kv_k (plan->kv, cache, first, count), FALSE);
    facet_vk_bind_range (d, 4, facet_vk_kv_v (plan->kv, cache, first, count), FALSE);
  } else {
    facet_vk_bind (d, 3, n->src[1], FALSE);
    facet_vk_bind (d, 4, n->src[2], FALSE);
  }
}

/* The KV heads from push->first_kv on. @parts: value for sums of parts of the keys, or -1. */
static gboolean
emit_heads (FacetVkCompiler *c, int node, const struct FacetPushAttention *push, int count, int parts, GError **error)
{
  const FacetPlan *plan = c->plan;
  const FacetNode *n = facet_graph_node (plan->graph, node);
  const FacetAttention *at = &n->u.attention;
  g_autofree char *name = g_strdup_printf ("attention-%s", at->cache >= 0 ? facet_vk_cache_type (plan->kv->type) : "f32");
  guint32 constants[] = { query_rows (plan, n), push->head_k };
  guint32 keys = at->cache >= 0 ? push->ring : facet_vk_capacity (plan, facet_graph_node (plan->graph, n->src[1])->rows);
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, name, constants, G_N_ELEMENTS (constants), n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  bind_keys (plan, &d, n, (int) push->first_kv, count);
  facet_vk_bind (&d, 5, parts >= 0 ? parts : node, TRUE);
  facet_vk_push (&d, push, sizeof *push);
  d.kind = FACET_VK_GROUPS_ATTENTION;
  d.attention = at;
  d.split = push->split;
  /* Rows are queries of one KV head here: group / rows groups a row. */
  d.rows_a_group = constants[0];
  d.y = (guint32) count;
  d.cost = 2.0 * facet_vk_capacity (plan, n->rows) * at->n_head / at->n_kv * count * (at->head_k + at->head_v) * keys;
  d.divisible = push->split == 0;
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_attention (FacetVkCompiler *c, int node, GError **error)
{
  const FacetPlan *plan = c->plan;
  const FacetNode *n = facet_graph_node (plan->graph, node);
  const FacetAttention *at = &n->u.attention;
  struct FacetPushAttention push = make_push (plan, n);
  int at_once = at->cache >= 0 ? facet_vk_heads_a_binding (plan, at->cache) : at->n_kv, parts = -1;

  if (push.split > 0)
    parts = facet_vk_scratch (c, sizeof (float) * (push.ring / push.split + 2) * facet_vk_capacity (plan, n->rows) * push.n_head
                                 * (push.head_v + 2));
  for (int first = 0; first < at->n_kv; first += at_once) {
    push.first_kv = (guint32) first;
    if (!emit_heads (c, node, &push, MIN (at_once, at->n_kv - first), parts, error))
      return FALSE;
  }
  return push.split == 0 || emit_merge (c, node, &push, parts, error);
}
