/* What stands between two products becomes one dispatch: norm, residual sum, the
 * next block's norm and the rounding for integer products. */
#include "backend/vulkan/plan.h"

#define THREADS 256
#define MAX_PASSES 16

static const FacetNode *
node_at (const FacetVkCompiler *c, int node)
{
  return facet_graph_node (c->plan->graph, node);
}

static gboolean
is_row_norm (const FacetNode *n)
{
  return n->op == FACET_OP_RMS_NORM && n->i[0] == n->cols && n->cols % 4 == 0 && n->cols <= 4 * THREADS * MAX_PASSES;
}

/* Whether node @reader, if it reads node @x, does so in 8-bit integers. */
static gboolean
reads_eights (const FacetVkCompiler *c, const FacetNode *reader, int x)
{
  gboolean product = reader->op == FACET_OP_MATMUL || reader->op == FACET_OP_EXPERTS_UP || reader->op == FACET_OP_EXPERTS_DOWN;

  return product && reader->src[0] == x && facet_vk_product_tier (c, reader) == FACET_VK_DOT;
}

static void
find_readers (const FacetVkCompiler *c, int x, gboolean *floats, gboolean *eights)
{
  *floats = g_array_index (c->plan->values, FacetVkValue, x).place != FACET_VK_IN_ARENA;
  *eights = FALSE;
  for (int i = x + 1; i < facet_graph_n_nodes (c->plan->graph); i++)
    for (int s = 0; s < FACET_MAX_SRC; s++)
      if (node_at (c, i)->src[s] == x) {
        if (reads_eights (c, node_at (c, i), x))
          *eights = TRUE;
        else
          *floats = TRUE;
      }
}

/* The source of sum @add that is a norm for it alone, or -1. */
static int
norm_of_sum (const FacetVkCompiler *c, const FacetNode *add)
{
  for (int s = 1; s >= 0; s--) {
    const FacetNode *norm = node_at (c, add->src[s]), *other = node_at (c, add->src[1 - s]);

    if (is_row_norm (norm) && norm->rows == add->rows && other->rows == add->rows && c->uses[add->src[s]] == 1
        && g_array_index (c->plan->values, FacetVkValue, add->src[s]).place == FACET_VK_IN_ARENA)
      return add->src[s];
  }
  return -1;
}

/* The first norm of the rows of @x, or -1. */
static int
norm_after (const FacetVkCompiler *c, int x)
{
  for (int i = x + 1; i < facet_graph_n_nodes (c->plan->graph); i++)
    if (node_at (c, i)->src[0] == x && is_row_norm (node_at (c, i)))
      return i;
  return -1;
}

void
facet_vk_find_chains (FacetVkCompiler *c)
{
  int n = facet_graph_n_nodes (c->plan->graph);

  for (int i = 0; i < n; i++)
    c->chains[i] = (FacetVkChain) { -1, -1, FALSE };
  for (int i = 0; i < n; i++) {
    FacetVkChain *chain = &c->chains[i];
    gboolean floats, eights = FALSE;

    if (c->skip[i])
      continue;
    if (node_at (c, i)->op == FACET_OP_ADD) {
      chain->norm = norm_of_sum (c, node_at (c, i));
      if (chain->norm < 0)
        continue;
      chain->next = norm_after (c, i);
      c->skip[chain->norm] = TRUE;
      if (chain->next >= 0) {
        c->skip[chain->next] = TRUE;
        c->chains[chain->next].written = TRUE;
      }
    } else if (is_row_norm (node_at (c, i))) {
      find_readers (c, i, &floats, &eights);
      if (eights)
        chain->norm = i;
    }
  }
}

static void
bind_gain (FacetVkCompiler *c, FacetVkDispatch *d, int binding, const FacetNode *norm)
{
  if (norm->w[0] != NULL)
    facet_vk_bind_range (d, binding, facet_vk_vector (c, norm->w[0]), FALSE);
  else
    facet_vk_bind (d, binding, norm->src[0], FALSE);
}

gboolean
facet_vk_emit_chain (FacetVkCompiler *c, int head, GError **error)
{
  const FacetVkChain *chain = &c->chains[head];
  const FacetNode *n = node_at (c, head), *norm = node_at (c, chain->norm);
  gboolean sum = chain->norm != head, again = chain->next >= 0, write_v, write_w = FALSE, eights, unused;
  int written, last = again ? chain->next : head, residual = !sum ? norm->src[0] : n->src[0] == chain->norm ? n->src[1] : n->src[0];
  gsize elements = (gsize) facet_vk_capacity (c->plan, n->rows) * n->cols;
  guint32 constants[] = { ((guint32) n->cols + 4 * THREADS - 1) / (4 * THREADS), again };
  struct FacetPushChain push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols, .eps = norm->f[0], .has_gain = norm->w[0] != NULL,
                                 .has_residual = sum, .blocks = (guint32) (elements / 8) };
  FacetVkDispatch d;

  find_readers (c, head, &write_v, &unused);
  find_readers (c, last, again ? &write_w : &write_v, &eights);
  if (!facet_vk_begin (c, &d, "norm-chain", constants, G_N_ELEMENTS (constants), n->rows, error))
    return FALSE;
  push.write_v = write_v;
  push.write_w = write_w;
  push.eights = eights;
  facet_vk_bind (&d, 2, norm->src[0], FALSE);
  bind_gain (c, &d, 3, norm);
  facet_vk_bind (&d, 4, residual, FALSE);
  bind_gain (c, &d, 6, again ? node_at (c, chain->next) : norm);
  if (again) {
    push.next_eps = node_at (c, chain->next)->f[0];
    push.has_next_gain = node_at (c, chain->next)->w[0] != NULL;
  }
  if (eights)
    c->eights[last] = facet_vk_scratch (c, elements + elements / 4);
  /* Results that nobody wants stand for one that is written. */
  written = write_v ? head : write_w ? chain->next : c->eights[last];
  facet_vk_bind (&d, 1, write_v ? head : written, TRUE);
  facet_vk_bind (&d, 5, write_w ? chain->next : written, TRUE);
  facet_vk_bind (&d, 7, eights ? c->eights[last] : written, TRUE);
  facet_vk_push (&d, &push, sizeof push);
  d.cost = 16.0 * elements;
  facet_vk_end (c, &d);
  return TRUE;
}
