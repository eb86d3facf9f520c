/* quant-blocks.h - how GGUF lays out blocks of quantised weights
 *
 * Layouts and formulas follow the GGUF specification (ggml: docs/gguf.md and
 * ggml-common.h) and the numpy reference gguf-py/gguf/quants.py. Everything is
 * little-endian; blocks may lie at any address, so all members are bytes or
 * are read with memcpy. d, m, dmin are IEEE binary16.
 */
#pragma once

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define FACET_QK 256  /* elements of a super-block of the K types */

/* Elements 0..15 in the low nibbles, 16..31 in the high ones. */
typedef struct __attribute__ ((packed)) {
  uint16_t d;
  uint8_t  qs[16];
} FacetBlockQ4_0;       /* d * (q - 8) */

typedef struct __attribute__ ((packed)) {
  uint16_t d, m;
  uint8_t  qs[16];
} FacetBlockQ4_1;       /* d * q + m */

typedef struct __attribute__ ((packed)) {
  uint16_t d;
  uint8_t  qh[4];       /* bit i: fifth bit of element i */
  uint8_t  qs[16];
} FacetBlockQ5_0;       /* d * (q - 16) */

typedef struct __attribute__ ((packed)) {
  uint16_t d, m;
  uint8_t  qh[4];
  uint8_t  qs[16];
} FacetBlockQ5_1;       /* d * q + m */

typedef struct __attribute__ ((packed)) {
  uint16_t d;
  int8_t   qs[32];
} FacetBlockQ8_0;       /* d * q */

/* Elements 0..127 lie in qs[0..31]: bits 0-1 hold elements 0..31, bits 2-3
 * elements 32..63 and so on; 128..255 likewise in qs[32..63]. */
typedef struct __attribute__ ((packed)) {
  uint8_t  scales[16];  /* of 16 elements: scale in the low, min in the high nibble */
  uint8_t  qs[64];
  uint16_t d, dmin;
} FacetBlockQ2_K;       /* d * scale * q - dmin * min */

typedef struct __attribute__ ((packed)) {
  uint8_t  hmask[32];   /* bit j of byte i: element 32 j + i is not lowered by 4 */
  uint8_t  qs[64];      /* as in Q2_K */
  uint8_t  scales[12];  /* sixteen 6-bit scales, minus 32 */
  uint16_t d;
} FacetBlockQ3_K;       /* d * scale * q */

/* Elements 64 i .. 64 i + 31 in the low nibbles of qs[32 i ...], the next 32
 * in the high ones. */
typedef struct __attribute__ ((packed)) {
  uint16_t d, dmin;
  uint8_t  scales[12];  /* eight 6-bit scales and mins of 32 elements */
  uint8_t  qs[128];
} FacetBlockQ4_K;       /* d * scale * q - dmin * min */

typedef struct __attribute__ ((packed)) {
  uint16_t d, dmin;
  uint8_t  scales[12];
  uint8_t  qh[32];      /* bit j of byte i: fifth bit of element 32 j + i */
  uint8_t  qs[128];
} FacetBlockQ5_K;       /* d * scale * q - dmin * min */

/* Per half of 128: elements 0..31 and 32..63 in the low nibbles of ql[0..31]
 * and ql[32..63], 64..127 in their high nibbles; two more bits each in qh. */
typedef struct __attribute__ ((packed)) {
  uint8_t  ql[128];
  uint8_t  qh[64];
  int8_t   scales[16];  /* of 16 elements */
  uint16_t d;
} FacetBlockQ6_K;       /* d * scale * (q - 32) */

typedef struct __attribute__ ((packed)) {
  uint16_t d;
  uint8_t  qs[16];
} FacetBlockIQ4_NL;     /* d * facet_iq4_values[q] */

typedef struct __attribute__ ((packed)) {
  uint16_t d;
  uint16_t scales_h;    /* two high bits of each of the eight 6-bit scales */
  uint8_t  scales_l[4]; /* four low bits */
  uint8_t  qs[128];     /* eight groups of 16 bytes as in IQ4_NL */
} FacetBlockIQ4_XS;     /* d * (scale - 32) * facet_iq4_values[q] */

static_assert (sizeof (FacetBlockQ4_0) == 18, "Q4_0");
static_assert (sizeof (FacetBlockQ4_1) == 20, "Q4_1");
static_assert (sizeof (FacetBlockQ5_0) == 22, "Q5_0");
static_assert (sizeof (FacetBlockQ5_1) == 24, "Q5_1");
static_assert (sizeof (FacetBlockQ8_0) == 34, "Q8_0");
static_assert (sizeof (FacetBlockQ2_K) == 84, "Q2_K");
static_assert (sizeof (FacetBlockQ3_K) == 110, "Q3_K");
static_assert (sizeof (FacetBlockQ4_K) == 144, "Q4_K");
static_assert (sizeof (FacetBlockQ5_K) == 176, "Q5_K");
static_assert (sizeof (FacetBlockQ6_K) == 210, "Q6_K");
static_assert (sizeof (FacetBlockIQ4_NL) == 18, "IQ4_NL");
static_assert (sizeof (FacetBlockIQ4_XS) == 136, "IQ4_XS");

#define FACET_IQ4_VALUES \
  { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 }

static inline float
facet_bits_float (uint32_t bits)
{
  float f;

  memcpy (&f, &bits, sizeof f);
  return f;
}

static inline uint32_t
facet_float_bits (float f)
{
  uint32_t bits;

  memcpy (&bits, &f, sizeof bits);
  return bits;
}

static inline float
facet_f16_to_f32 (uint16_t h)
{
  uint32_t sign = (uint32_t) (h & 0x8000) << 16;
  uint32_t rest = h & 0x7fff;

  if (rest >= 0x7c00)
    return facet_bits_float (sign | 0x7f800000 | (rest & 0x3ff) << 13);
  if (rest >= 0x400)
    return facet_bits_float (sign | ((rest << 13) + (112u << 23)));
  /* Subnormal: rest * 2^-24. */
  return facet_bits_float (sign | facet_float_bits ((float) rest * 0x1p-24f));
}

/* To nearest, ties to even. */
static inline uint16_t
facet_f32_to_f16 (float f)
{
  uint32_t bits = facet_float_bits (f);
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t rest = bits & 0x7fffffff;

  if (rest > 0x7f800000)
    return (uint16_t) (sign | 0x7e00 | (rest >> 13 & 0x3ff));
  if (rest >= 0x47800000)
    return (uint16_t) (sign | 0x7c00);
  if (rest < 0x38800000)
    /* Adding 0.5 leaves the half's subnormal mantissa in the low bits. */
    return (uint16_t) (sign | (facet_float_bits (facet_bits_float (rest) + 0.5f) - 0x3f000000));
  rest += 0xfff + (rest >> 13 & 1);
  return (uint16_t) (sign | (rest - (112u << 23)) >> 13);
}

static inline float
facet_bf16_to_f32 (uint16_t h)
{
  return facet_bits_float ((uint32_t) h << 16);
}

/* Scale and min number @i of Q4_K and Q5_K. */
static inline void
facet_k4_scale (const uint8_t *s, int i, uint8_t *scale, uint8_t *min)
{
  if (i < 4) {
    *scale = s[i] & 63;
    *min = s[i + 4] & 63;
  } else {
    *scale = (uint8_t) ((s[i + 4] & 15) | (s[i - 4] >> 6) << 4);
    *min = (uint8_t) (s[i + 4] >> 4 | (s[i] >> 6) << 4);
  }
}
