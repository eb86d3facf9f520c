#include "backend/vulkan/plan.h"

/* Work groups along y of one dispatch; with any row size the rows before a
 * multiple of it end at an aligned offset. */
#define MOST_Y 32768

static FacetVkRange
from_row (const FacetVkPart *part, guint32 row_bytes, guint32 first, guint32 count)
{
  return (FacetVkRange) { part->range.buffer, part->range.offset + (VkDeviceSize) first * row_bytes, (VkDeviceSize) count * row_bytes };
}

typedef struct {
  const FacetNode     *product;    /* whose shape and input count */
  const FacetVkWeight *w, *up;     /* up: of a gated pair */
  int                  out;        /* value that is written */
  gboolean             few;
} Product;

/* Zeros before the first of @n places, of those that windows of @side need. */
static guint32
padding_before (int n, int side, int stride)
{
  return (guint32) (MAX (0, (facet_conv_out (n, stride) - 1) * stride + side - n) / 2);
}

static const char *
kernel_of (const Product *p)
{
  if (p->product->op == FACET_OP_CONV)
    return "conv";
  if (p->up != NULL)
    return p->few ? "matvec-gated" : "matmul-gated";
  return p->few ? "matvec" : "matmul";
}

static gboolean
emit_columns (FacetVkCompiler *c, const Product *p, int part, guint32 first, guint32 count, GError **error)
{
  const FacetTensor *tensor = p->product->w[0], *bias = p->product->w[1];
  guint32 k = (guint32) tensor->ne[0];
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (tensor->dtype), -1);
  g_autofree char *name = g_strdup_printf ("%s-%s", kernel_of (p), type);
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

  if (p->product->op == FACET_OP_CONV) {
    push.map_rows = (guint32) p->product->i[0];
    push.map_cols = (guint32) p->product->i[1];
    push.side = (guint32) p->product->i[2];
    push.stride = (guint32) p->product->i[3];
    push.pad_top = padding_before (p->product->i[0], p->product->i[2], p->product->i[3]);
    push.pad_left = padding_before (p->product->i[1], p->product->i[2], p->product->i[3]);
  }
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
  Product p = { .product = n, .out = node, .few = n->op != FACET_OP_CONV && facet_vk_capacity (c->plan, n->rows) <= FACET_VK_FEW_ROWS };
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

gboolean
facet_vk_emit_depthwise (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  struct FacetPushDepthwise push = {
    .cols = (guint32) n->cols,
    .map_rows = (guint32) n->i[0],
    .map_cols = (guint32) n->i[1],
    .side = (guint32) n->i[2],
    .stride = (guint32) n->i[3],
    .pad_top = padding_before (n->i[0], n->i[2], n->i[3]),
    .pad_left = padding_before (n->i[1], n->i[2], n->i[3]),
  };
  FacetVkDispatch d;

  if (!facet_vk_begin (c, &d, "depthwise", NULL, 0, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, n->src[0], FALSE);
  facet_vk_bind_range (&d, 3, facet_vk_vector (c, n->w[0]), FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.cols + 255) / 256;
  d.cost = 2.0 * n->rows * n->cols * n->i[2] * n->i[2];
  facet_vk_end (c, &d);
  return TRUE;
}
