/* The largest logits are found where they are computed: their slices' best, the
 * best of those, and so on until one slice is left. */
#include "backend/vulkan/plan.h"

G_STATIC_ASSERT (FACET_N_BEST == FACET_BEST);

gboolean
facet_vk_keeps_best (const FacetPlan *plan)
{
  int result = facet_graph_result (plan->graph);
  const FacetNode *n = result >= 0 ? facet_graph_node (plan->graph, result) : NULL;

  return n != NULL && n->rows == FACET_ROWS_OUTPUTS && plan->max_outputs == 1 && n->cols > FACET_BEST && n->layer == FACET_NOT_A_LAYER
         && n->op != FACET_OP_INPUT && n->op != FACET_OP_LOOKUP && n->op != FACET_OP_EMBED;
}

static int
add_value (FacetVkCompiler *c, gsize bytes, FacetVkPlace place)
{
  int value = facet_vk_scratch (c, bytes);

  g_array_index (c->plan->values, FacetVkValue, value).place = place;
  return value;
}

gboolean
facet_vk_emit_best (FacetVkCompiler *c, GError **error)
{
  int from = facet_graph_result (c->plan->graph);
  guint32 count = (guint32) facet_graph_node (c->plan->graph, from)->cols, first = 1;

  c->plan->whole = add_value (c, sizeof (float) * count, FACET_VK_KEPT);
  for (guint32 slices = G_MAXUINT32; slices > 1; first = 0) {
    struct FacetPushBest push = { .count = count };
    FacetVkDispatch d;
    int to;

    slices = (count + FACET_BEST_SLICE - 1) / FACET_BEST_SLICE;
    to = add_value (c, sizeof (guint32) * 2 * FACET_BEST * slices, slices > 1 ? FACET_VK_IN_ARENA : FACET_VK_KEPT);
    if (!facet_vk_begin (c, &d, "best", &first, 1, FACET_ROWS_OUTPUTS, error))
      return FALSE;
    facet_vk_bind (&d, 1, to, TRUE);
    facet_vk_bind (&d, 2, from, FALSE);
    facet_vk_push (&d, &push, sizeof push);
    d.kind = FACET_VK_GROUPS_BEST;
    d.groups_a_row = slices;
    d.cost = 16.0 * count;
    facet_vk_end (c, &d);
    from = to;
    count = slices * FACET_BEST;
  }
  c->plan->best = from;
  return TRUE;
}

static int
by_falling_value (gconstpointer a, gconstpointer b)
{
  const FacetBest *x = a, *y = b;

  return x->value > y->value ? -1 : x->value < y->value ? 1 : x->column < y->column ? -1 : 1;
}

int
facet_vk_plan_best (FacetPlan *plan, FacetBest *best)
{
  const FacetBest *found;
  int n = 0;

  if (plan->best < 0)
    return -1;
  found = (const FacetBest *) (gconstpointer) (plan->kept.mapped + g_array_index (plan->values, FacetVkValue, plan->best).range.offset);
  for (int i = 0; i < FACET_BEST; i++)
    if ((guint32) found[i].column != FACET_BEST_NONE)
      best[n++] = found[i];
  plan->vk->read_bytes += sizeof *found * FACET_BEST;
  qsort (best, (gsize) n, sizeof *best, by_falling_value);
  return n;
}

gboolean
facet_vk_plan_fetch (FacetPlan *plan, GError **error)
{
  if (plan->best < 0)
    return TRUE;
  plan->vk->read_bytes += g_array_index (plan->values, FacetVkValue, plan->whole).placed.bytes;
  return facet_vk_submit (plan->vk, &plan->fetch, 1, error);
}
