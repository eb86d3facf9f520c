/* vec-avx2.h - vectors of 8 floats for kernels-vec.inc and kernels-int.inc; needs AVX2, FMA, F16C */
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef __m256 Vec;
#define VEC_LANES 8
#define VEC_TILE_ROWS 6
#define VEC_TILE_VECTORS 2

static inline __m256i
vec_mask (size_t n)
{
  return _mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int) n), _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
}

static inline Vec vec_set (float x) { return _mm256_set1_ps (x); }
static inline Vec vec_load (const float *p) { return _mm256_loadu_ps (p); }
static inline void vec_store (float *p, Vec v) { _mm256_storeu_ps (p, v); }
/* The first @n lanes, n < VEC_LANES; the others are 0. */
static inline Vec vec_load_part (const float *p, size_t n) { return _mm256_maskload_ps (p, vec_mask (n)); }
static inline void vec_store_part (float *p, Vec v, size_t n) { _mm256_maskstore_ps (p, vec_mask (n), v); }
static inline Vec vec_load_f16 (const uint16_t *p) { return _mm256_cvtph_ps (_mm_loadu_si128 ((const void *) p)); }
static inline void vec_store_f16 (uint16_t *p, Vec v) { _mm_storeu_si128 ((void *) p, _mm256_cvtps_ph (v, _MM_FROUND_TO_NEAREST_INT)); }

static inline Vec
vec_load_bf16 (const uint16_t *p)
{
  __m256i wide = _mm256_cvtepu16_epi32 (_mm_loadu_si128 ((const void *) p));

  return _mm256_castsi256_ps (_mm256_slli_epi32 (wide, 16));
}

