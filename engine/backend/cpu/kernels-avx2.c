#include "backend/cpu/vec-avx2.h"
#include "backend/cpu/quant-unpack.inc"

#define VEC_DEQUANTIZE(TYPE) dequantize_##TYPE

#include "backend/cpu/kernels-vec-attend.inc"
#include "backend/cpu/kernels-vec-local.inc"

void
facet_kernels_init_avx2 (FacetKernels *k)
{
  k->name = "avx2";
  vec_init_elementwise (k);
  vec_init_matmul (k);
  vec_init_attend (k);
  vec_init_local (k);
  facet_kernels_init_avx2_int (k);
}
