/* pair-private.h - what the files of a pair share */
#pragma once

#include "backend/pair.h"

typedef enum {
  FACET_SIDE_CPU,
  FACET_SIDE_DEVICE,
  FACET_N_SIDES,
} FacetSide;

typedef struct {
  FacetBackend      base;
  FacetPairParams   params;
  FacetBackend     *sides[FACET_N_SIDES]; /* the processor's: NULL until it is needed */
  int               n_blocks;
  int              *home;      /* by cache layer: the block that fills it */
  int               n_home;
  gboolean         *may_cut;   /* by number of blocks before the cut */
  int               at_least;  /* blocks that the processor must take */
  int               cut;       /* blocks that it took last */
  gboolean          alone[2];  /* of the next cache, as FacetKv has it */
} FacetPair;

struct FacetKv {
  FacetPair    *pair;
  FacetKv      *of[FACET_N_SIDES]; /* NULL: nothing there */
  FacetKvType   type;
  int           n_layers;
  FacetKvLayer *layers;
  int          *length;
  int           cut;                  /* blocks of the processor */
  gboolean      alone[2];             /* steps of one row, of more: the processor's alone */
  gboolean      twice;                /* if any: the processor has the device's layers, too */
  int           valid[FACET_N_SIDES]; /* if so: positions below are right */
};

/* ---- pair-fit.c ---- */

void     facet_pair_look_over (FacetPair *pair);
/* The fewest blocks that the processor must take; NO_MEMORY: all of them. */
gboolean facet_pair_fit       (FacetPair *pair, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type,
                               int *cut, GError **error);
/* The first node of @graph beyond @cut blocks. */
int      facet_pair_first_node (const FacetGraph *graph, int cut);

/* ---- pair-kv.c ---- */

FacetKv *facet_pair_kv_new  (FacetBackend *backend, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type,
                             GError **error);
void     facet_pair_kv_free (FacetKv *kv);
/* Before @side computes rows from @position on: what the other one did. */
gboolean facet_pair_catch_up (FacetKv *kv, FacetSide side, int position, GError **error);
