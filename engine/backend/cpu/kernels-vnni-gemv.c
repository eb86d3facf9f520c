#include "backend/cpu/kernels-vnni.h"

#define ROWS 4        /* of the matrix at a time */
#define MAX_TOKENS (FACET_VNNI_GEMM_ROWS - 1)
#define PREFETCH 4096

/* What a token's row brings to the sums, by 64 elements. Lane i of each holds
 * what belongs to elements 4 i .. 4 i + 3. */
typedef struct {
  __m512i q;      /* activations, zero past the end */
  __m512i start;  /* -offset * sum */
  __m512  d;
  __m512  dsum;   /* d * sum */
} Step;

FACET_INLINE const uint8_t *
row_at (const FacetMatmul *a, int m)
{
  return (const uint8_t *) a->w + (size_t) m * a->w_stride;
}

static void
prepare_row (const FacetMatmul *a, int t, int offset, Step *steps)
{
  int k = a->k;
  const int8_t *q = a->xq.q + (size_t) t * (size_t) k;
  const float *d = a->xq.d + (size_t) t * (size_t) (k / 32);

  for (int j = 0; j < (k + 63) / 64; j++) {
    int whole = 64 * j + 64 <= k;
    __m512i sums;

    steps[j].q = _mm512_maskz_loadu_epi8 (whole ? UINT64_MAX : UINT32_MAX, q + 64 * j);
    sums = _mm512_dpbusd_epi32 (_mm512_setzero_si512 (), _mm512_set1_epi8 (1), steps[j].q);
    steps[j].start = _mm512_mullo_epi32 (sums, _mm512_set1_epi32 (-offset));
    steps[j].d = floats_low_high (d[2 * j], whole ? d[2 * j + 1] : 0);
    steps[j].dsum = _mm512_mul_ps (steps[j].d, _mm512_cvtepi32_ps (sums));
  }
}

/* The sums of four vectors. */
FACET_INLINE __m128
sum_4 (__m512 a, __m512 b, __m512 c, __m512 d)
{
  __m512 ab = _mm512_add_ps (_mm512_unpacklo_ps (a, b), _mm512_unpackhi_ps (a, b));
  __m512 cd = _mm512_add_ps (_mm512_unpacklo_ps (c, d), _mm512_unpackhi_ps (c, d));
  __m512 abcd = _mm512_add_ps (_mm512_shuffle_ps (ab, cd, 0x44), _mm512_shuffle_ps (ab, cd, 0xee));
  __m256 half = _mm256_add_ps (_mm512_castps512_ps256 (abcd), _mm512_extractf32x8_ps (abcd, 1));

  return _mm_add_ps (_mm256_castps256_ps128 (half), _mm256_extractf128_ps (half, 1));
}

FACET_INLINE void
store_4 (const FacetMatmul *a, int t, int m, int n, const __m512 sums[ROWS])
{
  __mmask8 mask = (__mmask8) ((1 << n) - 1);
  __m128 y = sum_4 (sums[0], sums[1], sums[2], sums[3]);

  if (a->bias != NULL)
    y = _mm_add_ps (y, _mm_maskz_loadu_ps (mask, a->bias + m));
  _mm_mask_storeu_ps (a->y + (size_t) t * a->y_stride + m, mask, y);
}

/* Two halves at @first and @second, each for eight lanes. */
FACET_INLINE __m512
two_scales (const uint8_t *first, const uint8_t *second)
{
  uint16_t low, high;
  __m256i h;

  memcpy (&low, first, 2);
  memcpy (&high, second, 2);
  h = _mm256_mask_set1_epi16 (_mm256_set1_epi16 ((short) low), 0xff00, (short) high);
  return _mm512_cvtph_ps (h);
}

typedef __m512i (*ReadFunc) (const void *row, int j);
typedef __m512 (*ScalesFunc) (const void *block);

FACET_INLINE __m512
step_sum (__m512 sum, __m512i q, const Step *x, __m512 scale)
{
  __m512i dot = _mm512_dpbusd_epi32 (x->start, q, x->q);

  return _mm512_fmadd_ps (_mm512_cvtepi32_ps (dot), _mm512_mul_ps (scale, x->d), sum);
}

FACET_INLINE void
block_step (const uint8_t *row, int j, size_t size, int minima, ReadFunc read, const Step *steps,
            size_t n_steps, int tokens, __m512 (*sums)[ROWS], int r)
{
  const uint8_t *b = row + 2 * (size_t) j * size;
  __m512i q = read (row, j);
  __m512 scale = two_scales (b, b + size);

  for (int t = 0; t < tokens; t++) {
    const Step *x = &steps[(size_t) t * n_steps + (size_t) j];

    sums[t][r] = step_sum (sums[t][r], q, x, scale);
    if (minima)
      sums[t][r] = _mm512_fmadd_ps (two_scales (b + 2, b + size + 2), x->dsum, sums[t][r]);
  }
}

