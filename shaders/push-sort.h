/* push-sort.h - what C and the shaders of sorted experts agree on
 *
 * Part of the parameters of matmul.comp and matmul-matrix.comp.
 */
#ifndef FACET_PUSH_SORT_H
#define FACET_PUSH_SORT_H

#ifndef VULKAN
#include <sys/types.h>
#endif

/* Experts that experts-sort.comp can tell apart. What it writes begins with the
 * number of tiles, then TILE_WORDS a tile: its expert, its first place and the
 * end of its places, as numbers of sorted ones. */
#define FACET_SORT_EXPERTS 1024
#define FACET_SORT_TILE_WORDS 3

struct FacetSorted {
  uint places;       /* word of that where the places begin */
  uint share;        /* places that read the same row of x */
  uint first_expert; /* that the bound part of w begins with */
  uint n_experts;    /* of the part */
  uint expert_rows;  /* rows of w from expert to expert */
  uint up_at;        /* bytes from an expert's rows of w to those of the other matrix of a pair */
};

#ifndef VULKAN
typedef struct FacetSorted FacetSorted;
#endif

#endif
