#include "backend/cpu/kernels-vnni.h"

#define DEFINE_MATMUL(TYPE, ...)                                                                 \
  static void matmul_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch)                \
  {                                                                                              \
    if (a->rows < FACET_VNNI_GEMM_ROWS)                                                          \
      facet_vnni_gemv_##TYPE (a, m0, m1, scratch);                                               \
    else                                                                                         \
      facet_vnni_gemm_##TYPE (a, m0, m1, scratch);                                               \
  }

FACET_AVX512_BLOCK_TYPES (DEFINE_MATMUL)
FACET_AVX512_K_TYPES (DEFINE_MATMUL)

#define SET_MATMUL(TYPE, ...) k->matmul_q8[FACET_##TYPE] = matmul_##TYPE;

void
facet_kernels_init_vnni (FacetKernels *k)
{
  k->name = "avx512-vnni";
  FACET_AVX512_BLOCK_TYPES (SET_MATMUL)
  FACET_AVX512_K_TYPES (SET_MATMUL)
}
