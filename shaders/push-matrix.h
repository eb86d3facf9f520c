/* push-matrix.h - what C and the shaders of cooperative matrices agree on
 *
 * A file of its own, so that the SPIR-V of matmul-matrix.comp, which lies in
 * the tree, need not be made again when other shaders' parameters change.
 */
#ifndef FACET_PUSH_MATRIX_H
#define FACET_PUSH_MATRIX_H

#ifndef VULKAN
#include <sys/types.h>
#endif

#include "push-sort.h"

/* Elements of k that a work group of matmul-matrix.comp reads at a time: rows
 * of x in 16-bit floats are padded with zeros to a multiple. */
#define FACET_MATRIX_DEPTH 32

struct FacetPushMatrix {
  uint rows;       /* row class of x and y */
  uint k;          /* columns of x */
  uint m;          /* rows of the part of w, columns of y that it gives */
  uint row_bytes;  /* of w */
  uint y_stride;   /* columns of y */
  uint y_first;    /* the first of them */
  uint has_bias;
  uint stride;     /* elements from row to row of x */
  uint scales;     /* of the rows of x: where they begin, in floats */
  FacetSorted sorted; /* of experts */
};

struct FacetPushHalve {
  uint rows;
  uint k;          /* columns of x that are scaled together */
  uint parts;      /* rows of that many columns in one of x */
  uint stride;     /* as of products */
  uint scales;
};

#endif
