#include "backend/cpu/kernels-c.h"
#include "backend/cpu/vec-avx2.h"

/* The reference reads these types; only the products are done here. */
#define VEC_DEQUANTIZE(TYPE) dequantize_##TYPE
#define DEFINE_DEQUANTIZE(TYPE)                                          \
  static void dequantize_##TYPE (const void *src, float *dst, size_t n)  \
  { facet_c_dequantize (FACET_##TYPE, src, 0, n, dst); }

DEFINE_DEQUANTIZE (Q4_0)
DEFINE_DEQUANTIZE (Q4_1)
DEFINE_DEQUANTIZE (Q5_0)
DEFINE_DEQUANTIZE (Q5_1)
DEFINE_DEQUANTIZE (Q8_0)
DEFINE_DEQUANTIZE (Q2_K)
DEFINE_DEQUANTIZE (Q3_K)
DEFINE_DEQUANTIZE (Q4_K)
DEFINE_DEQUANTIZE (Q5_K)
DEFINE_DEQUANTIZE (Q6_K)
DEFINE_DEQUANTIZE (IQ4_NL)
DEFINE_DEQUANTIZE (IQ4_XS)

#include "backend/cpu/kernels-vec-attend.inc"

void
facet_kernels_init_avx2 (FacetKernels *k)
{
  k->name = "avx2";
  vec_init_elementwise (k);
  vec_init_matmul (k);
  vec_init_attend (k);
}
