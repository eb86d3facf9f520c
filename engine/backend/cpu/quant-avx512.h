/* quant-avx512.h - reading quantised weights 64 elements at a time
 *
 * X_64 (row, j) gives elements 64 j .. 64 j + 63 of a row as unsigned bytes
 * that are X_OFFSET above their value. K types: k_X (block) gives the sixteen
 * (or eight) scales of a super-block as floats; with minima, scales lie in
 * lanes 0..7 and minima in 8..15 (Q2_K: see there).
 */
#pragma once

#include <immintrin.h>
#include "backend/cpu/quant-blocks.h"

static inline __m512i
both_halves (const void *p)
{
  return _mm512_broadcast_i64x4 (_mm256_loadu_si256 (p));
}

static inline __m512i
two_halves (__m256i low, __m256i high)
{
  return _mm512_inserti64x4 (_mm512_castsi256_si512 (low), high, 1);
}

/* 64-bit lanes shifted by @low in the lower and @high in the upper half. */
static inline __m512i
shift_counts (long long low, long long high)
{
  return _mm512_set_epi64 (high, high, high, high, low, low, low, low);
}

/* Two blocks of 16 bytes of nibbles, each low nibbles first. */
static inline __m512i
nibbles_64 (const void *first, const void *second)
{
  __m512i b = two_halves (_mm256_broadcastsi128_si256 (_mm_loadu_si128 (first)),
                          _mm256_broadcastsi128_si256 (_mm_loadu_si128 (second)));

  return _mm512_and_si512 (_mm512_srlv_epi64 (b, _mm512_set_epi64 (4, 4, 0, 0, 4, 4, 0, 0)),
                           _mm512_set1_epi8 (15));
}

static inline __m512i
with_fifth_bits (__m512i q, const void *first, const void *second)
{
  uint32_t low, high;

  memcpy (&low, first, 4);
  memcpy (&high, second, 4);
  return _mm512_mask_add_epi8 (q, (uint64_t) high << 32 | low, q, _mm512_set1_epi8 (16));
}

static inline __m512i
q4_0_64 (const void *row, int j)
{
  const FacetBlockQ4_0 *b = (const FacetBlockQ4_0 *) row + 2 * j;

  return nibbles_64 (b[0].qs, b[1].qs);
}

static inline __m512i
q4_1_64 (const void *row, int j)
{
  const FacetBlockQ4_1 *b = (const FacetBlockQ4_1 *) row + 2 * j;

  return nibbles_64 (b[0].qs, b[1].qs);
}

static inline __m512i
q5_0_64 (const void *row, int j)
{
  const FacetBlockQ5_0 *b = (const FacetBlockQ5_0 *) row + 2 * j;

  return with_fifth_bits (nibbles_64 (b[0].qs, b[1].qs), b[0].qh, b[1].qh);
}

static inline __m512i
q5_1_64 (const void *row, int j)
{
  const FacetBlockQ5_1 *b = (const FacetBlockQ5_1 *) row + 2 * j;

  return with_fifth_bits (nibbles_64 (b[0].qs, b[1].qs), b[0].qh, b[1].qh);
}

static inline __m512i
q8_0_64 (const void *row, int j)
{
  const FacetBlockQ8_0 *b = (const FacetBlockQ8_0 *) row + 2 * j;

  return _mm512_xor_si512 (two_halves (_mm256_loadu_si256 ((const void *) b[0].qs),
                                       _mm256_loadu_si256 ((const void *) b[1].qs)),
                           _mm512_set1_epi8 ((char) 0x80));
}

static inline __m512i
iq4_lookup (__m512i nibbles)
{
  static const int8_t values[16] = FACET_IQ4_VALUES;
  __m128i table = _mm_xor_si128 (_mm_loadu_si128 ((const void *) values), _mm_set1_epi8 ((char) 0x80));

  return _mm512_shuffle_epi8 (_mm512_broadcast_i32x4 (table), nibbles);
}

