/* pair.h - a device and the processor sharing a decoder
 *
 * The device takes what fits into its memory: the last blocks and what follows
 * them, with their part of the cache. The blocks before, always whole ones, stay with the
 * processor. Blocks that read another block's cache stay on its side.
 *
 * Where the device computes in the processor's memory, either of them may do
 * one phase (steps of one row, steps of more) alone: the cache then lies on
 * both sides, and rows are copied when the other side goes on.
 *
 * Every cache keeps the division that it was made with. A graph that is not
 * divided into blocks runs on the device.
 */
#pragma once

#include "backend/backend.h"

typedef struct {
  FacetBackend     *device;
  const FacetGraph *graph;    /* the decoder's, of a usual step; the pair frees it */
  guint64           reserve;  /* bytes to be left on the device for other networks */
  guint64           limit;    /* bytes to use at most; 0: what there is */
  int               threads;  /* of the processor */
  gboolean          exact;
} FacetPairParams;

/* Takes over device and graph. */
FacetBackend *facet_pair_new        (const FacetPairParams *params);
FacetBackend *facet_pair_device     (FacetBackend *pair);
/* The processor's side, made when first asked for. */
FacetBackend *facet_pair_processor  (FacetBackend *pair);
/* Whether the next cache's steps of one row, and those of more, run on the
 * processor alone. Only where the device shares its memory. Returns whether
 * that is new. */
gboolean      facet_pair_set_phases (FacetBackend *pair, gboolean decode_on_cpu, gboolean prefill_on_cpu);
/* The next cache leaves more to the processor than the last one did. FALSE:
 * nothing is left to take. */
gboolean      facet_pair_shrink     (FacetBackend *pair);
/* Blocks that the processor has in the latest cache, of @n_blocks. */
int           facet_pair_split      (FacetBackend *pair, int *n_blocks);
gboolean      facet_backend_is_pair (const FacetBackend *backend);

/* What a device takes of a decoder, in bytes. */
typedef struct {
  int     blocks;  /* the last ones; 0: not even one fits */
  guint64 weights; /* without those that it has already */
  guint64 kv_cache;
  guint64 values;
  guint64 room;    /* what it could take */
} FacetPairShare;

/* The device's share of a cache that is not made yet. */
FacetPairShare facet_pair_foresee (FacetBackend *pair, const FacetKvLayer *layers, int n_layers, int context, int max_step,
                                   FacetKvType type);
