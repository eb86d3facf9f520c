/* vec-avx512.h - vectors of 16 floats for kernels-vec.inc; needs F, BW, VL, DQ */
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef __m512 Vec;
#define VEC_LANES 16
#define VEC_TILE_ROWS 6     /* sums that fit the registers: rows x vectors */
#define VEC_TILE_VECTORS 4

static inline __mmask16
vec_mask (size_t n)
{
  return (__mmask16) ((1u << n) - 1);
}

static inline Vec vec_set (float x) { return _mm512_set1_ps (x); }
static inline Vec vec_load (const float *p) { return _mm512_loadu_ps (p); }
static inline void vec_store (float *p, Vec v) { _mm512_storeu_ps (p, v); }
/* The first @n lanes, n < VEC_LANES; the others are 0. */
static inline Vec vec_load_part (const float *p, size_t n) { return _mm512_maskz_loadu_ps (vec_mask (n), p); }
static inline void vec_store_part (float *p, Vec v, size_t n) { _mm512_mask_storeu_ps (p, vec_mask (n), v); }
static inline Vec vec_load_f16 (const uint16_t *p) { return _mm512_cvtph_ps (_mm256_loadu_si256 ((const void *) p)); }
static inline void vec_store_f16 (uint16_t *p, Vec v) { _mm256_storeu_si256 ((void *) p, _mm512_cvtps_ph (v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); }

static inline Vec
vec_load_bf16 (const uint16_t *p)
{
  __m512i wide = _mm512_cvtepu16_epi32 (_mm256_loadu_si256 ((const void *) p));

  return _mm512_castsi512_ps (_mm512_slli_epi32 (wide, 16));
}

static inline Vec vec_add (Vec a, Vec b) { return _mm512_add_ps (a, b); }
static inline Vec vec_sub (Vec a, Vec b) { return _mm512_sub_ps (a, b); }
static inline Vec vec_mul (Vec a, Vec b) { return _mm512_mul_ps (a, b); }
static inline Vec vec_div (Vec a, Vec b) { return _mm512_div_ps (a, b); }
static inline Vec vec_max (Vec a, Vec b) { return _mm512_max_ps (a, b); }
static inline Vec vec_min (Vec a, Vec b) { return _mm512_min_ps (a, b); }
static inline Vec vec_abs (Vec a) { return _mm512_abs_ps (a); }
/* a * b + c */
static inline Vec vec_fma (Vec a, Vec b, Vec c) { return _mm512_fmadd_ps (a, b, c); }
static inline Vec vec_round (Vec a) { return _mm512_roundscale_ps (a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* a * 2^n for whole n */
static inline Vec vec_scale2 (Vec a, Vec n) { return _mm512_scalef_ps (a, n); }
/* x < y ? a : b */
static inline Vec vec_if_less (Vec x, Vec y, Vec a, Vec b) { return _mm512_mask_blend_ps (_mm512_cmp_ps_mask (x, y, _CMP_LT_OQ), b, a); }
static inline float vec_sum (Vec a) { return _mm512_reduce_add_ps (a); }
static inline float vec_highest (Vec a) { return _mm512_reduce_max_ps (a); }

/* Four sums. */
static inline void
vec_sum_4 (const Vec v[4], float out[4])
{
  __m512 ab = _mm512_add_ps (_mm512_unpacklo_ps (v[0], v[1]), _mm512_unpackhi_ps (v[0], v[1]));
  __m512 cd = _mm512_add_ps (_mm512_unpacklo_ps (v[2], v[3]), _mm512_unpackhi_ps (v[2], v[3]));
  __m512 all = _mm512_add_ps (_mm512_shuffle_ps (ab, cd, 0x44), _mm512_shuffle_ps (ab, cd, 0xee));
  __m256 half = _mm256_add_ps (_mm512_castps512_ps256 (all), _mm512_extractf32x8_ps (all, 1));

  _mm_storeu_ps (out, _mm_add_ps (_mm256_castps256_ps128 (half), _mm256_extractf128_ps (half, 1)));
}

/* Rounded, saturated to -127..127, to bytes. Returns: their sum. */
static inline int32_t
vec_store_i8 (int8_t *p, Vec v)
{
  __m512i i = _mm512_cvtps_epi32 (_mm512_min_ps (_mm512_max_ps (v, _mm512_set1_ps (-127)), _mm512_set1_ps (127)));

  _mm_storeu_si128 ((void *) p, _mm512_cvtepi32_epi8 (i));
  return _mm512_reduce_add_epi32 (i);
}

/* Rows become columns. */
static inline __attribute__ ((always_inline)) void
vec_transpose_i32 (__m512i v[16])
{
  __m512i t[16];

#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    __m512i a = _mm512_unpacklo_epi32 (v[i], v[i + 1]), b = _mm512_unpackhi_epi32 (v[i], v[i + 1]);
    __m512i c = _mm512_unpacklo_epi32 (v[i + 2], v[i + 3]), d = _mm512_unpackhi_epi32 (v[i + 2], v[i + 3]);

    t[i] = _mm512_unpacklo_epi64 (a, c);
    t[i + 1] = _mm512_unpackhi_epi64 (a, c);
    t[i + 2] = _mm512_unpacklo_epi64 (b, d);
    t[i + 3] = _mm512_unpackhi_epi64 (b, d);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m512i a = _mm512_shuffle_i32x4 (t[i], t[i + 4], 0x88), b = _mm512_shuffle_i32x4 (t[i], t[i + 4], 0xdd);
    __m512i c = _mm512_shuffle_i32x4 (t[i + 8], t[i + 12], 0x88), d = _mm512_shuffle_i32x4 (t[i + 8], t[i + 12], 0xdd);

    v[i] = _mm512_shuffle_i32x4 (a, c, 0x88);
    v[i + 8] = _mm512_shuffle_i32x4 (a, c, 0xdd);
    v[i + 4] = _mm512_shuffle_i32x4 (b, d, 0x88);
    v[i + 12] = _mm512_shuffle_i32x4 (b, d, 0xdd);
  }
}

static inline __attribute__ ((always_inline)) void
vec_transpose (Vec v[16])
{
  __m512i t[16];

#pragma GCC unroll 16
  for (int i = 0; i < 16; i++)
    t[i] = _mm512_castps_si512 (v[i]);
  vec_transpose_i32 (t);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++)
    v[i] = _mm512_castsi512_ps (t[i]);
}