static inline __m512i
iq4_nl_64 (const void *row, int j)
{
  const FacetBlockIQ4_NL *b = (const FacetBlockIQ4_NL *) row + 2 * j;

  return iq4_lookup (nibbles_64 (b[0].qs, b[1].qs));
}

static inline __m512i
iq4_xs_64 (const void *row, int j)
{
  const FacetBlockIQ4_XS *b = (const FacetBlockIQ4_XS *) row + j / 4;
  const uint8_t *qs = b->qs + 32 * (j % 4);

  return iq4_lookup (nibbles_64 (qs, qs + 16));
}

static inline __m512i
q4_k_64 (const void *row, int j)
{
  const FacetBlockQ4_K *b = (const FacetBlockQ4_K *) row + j / 4;

  return _mm512_and_si512 (_mm512_srlv_epi64 (both_halves (b->qs + 32 * (j % 4)), shift_counts (0, 4)),
                           _mm512_set1_epi8 (15));
}

/* a | (b & mask) */
static inline __m512i
or_masked (__m512i a, __m512i b, char mask)
{
  return _mm512_ternarylogic_epi64 (a, b, _mm512_set1_epi8 (mask), 0xf8);
}

static inline __m512i
q5_k_64 (const void *row, int j)
{
  const FacetBlockQ5_K *b = (const FacetBlockQ5_K *) row + j / 4;
  int i = j % 4;
  __m512i low = _mm512_and_si512 (_mm512_srlv_epi64 (both_halves (b->qs + 32 * i), shift_counts (0, 4)),
                                  _mm512_set1_epi8 (15));

  return or_masked (low, _mm512_rolv_epi64 (both_halves (b->qh), shift_counts (4 - 2 * i, 3 - 2 * i)), 16);
}

static inline __m512i
q6_k_64 (const void *row, int j)
{
  const FacetBlockQ6_K *b = (const FacetBlockQ6_K *) row + j / 4;
  int half = j % 4 / 2, upper = j % 2;
  __m512i low = _mm512_loadu_si512 (b->ql + 64 * half);

  low = _mm512_and_si512 (_mm512_srlv_epi64 (low, _mm512_set1_epi64 (4 * upper)), _mm512_set1_epi8 (15));
  return or_masked (low, _mm512_rolv_epi64 (both_halves (b->qh + 32 * half),
                                            shift_counts (4 - 4 * upper, 2 - 4 * upper)), 0x30);
}

static inline __m512i
two_bits_64 (const uint8_t *qs, int i)
{
  int upper = i % 2;

  return _mm512_and_si512 (_mm512_srlv_epi64 (both_halves (qs + 32 * (i / 2)), shift_counts (4 * upper, 4 * upper + 2)),
                           _mm512_set1_epi8 (3));
}

static inline __m512i
q2_k_64 (const void *row, int j)
{
  return two_bits_64 (((const FacetBlockQ2_K *) row + j / 4)->qs, j % 4);
}

static inline __m512i
q3_k_64 (const void *row, int j)
{
  const FacetBlockQ3_K *b = (const FacetBlockQ3_K *) row + j / 4;
  int i = j % 4;

  return or_masked (two_bits_64 (b->qs, i),
                    _mm512_rolv_epi64 (both_halves (b->hmask), shift_counts (2 - 2 * i, 1 - 2 * i)), 4);
}

static inline float
half_at (const void *p)
{
  uint16_t h;

  memcpy (&h, p, 2);
  return _cvtsh_ss (h);
}

static inline __m512
bytes_to_floats (__m128i bytes)
{
  return _mm512_cvtepi32_ps (_mm512_cvtepu8_epi32 (bytes));
}

static inline __m512
floats_low_high (float low, float high)
{
  return _mm512_mask_blend_ps (0xff00, _mm512_set1_ps (low), _mm512_set1_ps (high));
}

