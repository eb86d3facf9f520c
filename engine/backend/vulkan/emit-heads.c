/* What is done to heads before attention: their norms, the rotation and the
 * storing of keys and values. Queries are one dispatch, keys with values another. */
#include "backend/vulkan/plan.h"

/* A value that a shader reads head by head, and what it does to the heads first. */
typedef struct {
  int x;
  int norm, rope;  /* nodes, or -1 */
} Heads;

static const FacetNode *
node_at (const FacetVkCompiler *c, int node)
{
  return facet_graph_node (c->plan->graph, node);
}

static gboolean
can_join (const FacetVkCompiler *c, int node, FacetOp op, int head)
{
  const FacetNode *n = node_at (c, node);

  return n->op == op && (op == FACET_OP_ROPE ? n->u.rope.head : n->i[0]) == head && c->uses[node] == 1 && !c->skip[node]
         && c->chains[node].norm < 0 && g_array_index (c->plan->values, FacetVkValue, node).place == FACET_VK_IN_ARENA;
}

/* Joins node @node, if it can be, and the norm that it may read. */
static void
join (FacetVkCompiler *c, int node, FacetOp op, int head)
{
  if (!can_join (c, node, op, head))
    return;
  c->joined[node] = c->skip[node] = TRUE;
  if (op == FACET_OP_ROPE)
    join (c, node_at (c, node)->src[0], FACET_OP_RMS_NORM, head);
}

/* From the end: what stores keys comes before their rotation. */
void
facet_vk_find_heads (FacetVkCompiler *c)
{
  for (int i = facet_graph_n_nodes (c->plan->graph) - 1; i >= 0; i--) {
    const FacetNode *n = node_at (c, i);
    const FacetKvLayer *layer;

    if (n->op == FACET_OP_ROPE && !c->skip[i])
      join (c, n->src[0], FACET_OP_RMS_NORM, n->u.rope.head);
    if (n->op != FACET_OP_KV_STORE)
      continue;
    layer = &c->plan->kv->layers[n->i[0]];
    join (c, n->src[0], node_at (c, n->src[0])->op == FACET_OP_ROPE ? FACET_OP_ROPE : FACET_OP_RMS_NORM, layer->head_k);
    join (c, n->src[1], FACET_OP_RMS_NORM, layer->head_v);
  }
}

static Heads
heads_of (const FacetVkCompiler *c, int node)
{
  Heads heads = { node, -1, -1 };

  if (c->joined[heads.x] && node_at (c, heads.x)->op == FACET_OP_ROPE) {
    heads.rope = heads.x;
    heads.x = node_at (c, heads.rope)->src[0];
  }
  if (c->joined[heads.x]) {
    heads.norm = heads.x;
    heads.x = node_at (c, heads.norm)->src[0];
  }
  return heads;
}

/* Binds the gain of the norm, and what the shader does not read then in its place. */
static void
bind_norm (FacetVkCompiler *c, FacetVkDispatch *d, int binding, const Heads *heads, guint32 *normed, guint32 *has_gain, float *eps)
{
  const FacetNode *norm = heads->norm >= 0 ? node_at (c, heads->norm) : NULL;

  *normed = norm != NULL;
  *has_gain = norm != NULL && norm->w[0] != NULL;
  *eps = norm != NULL ? norm->f[0] : 0;
  if (*has_gain)
    facet_vk_bind_range (d, binding, facet_vk_vector (c, norm->w[0]), FALSE);
  else
    facet_vk_bind (d, binding, heads->x, FALSE);
}

gboolean
facet_vk_emit_rope (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  Heads heads = heads_of (c, n->src[0]);
  struct FacetPushRope push = {
    .rows = (guint32) n->rows,
    .head = (guint32) n->u.rope.head,
    .heads = (guint32) (n->cols / n->u.rope.head),
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "rope", &push.head, 1, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, heads.x, FALSE);
  facet_vk_bind (&d, 3, FACET_VK_ROPE (c->plan->ropes.of_node[node]), FALSE);
  bind_norm (c, &d, 4, &heads, &push.normed, &push.has_gain, &push.eps);
  facet_vk_push (&d, &push, sizeof push);
  d.y = push.heads;
  d.cost = 16.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}

/* Heads first .. first + count - 1. */
static gboolean
emit_store (FacetVkCompiler *c, const FacetNode *n, const Heads *k, const Heads *v, int first, int count, GError **error)
{
  const FacetKv *kv = c->plan->kv;
  int layer = n->i[0];
  g_autofree char *name = g_strdup_printf ("kv-store-%s", facet_vk_cache_type (kv->type));
  struct FacetPushStore push = {
    .n_kv = (guint32) kv->layers[layer].n_kv,
    .first = (guint32) first,
    .count = (guint32) count,
    .head_k = (guint32) kv->layers[layer].head_k,
    .head_v = (guint32) kv->layers[layer].head_v,
    .ring = (guint32) kv->ring[layer],
    .k_stride = (guint32) kv->k_stride[layer],
    .v_stride = (guint32) kv->v_stride[layer],
    .rotated = k->rope >= 0,
  };
  guint32 widest = MAX (push.head_k, push.head_v);
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, name, &widest, 1, n->rows, error))
    return FALSE;
  facet_vk_bind_range (&d, 1, facet_vk_kv_k (kv, layer, first, count), TRUE);
  facet_vk_bind_range (&d, 2, facet_vk_kv_v (kv, layer, first, count), TRUE);
  facet_vk_bind (&d, 3, k->x, FALSE);
  facet_vk_bind (&d, 4, v->x, FALSE);
  facet_vk_bind (&d, 5, k->rope >= 0 ? FACET_VK_ROPE (c->plan->ropes.of_node[k->rope]) : k->x, FALSE);
  bind_norm (c, &d, 6, k, &push.normed_k, &push.has_gain_k, &push.eps_k);
  bind_norm (c, &d, 7, v, &push.normed_v, &push.has_gain_v, &push.eps_v);
  facet_vk_push (&d, &push, sizeof push);
  d.y = 2 * push.count;
  d.cost = 32.0 * facet_vk_capacity (c->plan, n->rows) * push.count * (push.head_k + push.head_v);
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_kv_store (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = node_at (c, node);
  Heads k = heads_of (c, n->src[0]), v = heads_of (c, n->src[1]);
  int n_kv = c->plan->kv->layers[n->i[0]].n_kv, at_once = facet_vk_heads_a_binding (c->plan, n->i[0]);

  for (int first = 0; first < n_kv; first += at_once)
    if (!emit_store (c, n, &k, &v, first, MIN (at_once, n_kv - first), error))
      return FALSE;
  return TRUE;
}
