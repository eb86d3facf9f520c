#include "backend/vulkan/plan.h"

/* Work groups along y of one dispatch; with any row size the rows before a
 * multiple of it end at an aligned offset. */
#define MOST_Y 32768

static FacetVkRange
from_row (const FacetVkPart *part, guint32 row_bytes, guint32 first, guint32 count)
{
  return (FacetVkRange) { part->range.buffer, part->range.offset + (VkDeviceSize) first * row_bytes, (VkDeviceSize) count * row_bytes };
}

/* The table itself and embeddings from it: weights of at most two matrices. */
typedef struct {
  const FacetNode     *product;    /* whose shape and input count */
  const FacetVkWeight *w, *up;     /* up: of a gated pair */
  int                  out;        /* value that is written */
  gboolean             few;
} Product;

static gboolean
emit_columns (FacetVkCompiler *c, const Product *p, int part, guint32 first, guint32 count, GError **error)
{
  const FacetTensor *tensor = p->product->w[0], *bias = p->product->w[1];
  guint32 k = (guint32) tensor->ne[0];
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (tensor->dtype), -1);
  g_autofree char *name = g_strdup_printf ("%s%s-%s", p->few ? "matvec" : "matmul", p->up != NULL ? "-gated" : "", type);
  struct FacetPushMatmul push = {
    .rows = (guint32) p->product->rows,
    .k = k,
    .m = count,
    .row_bytes = p->w->row_bytes,
    .y_stride = (guint32) p->product->cols,
    .y_first = p->w->parts[part].first + first,
    .has_bias = bias != NULL,
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, name, NULL, 0, p->product->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, p->out, TRUE);
  facet_vk_bind (&d, 2, p->product->src[0], FALSE);
  facet_vk_bind_range (&d, 3, from_row (&p->w->parts[part], p->w->row_bytes, first, count), FALSE);
  if (p->up != NULL)
    facet_vk_bind_range (&d, 4, from_row (&p->up->parts[part], p->w->row_bytes, first, count), FALSE);
  else if (bias != NULL)
    facet_vk_bind_range (&d, 4, facet_vk_vector (c, bias), FALSE);
  else
    facet_vk_bind (&d, 4, p->product->src[0], FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.rows_a_group = p->few ? 1 : FACET_MATMUL_TILE;
  d.y = p->few ? (count + FACET_MATVEC_OUTPUTS - 1) / FACET_MATVEC_OUTPUTS : (count + FACET_MATMUL_TILE - 1) / FACET_MATMUL_TILE;
  d.cost = 2.0 * facet_vk_capacity (c->plan, p->product->rows) * k * count * (p->up != NULL ? 2 : 1);
  facet_vk_end (c, &d);
  return TRUE;
}

gboolean
facet_vk_emit_matmul (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  Product p = { .product = n, .out = node, .few = facet_vk_capacity (c->plan, n->rows) <= FACET_VK_FEW_ROWS };
  guint32 most;

  if (n->op == FACET_OP_GEGLU) {
    p.product = facet_graph_node (c->plan->graph, n->src[0]);
    p.up = facet_vk_weight (c->plan->vk, facet_graph_node (c->plan->graph, n->src[1])->w[0]);
  }
  p.w = facet_vk_weight (c->plan->vk, p.product->w[0]);
  most = MOST_Y * (p.few ? FACET_MATVEC_OUTPUTS : FACET_MATMUL_TILE);
  for (int part = 0; part < p.w->n_parts; part++)
    for (guint32 first = 0; first < p.w->parts[part].count; first += most)
      if (!emit_columns (c, &p, part, first, MIN (most, p.w->parts[part].count - first), error))
        return FALSE;
  return TRUE;
}

/* Rows of the step's ids, or (TABLE) all rows in order. */
gboolean
facet_vk_emit_embed (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  const FacetVkWeight *w = facet_vk_weight (c->plan->vk, n->w[0]);
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (n->w[0]->dtype), -1);
  g_autofree char *name = g_strdup_printf ("embed-%s", type);

  if (n->op == FACET_OP_EMBED)
    c->plan->soft_cols = n->cols;
  for (int part = 0; part < w->n_parts; part++) {
    struct FacetPushEmbed push = {
      .cols = (guint32) n->cols,
      .row_bytes = w->row_bytes,
      .first = w->parts[part].first,
      .count = w->parts[part].count,
      .rows = (guint32) n->rows,
      .soft = part == 0,
      .scale = n->op == FACET_OP_EMBED ? n->f[0] : 1,
    };
    FacetVkDispatch d;

    if (!facet_vk_begin (c, &d, name, NULL, 0, n->rows, error))
      return FALSE;
    facet_vk_bind (&d, 1, node, TRUE);
    facet_vk_bind_range (&d, 2, w->parts[part].range, FALSE);
    facet_vk_bind (&d, 3, FACET_VK_SOFT, FALSE);
    facet_vk_push (&d, &push, sizeof push);
    d.y = (push.cols + 511) / 512;
    d.cost = 16.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
    facet_vk_end (c, &d);
  }
  return TRUE;
}
