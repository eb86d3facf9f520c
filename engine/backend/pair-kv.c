#include "backend/pair-private.h"

#include <string.h>

static FacetKv *
make_side (FacetKv *kv, FacetSide side, int context, int max_step, GError **error)
{
  FacetBackend *backend = side == FACET_SIDE_CPU ? facet_pair_processor (&kv->pair->base) : kv->pair->sides[side];
  g_autofree FacetKvLayer *layers = g_memdup2 (kv->layers, sizeof *layers * kv->n_layers);

  for (int l = 0; l < kv->n_layers; l++) {
    gboolean on_device = kv->pair->home[l] >= kv->cut;

    if (side == FACET_SIDE_DEVICE ? !on_device : on_device && !kv->twice)
      layers[l].n_kv = 0;
  }
  return backend->klass->kv_new (backend, layers, kv->n_layers, context, max_step, kv->type, error);
}

FacetKv *
facet_pair_kv_new (FacetBackend *backend, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type,
                   GError **error)
{
  FacetPair *pair = (FacetPair *) backend;
  gboolean all_alone = pair->alone[0] && pair->alone[1];
  int cut = pair->n_blocks;
  FacetKv *kv;

  if (!all_alone && !facet_pair_fit (pair, layers, n_layers, context, max_step, type, &cut, error))
    return NULL;
  kv = g_new0 (FacetKv, 1);
  kv->pair = pair;
  kv->type = type;
  kv->n_layers = n_layers;
  kv->layers = g_memdup2 (layers, sizeof *layers * n_layers);
  kv->length = g_new (int, n_layers);
  for (int l = 0; l < n_layers; l++)
    kv->length[l] = facet_kv_layer_length (&layers[l], context, max_step);
  kv->cut = cut;
  pair->cut = all_alone ? 0 : cut;
  memcpy (kv->alone, pair->alone, sizeof kv->alone);
  kv->twice = kv->alone[0] != kv->alone[1];
  if ((!all_alone && !(kv->of[FACET_SIDE_DEVICE] = make_side (kv, FACET_SIDE_DEVICE, context, max_step, error)))
      || ((cut > 0 || kv->twice) && !(kv->of[FACET_SIDE_CPU] = make_side (kv, FACET_SIDE_CPU, context, max_step, error))))
    g_clear_pointer (&kv, facet_pair_kv_free);
  return kv;
}

void
facet_pair_kv_free (FacetKv *kv)
{
  for (int side = 0; side < FACET_N_SIDES; side++)
    if (kv->of[side] != NULL)
      kv->pair->sides[side]->klass->kv_free (kv->of[side]);
  g_free (kv->layers);
  g_free (kv->length);
  g_free (kv);
}

/* Positions from .. to-1 of one layer, as far as a ring still has them. */
static gboolean
copy_layer (FacetKv *kv, FacetSide side, int layer, int from, int to, GError **error)
{
  const FacetKvLayer *l = &kv->layers[layer];
  int length = kv->length[layer];
  gsize row = (gsize) l->n_kv * (facet_kv_row_bytes (kv->type, l->head_k) + facet_kv_row_bytes (kv->type, l->head_v));

  for (int at = MAX (from, to - length), n; at < to; at += n) {
    g_autofree guint8 *rows = NULL;

    n = MIN (to - at, length - at % length);
    rows = g_malloc (row * (gsize) n);
    for (int into = 0; into < 2; into++) {
      FacetSide one = into ? side : 1 - side;

      if (!kv->pair->sides[one]->klass->kv_copy (kv->of[one], layer, at, n, into, rows, error))
        return FALSE;
    }
  }
  return TRUE;
}

gboolean
facet_pair_catch_up (FacetKv *kv, FacetSide side, int position, GError **error)
{
  if (!kv->twice || kv->valid[side] >= position)
    return TRUE;
  for (int l = 0; l < kv->n_layers; l++)
    if (kv->pair->home[l] >= kv->cut && !copy_layer (kv, side, l, kv->valid[side], position, error))
      return FALSE;
  kv->valid[side] = position;
  return TRUE;
}
