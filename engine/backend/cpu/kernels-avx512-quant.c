#include "backend/cpu/kernels-avx512.h"
#include "backend/cpu/quant-avx512.h"

typedef __m512i (*ReadFunc) (const void *row, int j);
typedef __m512 (*ScalesFunc) (const void *block);

/* scale * (q - offset) - min of 16 elements; multiplication and subtraction
 * round apart, as in the reference. */
static inline void
store_16 (float *dst, __m128i q, int offset, __m512 scale, __m512 min, int minima)
{
  __m512i whole = _mm512_sub_epi32 (_mm512_cvtepu8_epi32 (q), _mm512_set1_epi32 (offset));
  __m512 x = _mm512_mul_ps (_mm512_cvtepi32_ps (whole), scale);

  _mm512_storeu_ps (dst, minima ? _mm512_sub_ps (x, min) : x);
}

static inline __attribute__ ((always_inline)) void
store_64 (float *dst, __m512i q, int offset, const float scale[4], const float min[4], int minima)
{
  __m128i parts[4] = { _mm512_castsi512_si128 (q), _mm512_extracti32x4_epi32 (q, 1),
                       _mm512_extracti32x4_epi32 (q, 2), _mm512_extracti32x4_epi32 (q, 3) };

  for (int i = 0; i < 4; i++)
    store_16 (dst + 16 * i, parts[i], offset, _mm512_set1_ps (scale[i]), _mm512_set1_ps (min[i]), minima);
}

static inline __attribute__ ((always_inline)) void
dequantize_blocks (const uint8_t *src, float *dst, size_t n, size_t size, int offset, int minima, ReadFunc read)
{
  for (size_t j = 0; j < (n + 63) / 64; j++) {
    const uint8_t *b = src + 2 * j * size;
    uint8_t last[2 * sizeof (FacetBlockQ8_0)] = { 0 };
    float tail[64];
    int whole = 64 * j + 64 <= n;
    float scale[4], min[4] = { 0 };

    if (!whole) {
      memcpy (last, b, size);
      b = last;
    }
    for (size_t i = 0; i < 4; i++) {
      scale[i] = half_at (b + i / 2 * size);
      if (minima)
        min[i] = -half_at (b + i / 2 * size + 2);
    }
    store_64 (whole ? dst + 64 * j : tail, read (b, 0), offset, scale, min, minima);
    if (!whole)
      memcpy (dst + 64 * j, tail, 32 * sizeof (float));
  }
}

static inline __attribute__ ((always_inline)) void
dequantize_k (const uint8_t *src, float *dst, size_t n, size_t size, int offset, int minima, int per_scale,
              ReadFunc read, ScalesFunc scales_of)
{
  for (size_t b = 0; b < n / FACET_QK; b++) {
    const uint8_t *block = src + b * size;
    float scales[16], mins[16];

    _mm512_storeu_ps (scales, scales_of (block));
    _mm512_storeu_ps (mins, minima && per_scale == 16 ? k_q2_k_min (block) : _mm512_loadu_ps (scales));
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      float scale[4], min[4] = { 0 };

      for (int i = 0; i < 4; i++) {
        int at = (64 * j + 16 * i) / per_scale;

        scale[i] = scales[at];
        if (minima)
          min[i] = mins[per_scale == 16 ? at : 8 + at];
      }
      store_64 (dst + b * FACET_QK + (size_t) (64 * j), read (block, j), offset, scale, min, minima);
    }
  }
}

#define DEFINE_BLOCK_TYPE(TYPE, type, offset, minima)                                            \
  void facet_avx512_dequantize_##TYPE (const void *src, float *dst, size_t n)                    \
  { dequantize_blocks (src, dst, n, sizeof (FacetBlock##TYPE), offset, minima, type##_64); }
#define DEFINE_K_TYPE(TYPE, type, offset, minima, per_scale)                                     \
  void facet_avx512_dequantize_##TYPE (const void *src, float *dst, size_t n)                    \
  { dequantize_k (src, dst, n, sizeof (FacetBlock##TYPE), offset, minima, per_scale, type##_64, k_##type); }

FACET_AVX512_BLOCK_TYPES (DEFINE_BLOCK_TYPE)
FACET_AVX512_K_TYPES (DEFINE_K_TYPE)
