#include "backend/vulkan/plan.h"

/* Rows of @table into value @out: of the step's ids, or (fixed rows) row r is
 * row r / divide % modulo. */
static gboolean
emit_rows (FacetVkCompiler *c, const FacetNode *n, const FacetTensor *table, int out, guint32 divide, guint32 modulo, GError **error)
{
  const FacetVkWeight *w = facet_vk_weight (c->plan->vk, table);
  g_autofree char *type = g_ascii_strdown (facet_dtype_name (table->dtype), -1);
  g_autofree char *name = g_strdup_printf ("embed-%s", type);

  for (int part = 0; part < w->n_parts; part++) {
    struct FacetPushEmbed push = {
      .cols = (guint32) n->cols,
      .row_bytes = w->row_bytes,
      .first = w->parts[part].first,
      .count = w->parts[part].count,
      .rows = (guint32) n->rows,
      .soft = part == 0,
      .scale = n->op == FACET_OP_EMBED ? n->f[0] : 1,
      .divide = divide,
      .modulo = modulo,
    };
    FacetVkDispatch d;

    if (!facet_vk_begin (c, &d, name, NULL, 0, n->rows, error))
      return FALSE;
    facet_vk_bind (&d, 1, out, TRUE);
    facet_vk_bind_range (&d, 2, w->parts[part].range, FALSE);
    facet_vk_bind (&d, 3, FACET_VK_SOFT, FALSE);
    facet_vk_push (&d, &push, sizeof push);
    d.y = (push.cols + 511) / 512;
    d.cost = 16.0 * facet_vk_capacity (c->plan, n->rows) * n->cols;
    facet_vk_end (c, &d);
  }
  return TRUE;
}

gboolean
facet_vk_emit_embed (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);

  if (n->op == FACET_OP_EMBED)
    c->plan->soft_cols = n->cols;
  return emit_rows (c, n, n->w[0], node, 1, G_MAXUINT32, error);
}

/* One table by the column of the map, one by its row, and their sum. */
gboolean
facet_vk_emit_table_2d (FacetVkCompiler *c, int node, GError **error)
{
  const FacetNode *n = facet_graph_node (c->plan->graph, node);
  gsize bytes = sizeof (float) * (gsize) n->rows * n->cols;
  int by_col = facet_vk_scratch (c, bytes), by_row = facet_vk_scratch (c, bytes);
  guint32 function = FACET_EW_ADD;
  struct FacetPushRows push = { .rows = (guint32) n->rows, .cols = (guint32) n->cols };
  FacetVkDispatch d;

  if (!emit_rows (c, n, n->w[0], by_col, 1, (guint32) n->i[0], error)
      || !emit_rows (c, n, n->w[1], by_row, (guint32) n->i[0], G_MAXUINT32, error)
      || !facet_vk_begin (c, &d, "elementwise", &function, 1, n->rows, error))
    return FALSE;
  facet_vk_bind (&d, 1, node, TRUE);
  facet_vk_bind (&d, 2, by_col, FALSE);
  facet_vk_bind (&d, 3, by_row, FALSE);
  facet_vk_push (&d, &push, sizeof push);
  d.y = (push.cols + 255) / 256;
  d.cost = 2.0 * n->rows * n->cols;
  facet_vk_end (c, &d);
  return TRUE;
}