/* Scales in lanes 0..7, minima in 8..15. */
static inline __m512
k4_scales (const uint8_t s[12], float d, float dmin)
{
  uint32_t a, b, c;

  memcpy (&a, s, 4);
  memcpy (&b, s + 4, 4);
  memcpy (&c, s + 8, 4);
  return _mm512_mul_ps (floats_low_high (d, dmin),
                        bytes_to_floats (_mm_set_epi32 (
                          (int) ((c >> 4 & 0x0f0f0f0f) | (b >> 2 & 0x30303030)), (int) (b & 0x3f3f3f3f),
                          (int) ((c & 0x0f0f0f0f) | (a >> 2 & 0x30303030)), (int) (a & 0x3f3f3f3f))));
}

static inline __m512
k_q4_k (const void *block)
{
  const FacetBlockQ4_K *b = block;

  return k4_scales (b->scales, half_at (&b->d), half_at (&b->dmin));
}

static inline __m512
k_q5_k (const void *block)
{
  const FacetBlockQ5_K *b = block;

  return k4_scales (b->scales, half_at (&b->d), half_at (&b->dmin));
}

static inline __m512
signed_scales (__m128i bytes, float d)
{
  return _mm512_mul_ps (_mm512_set1_ps (d), _mm512_cvtepi32_ps (_mm512_cvtepi8_epi32 (bytes)));
}

static inline __m512
k_q6_k (const void *block)
{
  const FacetBlockQ6_K *b = block;

  return signed_scales (_mm_loadu_si128 ((const void *) b->scales), half_at (&b->d));
}

static inline __m512
k_q3_k (const void *block)
{
  const FacetBlockQ3_K *b = block;
  uint32_t a, c, high;
  __m128i scales;

  memcpy (&a, b->scales, 4);
  memcpy (&c, b->scales + 4, 4);
  memcpy (&high, b->scales + 8, 4);
  scales = _mm_set_epi32 ((int) ((c >> 4 & 0x0f0f0f0f) | (high >> 2 & 0x30303030)),
                          (int) ((a >> 4 & 0x0f0f0f0f) | (high & 0x30303030)),
                          (int) ((c & 0x0f0f0f0f) | (high << 2 & 0x30303030)),
                          (int) ((a & 0x0f0f0f0f) | (high << 4 & 0x30303030)));
  return signed_scales (_mm_sub_epi8 (scales, _mm_set1_epi8 (32)), half_at (&b->d));
}

/* Sixteen scales; k_q2_k_min() has the sixteen minima. */
static inline __m512
k_q2_k (const void *block)
{
  const FacetBlockQ2_K *b = block;

  return _mm512_mul_ps (_mm512_set1_ps (half_at (&b->d)),
                        bytes_to_floats (_mm_and_si128 (_mm_loadu_si128 ((const void *) b->scales), _mm_set1_epi8 (15))));
}

static inline __m512
k_q2_k_min (const void *block)
{
  const FacetBlockQ2_K *b = block;
  __m128i s = _mm_srli_epi16 (_mm_loadu_si128 ((const void *) b->scales), 4);

  return _mm512_mul_ps (_mm512_set1_ps (half_at (&b->dmin)), bytes_to_floats (_mm_and_si128 (s, _mm_set1_epi8 (15))));
}

/* Eight scales in lanes 0..7. */
static inline __m512
k_iq4_xs (const void *block)
{
  const FacetBlockIQ4_XS *b = block;
  uint32_t l;
  __m256i low, high;

  memcpy (&l, b->scales_l, 4);
  low = _mm256_and_si256 (_mm256_srlv_epi32 (_mm256_set1_epi32 ((int) l), _mm256_setr_epi32 (0, 4, 8, 12, 16, 20, 24, 28)),
                          _mm256_set1_epi32 (15));
  high = _mm256_and_si256 (_mm256_srlv_epi32 (_mm256_set1_epi32 (b->scales_h), _mm256_setr_epi32 (0, 2, 4, 6, 8, 10, 12, 14)),
                           _mm256_set1_epi32 (3));
  low = _mm256_sub_epi32 (_mm256_or_si256 (low, _mm256_slli_epi32 (high, 4)), _mm256_set1_epi32 (32));
  return _mm512_castps256_ps512 (_mm256_mul_ps (_mm256_cvtepi32_ps (low), _mm256_set1_ps (half_at (&b->d))));
}
