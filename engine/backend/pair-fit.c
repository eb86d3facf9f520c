#include "backend/pair-private.h"

#include "backend/placement.h"

/* Beside weights, cache and values: stages, step blocks, the driver's own. */
#define MARGIN ((guint64) 32 << 20)

int
facet_pair_first_node (const FacetGraph *graph, int cut)
{
  int node = 0;

  while (cut > 0 && node < facet_graph_n_nodes (graph) && facet_graph_node (graph, node)->block < cut)
    node++;
  return node;
}

static int
count_blocks (const FacetGraph *graph)
{
  /* What follows the last block has its number. */
  return MAX (facet_graph_node (graph, facet_graph_n_nodes (graph) - 1)->block, 0);
}

/* No block on the device may read a cache that the processor fills. */
static gboolean
may_cut (const FacetPair *pair, int cut)
{
  const FacetGraph *graph = pair->params.graph;

  for (int i = facet_pair_first_node (graph, cut); i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);

    if (node->op == FACET_OP_ATTENTION && node->u.attention.cache >= 0 && pair->home[node->u.attention.cache] < cut)
      return FALSE;
  }
  return TRUE;
}

void
facet_pair_look_over (FacetPair *pair)
{
  const FacetGraph *graph = pair->params.graph;

  pair->n_blocks = count_blocks (graph);
  for (int i = 0; i < facet_graph_n_nodes (graph); i++)
    if (facet_graph_node (graph, i)->op == FACET_OP_KV_STORE)
      pair->n_home = MAX (pair->n_home, facet_graph_node (graph, i)->i[0] + 1);
  pair->home = g_new0 (int, pair->n_home + 1);
  for (int i = 0; i < facet_graph_n_nodes (graph); i++)
    if (facet_graph_node (graph, i)->op == FACET_OP_KV_STORE)
      pair->home[facet_graph_node (graph, i)->i[0]] = facet_graph_node (graph, i)->block;
  pair->may_cut = g_new0 (gboolean, pair->n_blocks + 1);
  for (int cut = 0; cut < pair->n_blocks; cut++)
    pair->may_cut[cut] = may_cut (pair, cut);
}

/* ---- what a part needs ---- */

static guint64
count_weight (const FacetPair *pair, GHashTable *seen, const FacetTensor *w)
{
  const FacetBackend *device = pair->sides[FACET_SIDE_DEVICE];

  if (w == NULL || !g_hash_table_add (seen, (gpointer) w->data))
    return 0;
  return pair->params.limit == 0 && device->klass->holds ((FacetBackend *) device, w) ? 0 : w->bytes;
}

/* Tables that no product reads stay on the host, whoever looks rows up in them. */
static guint64
weights_after (const FacetPair *pair, int cut)
{
  const FacetGraph *graph = pair->params.graph;
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint64 bytes = 0;

  for (int i = facet_pair_first_node (graph, cut); i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);
    const guint8 *first = node->w[0] != NULL ? node->w[0]->data : NULL, *second = node->w[1] != NULL ? node->w[1]->data : NULL;

    if (node->op == FACET_OP_EMBED || node->op == FACET_OP_LOOKUP)
      continue;
    bytes += count_weight (pair, seen, node->w[0]);
    /* Two experts' matrices may be views of one tensor. */
    if (second != NULL && !(second >= first && second < first + node->w[0]->bytes))
      bytes += count_weight (pair, seen, node->w[1]);
  }
  return bytes;
}

static guint64
cache_after (const FacetPair *pair, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type, int cut)
{
  guint64 bytes = 0;

  for (int l = 0; l < n_layers; l++)
    if (pair->home[l] >= cut)
      bytes += facet_kv_bytes (&layers[l], 1, context, max_step, type);
  return bytes;
}

/* Of a step with the most rows, values placed by lifetime. */
static guint64
values_of_step (const FacetGraph *graph, int max_step)
{
  int n = facet_graph_n_nodes (graph);
  g_autofree FacetPlaced *placed = g_new0 (FacetPlaced, n);

  for (int i = 0; i < n; i++) {
    const FacetNode *node = facet_graph_node (graph, i);
    gsize rows = (gsize) (node->rows == FACET_ROWS_TOKENS ? max_step : node->rows == FACET_ROWS_OUTPUTS ? 1 : node->rows);

    placed[i] = (FacetPlaced) { .born = i, .dies = i, .bytes = rows * (gsize) node->cols * sizeof (float) };
    for (int s = 0; s < FACET_MAX_SRC; s++)
      if (node->src[s] >= 0)
        placed[node->src[s]].dies = i;
  }
  return facet_place (placed, n);
}

static guint64
room_of (const FacetPair *pair)
{
  FacetBackend *device = pair->sides[FACET_SIDE_DEVICE];
  FacetDeviceFacts facts;

  device->klass->facts (device, &facts);
  return pair->params.limit > 0 ? MIN (pair->params.limit, facts.room) : facts.room;
}

gboolean
facet_pair_fit (FacetPair *pair, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type, int *cut,
                GError **error)
{
  FacetBackend *device = pair->sides[FACET_SIDE_DEVICE];
  guint64 values = values_of_step (pair->params.graph, max_step), need = 0, room = room_of (pair);

  g_assert (n_layers <= pair->n_home);
  for (*cut = pair->at_least; *cut < pair->n_blocks; (*cut)++) {
    if (!pair->may_cut[*cut])
      continue;
    need = weights_after (pair, *cut) + cache_after (pair, layers, n_layers, context, max_step, type, *cut) + values + MARGIN
           + pair->params.reserve;
    if (need <= room) {
      g_info ("%s: %d of %d blocks, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " MiB", device->description, pair->n_blocks - *cut,
              pair->n_blocks, need >> 20, room >> 20);
      return TRUE;
    }
  }
  g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: no block of the model fits into %" G_GUINT64_FORMAT " MiB",
               device->description, room >> 20);
  return FALSE;
}

FacetPairShare
facet_pair_foresee (FacetBackend *backend, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type)
{
  FacetPair *pair = (FacetPair *) backend;
  FacetPairShare share = { .room = room_of (pair) };
  int cut;

  if (!facet_pair_fit (pair, layers, n_layers, context, max_step, type, &cut, NULL))
    return share;
  share.blocks = pair->n_blocks - cut;
  share.weights = weights_after (pair, cut);
  share.kv_cache = cache_after (pair, layers, n_layers, context, max_step, type, cut);
  share.values = values_of_step (pair->params.graph, max_step);
  return share;
}