FACET_INLINE void
gemv_blocks (const FacetMatmul *a, int m0, int m1, Step *steps, size_t size, int offset, int minima,
             ReadFunc read, int tokens)
{
  size_t n_steps = ((size_t) a->k + 63) / 64;
  int whole = a->k / 64;

  for (int t = 0; t < tokens; t++)
    prepare_row (a, t, offset, steps + (size_t) t * n_steps);
  for (int m = m0; m < m1; m += ROWS) {
    __m512 sums[MAX_TOKENS][ROWS];
    const uint8_t *row[ROWS];
    int n = m1 - m < ROWS ? m1 - m : ROWS;

    for (int r = 0; r < ROWS; r++) {
      row[r] = row_at (a, m + (r < n ? r : n - 1));
      for (int t = 0; t < tokens; t++)
        sums[t][r] = _mm512_setzero_ps ();
    }
    for (int j = 0; j < whole; j++)
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; r++) {
        _mm_prefetch ((const char *) row[r] + 2 * (size_t) j * size + PREFETCH, _MM_HINT_T0);
        block_step (row[r], j, size, minima, read, steps, n_steps, tokens, sums, r);
      }
    if ((size_t) whole < n_steps)
      for (int r = 0; r < ROWS; r++) {
        uint8_t last[2 * sizeof (FacetBlockQ8_0)] = { 0 };

        memcpy (last, row[r] + 2 * (size_t) whole * size, size);
        block_step (last, 0, size, minima, read, steps + whole, n_steps, tokens, sums, r);
      }
    for (int t = 0; t < tokens; t++)
      store_4 (a, t, m, n, sums[t]);
  }
}

/* Spreads scales 64 j .. of a super-block over the lanes they are for. */
FACET_INLINE __m512
spread (__m512 scales, int i, int per_scale)
{
  __m512i lane = _mm512_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i index = _mm512_srli_epi32 (lane, per_scale == 16 ? 2 : 3);

  return _mm512_permutexvar_ps (_mm512_add_epi32 (index, _mm512_set1_epi32 (i * 64 / per_scale)), scales);
}

/* Minima for steps of 64, so that they take the same lanes as the scales. */
FACET_INLINE void
block_k (const uint8_t *row, int b, size_t size, int minima, int per_scale, ReadFunc read, ScalesFunc scales_of,
         const Step *steps, size_t n_steps, int tokens, __m512 (*sums)[ROWS], int r)
{
  const uint8_t *block = row + (size_t) b * size;
  __m512 scales = scales_of (block);
  __m512 min = scales;

  if (minima && per_scale == 16)
    min = k_q2_k_min (block);
  else if (minima)
    min = _mm512_shuffle_f32x4 (scales, scales, 0xee);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m512i q = read (block, i);
    __m512 scale = spread (scales, i, per_scale);

    for (int t = 0; t < tokens; t++) {
      const Step *x = &steps[(size_t) t * n_steps + (size_t) (4 * b + i)];

      sums[t][r] = step_sum (sums[t][r], q, x, scale);
      if (minima)
        sums[t][r] = _mm512_fnmadd_ps (spread (min, i, per_scale), x->dsum, sums[t][r]);
    }
  }
}

FACET_INLINE void
gemv_k (const FacetMatmul *a, int m0, int m1, Step *steps, size_t size, int offset, int minima, int per_scale,
        ReadFunc read, ScalesFunc scales_of, int tokens)
{
  size_t n_steps = (size_t) a->k / 64;

  for (int t = 0; t < tokens; t++)
    prepare_row (a, t, offset, steps + (size_t) t * n_steps);
  for (int m = m0; m < m1; m += ROWS) {
    __m512 sums[MAX_TOKENS][ROWS];
    const uint8_t *row[ROWS];
    int n = m1 - m < ROWS ? m1 - m : ROWS;

    for (int r = 0; r < ROWS; r++) {
      row[r] = row_at (a, m + (r < n ? r : n - 1));
      for (int t = 0; t < tokens; t++)
        sums[t][r] = _mm512_setzero_ps ();
    }
    for (int b = 0; b < a->k / FACET_QK; b++)
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; r++) {
        for (size_t line = 0; line < size; line += 64)
          _mm_prefetch ((const char *) row[r] + (size_t) b * size + line + PREFETCH, _MM_HINT_T0);
        block_k (row[r], b, size, minima, per_scale, read, scales_of, steps, n_steps, tokens, sums, r);
      }
    for (int t = 0; t < tokens; t++)
      store_4 (a, t, m, n, sums[t]);
  }
}

#define DEFINE_BLOCK_TYPE(TYPE, type, offset, minima)                                            \
  void facet_vnni_gemv_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch)              \
  {                                                                                              \
    if (a->rows == 1)                                                                            \
      gemv_blocks (a, m0, m1, scratch, sizeof (FacetBlock##TYPE), offset, minima, type##_64, 1); \
    else                                                                                         \
      gemv_blocks (a, m0, m1, scratch, sizeof (FacetBlock##TYPE), offset, minima, type##_64, 2); \
  }

#define DEFINE_K_TYPE(TYPE, type, offset, minima, per_scale)                                     \
  void facet_vnni_gemv_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch)              \
  {                                                                                              \
    if (a->rows == 1)                                                                            \
      gemv_k (a, m0, m1, scratch, sizeof (FacetBlock##TYPE), offset, minima, per_scale,          \
              type##_64, k_##type, 1);                                                           \
    else                                                                                         \
      gemv_k (a, m0, m1, scratch, sizeof (FacetBlock##TYPE), offset, minima, per_scale,          \
              type##_64, k_##type, 2);                                                           \
  }

FACET_AVX512_BLOCK_TYPES (DEFINE_BLOCK_TYPE)
FACET_AVX512_K_TYPES (DEFINE_K_TYPE)
