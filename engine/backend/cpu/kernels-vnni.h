/* kernels-vnni.h - inside the AVX-512 VNNI kernels
 *
 * Products of quantised weights and 8-bit activations: few rows stream the
 * weights once and sum within each row of the matrix (kernels-vnni-gemv.c);
 * more rows unpack 32 rows of the matrix at a time into a panel and sum in
 * parallel for all of them (kernels-vnni-gemm.c).
 */
#pragma once

#include "backend/cpu/kernels-avx512.h"
#include "backend/cpu/quant-avx512.h"

#define FACET_INLINE static inline __attribute__ ((always_inline))

/* From this many rows on the panels pay. */
#define FACET_VNNI_GEMM_ROWS 3

#define FACET_VNNI_DECLARE(TYPE, ...)                                                          \
  void facet_vnni_gemv_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch);           \
  void facet_vnni_gemm_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch);
FACET_AVX512_BLOCK_TYPES (FACET_VNNI_DECLARE)
FACET_AVX512_K_TYPES (FACET_VNNI_DECLARE)
