/* kernels-vnni.h - inside the AVX-512 VNNI kernels
 *
 * Products of quantised weights and 8-bit activations: few rows stream the
 * weights once and sum within each row of the matrix (kernels-vnni-gemv.c);
 * more rows unpack 32 rows of the matrix at a time into a panel and sum in
 * parallel for all of them (kernels-vnni-gemm.c).
 */
#pragma once

#include "backend/cpu/kernels.h"
#include "backend/cpu/quant-avx512.h"

#define FACET_INLINE static inline __attribute__ ((always_inline))

/* From this many rows on the panels pay. */
#define FACET_VNNI_GEMM_ROWS 3

/* X (TYPE, type, offset, minima) for types of 32-element blocks, and
 * X (TYPE, type, offset, minima, elements a scale) for the K types. */
#define FACET_VNNI_BLOCK_TYPES(X)                                         \
  X (Q4_0, q4_0, 8, 0) X (Q4_1, q4_1, 0, 1) X (Q5_0, q5_0, 16, 0)         \
  X (Q5_1, q5_1, 0, 1) X (Q8_0, q8_0, 128, 0) X (IQ4_NL, iq4_nl, 128, 0)
#define FACET_VNNI_K_TYPES(X)                                             \
  X (Q2_K, q2_k, 0, 1, 16) X (Q3_K, q3_k, 4, 0, 16) X (Q4_K, q4_k, 0, 1, 32) \
  X (Q5_K, q5_k, 0, 1, 32) X (Q6_K, q6_k, 32, 0, 16) X (IQ4_XS, iq4_xs, 128, 0, 32)

#define FACET_VNNI_DECLARE(TYPE, ...)                                                          \
  void facet_vnni_gemv_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch);           \
  void facet_vnni_gemm_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch);
FACET_VNNI_BLOCK_TYPES (FACET_VNNI_DECLARE)
FACET_VNNI_K_TYPES (FACET_VNNI_DECLARE)
