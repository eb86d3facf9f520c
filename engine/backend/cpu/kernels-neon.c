#include "backend/cpu/vec-neon.h"
#include "backend/cpu/kernels-int.inc"

#define VEC_DEQUANTIZE(TYPE) dequantize_##TYPE

#include "backend/cpu/kernels-vec-attend.inc"
#include "backend/cpu/kernels-vec-local.inc"

void
facet_kernels_init_neon (FacetKernels *k)
{
  k->name = "neon";
  vec_init_elementwise (k);
  vec_init_matmul (k);
  vec_init_attend (k);
  vec_init_local (k);
  vec_init_int (k);
}
