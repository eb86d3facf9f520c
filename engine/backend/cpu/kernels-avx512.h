/* kernels-avx512.h - inside the AVX-512 kernels */
#pragma once

#include "backend/cpu/kernels.h"

/* X (TYPE, type, offset, minima) for types of 32-element blocks, and
 * X (TYPE, type, offset, minima, elements a scale) for the K types; for the
 * readers of quant-avx512.h. */
#define FACET_AVX512_BLOCK_TYPES(X)                                        \
  X (Q4_0, q4_0, 8, 0) X (Q4_1, q4_1, 0, 1) X (Q5_0, q5_0, 16, 0)          \
  X (Q5_1, q5_1, 0, 1) X (Q8_0, q8_0, 128, 0) X (IQ4_NL, iq4_nl, 128, 0)
#define FACET_AVX512_K_TYPES(X)                                            \
  X (Q2_K, q2_k, 0, 1, 16) X (Q3_K, q3_k, 4, 0, 16) X (Q4_K, q4_k, 0, 1, 32) \
  X (Q5_K, q5_k, 0, 1, 32) X (Q6_K, q6_k, 32, 0, 16) X (IQ4_XS, iq4_xs, 128, 0, 32)

#define FACET_AVX512_DECLARE(TYPE, ...) \
  void facet_avx512_dequantize_##TYPE (const void *src, float *dst, size_t n);
FACET_AVX512_BLOCK_TYPES (FACET_AVX512_DECLARE)
FACET_AVX512_K_TYPES (FACET_AVX512_DECLARE)