static inline Vec vec_add (Vec a, Vec b) { return _mm256_add_ps (a, b); }
static inline Vec vec_sub (Vec a, Vec b) { return _mm256_sub_ps (a, b); }
static inline Vec vec_mul (Vec a, Vec b) { return _mm256_mul_ps (a, b); }
static inline Vec vec_div (Vec a, Vec b) { return _mm256_div_ps (a, b); }
static inline Vec vec_max (Vec a, Vec b) { return _mm256_max_ps (a, b); }
static inline Vec vec_min (Vec a, Vec b) { return _mm256_min_ps (a, b); }
static inline Vec vec_abs (Vec a) { return _mm256_andnot_ps (_mm256_set1_ps (-0.0f), a); }
/* a * b + c */
static inline Vec vec_fma (Vec a, Vec b, Vec c) { return _mm256_fmadd_ps (a, b, c); }
static inline Vec vec_round (Vec a) { return _mm256_round_ps (a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

/* a * 2^n for whole n; in two steps, as 2^n alone may not be a float. */
static inline Vec
vec_scale2 (Vec a, Vec n)
{
  __m256i whole = _mm256_cvtps_epi32 (n);
  __m256i half = _mm256_srai_epi32 (whole, 1);
  __m256i rest = _mm256_sub_epi32 (whole, half);
  __m256i bias = _mm256_set1_epi32 (127);

  a = _mm256_mul_ps (a, _mm256_castsi256_ps (_mm256_slli_epi32 (_mm256_add_epi32 (half, bias), 23)));
  return _mm256_mul_ps (a, _mm256_castsi256_ps (_mm256_slli_epi32 (_mm256_add_epi32 (rest, bias), 23)));
}

/* x < y ? a : b */
static inline Vec vec_if_less (Vec x, Vec y, Vec a, Vec b) { return _mm256_blendv_ps (b, a, _mm256_cmp_ps (x, y, _CMP_LT_OQ)); }

static inline float
vec_sum (Vec a)
{
  __m128 s = _mm_add_ps (_mm256_castps256_ps128 (a), _mm256_extractf128_ps (a, 1));

  s = _mm_add_ps (s, _mm_movehl_ps (s, s));
  return _mm_cvtss_f32 (_mm_add_ss (s, _mm_shuffle_ps (s, s, 1)));
}

static inline float
vec_highest (Vec a)
{
  __m128 s = _mm_max_ps (_mm256_castps256_ps128 (a), _mm256_extractf128_ps (a, 1));

  s = _mm_max_ps (s, _mm_movehl_ps (s, s));
  return _mm_cvtss_f32 (_mm_max_ss (s, _mm_shuffle_ps (s, s, 1)));
}

/* Four sums. */
static inline void
vec_sum_4 (const Vec v[4], float out[4])
{
  __m256 all = _mm256_hadd_ps (_mm256_hadd_ps (v[0], v[1]), _mm256_hadd_ps (v[2], v[3]));

  _mm_storeu_ps (out, _mm_add_ps (_mm256_castps256_ps128 (all), _mm256_extractf128_ps (all, 1)));
}

/* Rounded, saturated to -127..127, to bytes. Returns: their sum. */
static inline int32_t
vec_store_i8 (int8_t *p, Vec v)
{
  __m256i i = _mm256_cvtps_epi32 (_mm256_min_ps (_mm256_max_ps (v, _mm256_set1_ps (-127)), _mm256_set1_ps (127)));
  __m128i low = _mm256_castsi256_si128 (i), high = _mm256_extracti128_si256 (i, 1);
  __m128i words = _mm_packs_epi32 (low, high);
  __m128i sum = _mm_add_epi32 (low, high);

  _mm_storel_epi64 ((void *) p, _mm_packs_epi16 (words, words));
  sum = _mm_add_epi32 (sum, _mm_shuffle_epi32 (sum, 0x4e));
  return _mm_cvtsi128_si32 (_mm_add_epi32 (sum, _mm_shuffle_epi32 (sum, 0xb1)));
}

/* Rows become columns. */
static inline void
vec_transpose (Vec v[8])
{
  __m256 t[8];

  for (int i = 0; i < 8; i += 4) {
    __m256 a = _mm256_unpacklo_ps (v[i], v[i + 1]), b = _mm256_unpackhi_ps (v[i], v[i + 1]);
    __m256 c = _mm256_unpacklo_ps (v[i + 2], v[i + 3]), d = _mm256_unpackhi_ps (v[i + 2], v[i + 3]);

    t[i] = _mm256_shuffle_ps (a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps (a, c, 0xee);
    t[i + 2] = _mm256_shuffle_ps (b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps (b, d, 0xee);
  }
  for (int i = 0; i < 4; i++) {
    v[i] = _mm256_permute2f128_ps (t[i], t[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps (t[i], t[i + 4], 0x31);
  }
}

/* ---- 8-bit weights and activations, for kernels-int.inc ---- */

typedef __m256i IVec;

static inline float vec_half (uint16_t h) { return _cvtsh_ss (h); }
/* Two numbers, each in half of the lanes. */
static inline Vec vec_set_2 (float low, float high) { return _mm256_set_m128 (_mm_set1_ps (high), _mm_set1_ps (low)); }
static inline IVec ivec_zero (void) { return _mm256_setzero_si256 (); }
static inline IVec ivec_set (int32_t x) { return _mm256_set1_epi32 (x); }
static inline IVec ivec_load (const void *p) { return _mm256_loadu_si256 (p); }
static inline void ivec_store (void *p, IVec v) { _mm256_storeu_si256 (p, v); }
/* 128 above each signed byte, as unsigned. */
static inline IVec ivec_flip_signs (IVec v) { return _mm256_xor_si256 (v, _mm256_set1_epi8 ((char) 0x80)); }
static inline Vec ivec_to_float (IVec v) { return _mm256_cvtepi32_ps (v); }

/* Four products of neighbouring bytes a lane; w is unsigned unless
 * @is_signed, x in -127..127. */
#ifdef __AVXVNNI__
#define IVEC_RAISE 128  /* what signed weights are raised by before they are multiplied */

static inline IVec ivec_mul_add (IVec sum, IVec w, IVec x, int is_signed) { return _mm256_dpbusd_avx_epi32 (sum, w, x); }

/* Sums that the type's number of steps may add to, and their end. */
static inline IVec
ivec_product (int first, IVec sum, IVec w, IVec x, int is_signed)
{
  return ivec_mul_add (first ? ivec_zero () : sum, w, x, is_signed);
}

static inline IVec ivec_add_products (IVec sum, IVec products) { return _mm256_add_epi32 (sum, products); }
#else
#define IVEC_RAISE 0

/* Sums that the type's number of steps may add to: in 16 bits, which they do
 * not overflow. */
static inline IVec
ivec_product (int first, IVec sum, IVec w, IVec x, int is_signed)
{
  IVec pairs = is_signed ? _mm256_maddubs_epi16 (_mm256_abs_epi8 (w), _mm256_sign_epi8 (x, w)) : _mm256_maddubs_epi16 (w, x);

  return first ? pairs : _mm256_add_epi16 (sum, pairs);
}

static inline IVec
ivec_add_products (IVec sum, IVec products)
{
  return _mm256_add_epi32 (sum, _mm256_madd_epi16 (products, _mm256_set1_epi16 (1)));
}

static inline IVec
ivec_mul_add (IVec sum, IVec w, IVec x, int is_signed)
{
  return ivec_add_products (sum, ivec_product (1, sum, w, x, is_signed));
}
#endif

static inline void vec_copy_32 (uint8_t *q, const int8_t *from) { ivec_store (q, ivec_load (from)); }

static inline IVec ivec_or (IVec a, IVec b) { return _mm256_or_si256 (a, b); }

/* Each byte moved right by @shift, which may be negative, and masked with @mask,
 * which holds no bit that comes from another byte. */
static inline IVec
ivec_bits (IVec v, int shift, int mask)
{
  v = shift < 0 ? _mm256_slli_epi16 (v, -shift) : _mm256_srli_epi16 (v, shift);
  return _mm256_and_si256 (v, _mm256_set1_epi8 ((char) mask));
}

/* d times (each of eight bytes - less), the lowest first. */
static inline void
vec_scale_8 (float *to, uint64_t bytes, int less, float d)
{
  __m256i wide = _mm256_sub_epi32 (_mm256_cvtepu8_epi32 (_mm_cvtsi64_si128 ((long long) bytes)), _mm256_set1_epi32 (less));

  vec_store (to, _mm256_mul_ps (_mm256_cvtepi32_ps (wide), vec_set (d)));
}

/* Low halves of 16 bytes, then high halves. */
static inline void
vec_nibbles (uint8_t *q, const uint8_t *qs)
{
  __m128i b = _mm_loadu_si128 ((const void *) qs);

  ivec_store (q, _mm256_and_si256 (_mm256_set_m128i (_mm_srli_epi16 (b, 4), b), _mm256_set1_epi8 (15)));
}

/* q[i] += bit i of @bits ? value : 0, for 32 bytes. */
static inline void
vec_add_bits (uint8_t *q, const uint8_t bits[4], uint8_t value)
{
  uint32_t word;
  __m256i spread, one = _mm256_set1_epi64x ((long long) 0x8040201008040201);
  __m256i from = _mm256_setr_epi64x (0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);

  __builtin_memcpy (&word, bits, 4);
  spread = _mm256_and_si256 (_mm256_shuffle_epi8 (_mm256_set1_epi32 ((int) word), from), one);
  spread = _mm256_and_si256 (_mm256_cmpeq_epi8 (spread, one), _mm256_set1_epi8 ((char) value));
  ivec_store (q, _mm256_or_si256 (ivec_load (q), spread));
}

/* q[i] = values[q[i]], for 32 bytes below 16. */
static inline void
vec_look_up (uint8_t *q, const int8_t values[16])
{
  ivec_store (q, _mm256_shuffle_epi8 (_mm256_broadcastsi128_si256 (_mm_loadu_si128 ((const void *) values)), ivec_load (q)));
}

static inline void
ivec_transpose (IVec v[8])
{
  Vec t[8];

  for (int i = 0; i < 8; i++)
    t[i] = _mm256_castsi256_ps (v[i]);
  vec_transpose (t);
  for (int i = 0; i < 8; i++)
    v[i] = _mm256_castps_si256 (t[i]);
}
