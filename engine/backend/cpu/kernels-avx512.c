#include "backend/cpu/kernels-avx512.h"
#include "backend/cpu/vec-avx512.h"

#define VEC_DEQUANTIZE(TYPE) facet_avx512_dequantize_##TYPE

#include "backend/cpu/kernels-vec-attend.inc"
#include "backend/cpu/kernels-vec-local.inc"

#define SET_DEQUANTIZE(TYPE, ...) k->dequantize[FACET_##TYPE] = facet_avx512_dequantize_##TYPE;

void
facet_kernels_init_avx512 (FacetKernels *k)
{
  k->name = "avx512";
  vec_init_elementwise (k);
  vec_init_matmul (k);
  vec_init_attend (k);
  vec_init_local (k);
  FACET_AVX512_BLOCK_TYPES (SET_DEQUANTIZE)
  FACET_AVX512_K_TYPES (SET_DEQUANTIZE)
}
