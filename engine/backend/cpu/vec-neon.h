/* vec-neon.h - vectors of 4 floats for kernels-vec.inc and kernels-int.inc; needs 64-bit ARM */
#pragma once

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

typedef float32x4_t Vec;
#define VEC_LANES 4
#define VEC_TILE_ROWS 6
#define VEC_TILE_VECTORS 4

static inline Vec vec_set (float x) { return vdupq_n_f32 (x); }
static inline Vec vec_load (const float *p) { return vld1q_f32 (p); }
static inline void vec_store (float *p, Vec v) { vst1q_f32 (p, v); }

/* The first @n lanes, n < VEC_LANES; the others are 0. */
static inline Vec
vec_load_part (const float *p, size_t n)
{
  float part[4] = { 0 };

  for (size_t i = 0; i < n; i++)
    part[i] = p[i];
  return vld1q_f32 (part);
}

static inline void
vec_store_part (float *p, Vec v, size_t n)
{
  float part[4];

  vst1q_f32 (part, v);
  for (size_t i = 0; i < n; i++)
    p[i] = part[i];
}

static inline Vec vec_load_f16 (const uint16_t *p) { return vcvt_f32_f16 (vreinterpret_f16_u16 (vld1_u16 (p))); }
static inline void vec_store_f16 (uint16_t *p, Vec v) { vst1_u16 (p, vreinterpret_u16_f16 (vcvt_f16_f32 (v))); }
static inline Vec vec_load_bf16 (const uint16_t *p) { return vreinterpretq_f32_u32 (vshll_n_u16 (vld1_u16 (p), 16)); }
static inline Vec vec_add (Vec a, Vec b) { return vaddq_f32 (a, b); }
static inline Vec vec_sub (Vec a, Vec b) { return vsubq_f32 (a, b); }
static inline Vec vec_mul (Vec a, Vec b) { return vmulq_f32 (a, b); }
static inline Vec vec_div (Vec a, Vec b) { return vdivq_f32 (a, b); }
static inline Vec vec_max (Vec a, Vec b) { return vmaxq_f32 (a, b); }
static inline Vec vec_min (Vec a, Vec b) { return vminq_f32 (a, b); }
static inline Vec vec_abs (Vec a) { return vabsq_f32 (a); }
/* a * b + c */
static inline Vec vec_fma (Vec a, Vec b, Vec c) { return vfmaq_f32 (c, a, b); }
static inline Vec vec_round (Vec a) { return vrndnq_f32 (a); }

/* a * 2^n for whole n; in two steps, as 2^n alone may not be a float. */
static inline Vec
vec_scale2 (Vec a, Vec n)
{
  int32x4_t whole = vcvtnq_s32_f32 (n);
  int32x4_t half = vshrq_n_s32 (whole, 1);
  int32x4_t rest = vsubq_s32 (whole, half);
  int32x4_t bias = vdupq_n_s32 (127);

  a = vmulq_f32 (a, vreinterpretq_f32_s32 (vshlq_n_s32 (vaddq_s32 (half, bias), 23)));
  return vmulq_f32 (a, vreinterpretq_f32_s32 (vshlq_n_s32 (vaddq_s32 (rest, bias), 23)));
}

/* x < y ? a : b */
static inline Vec vec_if_less (Vec x, Vec y, Vec a, Vec b) { return vbslq_f32 (vcltq_f32 (x, y), a, b); }
static inline float vec_sum (Vec a) { return vaddvq_f32 (a); }
static inline float vec_highest (Vec a) { return vmaxvq_f32 (a); }

/* Four sums. */
static inline void
vec_sum_4 (const Vec v[4], float out[4])
{
  vst1q_f32 (out, vpaddq_f32 (vpaddq_f32 (v[0], v[1]), vpaddq_f32 (v[2], v[3])));
}

/* Rounded, saturated to -127..127, to bytes. Returns: their sum. */
static inline int32_t
vec_store_i8 (int8_t *p, Vec v)
{
  int32x4_t i = vcvtnq_s32_f32 (vminq_f32 (vmaxq_f32 (v, vdupq_n_f32 (-127)), vdupq_n_f32 (127)));
  int8x8_t bytes = vmovn_s16 (vcombine_s16 (vmovn_s32 (i), vdup_n_s16 (0)));

  vst1_lane_s32 ((void *) p, vreinterpret_s32_s8 (bytes), 0);
  return vaddvq_s32 (i);
}

/* Rows become columns. */
static inline void
vec_transpose (Vec v[4])
{
  float32x4x2_t a = vtrnq_f32 (v[0], v[1]), b = vtrnq_f32 (v[2], v[3]);

  v[0] = vcombine_f32 (vget_low_f32 (a.val[0]), vget_low_f32 (b.val[0]));
  v[1] = vcombine_f32 (vget_low_f32 (a.val[1]), vget_low_f32 (b.val[1]));
  v[2] = vcombine_f32 (vget_high_f32 (a.val[0]), vget_high_f32 (b.val[0]));
  v[3] = vcombine_f32 (vget_high_f32 (a.val[1]), vget_high_f32 (b.val[1]));
}

/* ---- 8-bit weights and activations, for kernels-int.inc ---- */

typedef int32x4_t IVec;

static inline float
vec_half (uint16_t h)
{
  return vgetq_lane_f32 (vcvt_f32_f16 (vreinterpret_f16_u16 (vdup_n_u16 (h))), 0);
}

/* Two numbers, each in half of the lanes. */
static inline Vec vec_set_2 (float low, float high) { return vcombine_f32 (vdup_n_f32 (low), vdup_n_f32 (high)); }
static inline IVec ivec_zero (void) { return vdupq_n_s32 (0); }
static inline IVec ivec_set (int32_t x) { return vdupq_n_s32 (x); }
static inline IVec ivec_load (const void *p) { return vreinterpretq_s32_u8 (vld1q_u8 (p)); }
static inline void ivec_store (void *p, IVec v) { vst1q_u8 (p, vreinterpretq_u8_s32 (v)); }
/* 128 above each signed byte, as unsigned. */
static inline IVec ivec_flip_signs (IVec v) { return veorq_s32 (v, vdupq_n_s32 ((int32_t) 0x80808080)); }
static inline Vec ivec_to_float (IVec v) { return vcvtq_f32_s32 (v); }

#define IVEC_RAISE 0  /* what signed weights are raised by before they are multiplied */

/* Four products of neighbouring bytes a lane. Unsigned w is below 64, so that
 * it may be taken as signed. */
static inline IVec
ivec_mul_add (IVec sum, IVec w, IVec x, int is_signed)
{
  int8x16_t a = vreinterpretq_s8_s32 (w), b = vreinterpretq_s8_s32 (x);
#ifdef __ARM_FEATURE_DOTPROD
  return vdotq_s32 (sum, a, b);
#else
  int16x8_t low = vmull_s8 (vget_low_s8 (a), vget_low_s8 (b)), high = vmull_high_s8 (a, b);

  return vaddq_s32 (sum, vpaddq_s32 (vpaddlq_s16 (low), vpaddlq_s16 (high)));
#endif
}

/* Sums that the type's number of steps may add to, and their end. */
static inline IVec
ivec_product (int first, IVec sum, IVec w, IVec x, int is_signed)
{
  return ivec_mul_add (first ? ivec_zero () : sum, w, x, is_signed);
}

static inline IVec ivec_add_products (IVec sum, IVec products) { return vaddq_s32 (sum, products); }

static inline void
vec_copy_32 (uint8_t *q, const int8_t *from)
{
  ivec_store (q, ivec_load (from));
  ivec_store (q + 16, ivec_load (from + 16));
}

static inline IVec ivec_or (IVec a, IVec b) { return vorrq_s32 (a, b); }

/* Each byte moved right by @shift, which may be negative, and masked with @mask. */
static inline IVec
ivec_bits (IVec v, int shift, int mask)
{
  uint8x16_t moved = vshlq_u8 (vreinterpretq_u8_s32 (v), vdupq_n_s8 ((int8_t) -shift));

  return vreinterpretq_s32_u8 (vandq_u8 (moved, vdupq_n_u8 ((uint8_t) mask)));
}

/* d times (each of eight bytes - less), the lowest first. */
static inline void
vec_scale_8 (float *to, uint64_t bytes, int less, float d)
{
  int16x8_t wide = vsubq_s16 (vreinterpretq_s16_u16 (vmovl_u8 (vcreate_u8 (bytes))), vdupq_n_s16 ((int16_t) less));

  vec_store (to, vmulq_n_f32 (vcvtq_f32_s32 (vmovl_s16 (vget_low_s16 (wide))), d));
  vec_store (to + 4, vmulq_n_f32 (vcvtq_f32_s32 (vmovl_high_s16 (wide)), d));
}

/* Low halves of 16 bytes, then high halves. */
static inline void
vec_nibbles (uint8_t *q, const uint8_t *qs)
{
  uint8x16_t b = vld1q_u8 (qs);

  vst1q_u8 (q, vandq_u8 (b, vdupq_n_u8 (15)));
  vst1q_u8 (q + 16, vshrq_n_u8 (b, 4));
}

/* q[i] += bit i of @bits ? value : 0, for 32 bytes. */
static inline void
vec_add_bits (uint8_t *q, const uint8_t bits[4], uint8_t value)
{
  uint8x16_t one = vreinterpretq_u8_u64 (vdupq_n_u64 (0x8040201008040201));

  for (int i = 0; i < 2; i++) {
    uint8x16_t spread = vcombine_u8 (vdup_n_u8 (bits[2 * i]), vdup_n_u8 (bits[2 * i + 1]));
    uint8x16_t add = vandq_u8 (vtstq_u8 (spread, one), vdupq_n_u8 (value));

    vst1q_u8 (q + 16 * i, vaddq_u8 (vld1q_u8 (q + 16 * i), add));
  }
}

/* q[i] = values[q[i]], for 32 bytes below 16. */
static inline void
vec_look_up (uint8_t *q, const int8_t values[16])
{
  uint8x16_t table = vreinterpretq_u8_s8 (vld1q_s8 (values));

  vst1q_u8 (q, vqtbl1q_u8 (table, vld1q_u8 (q)));
  vst1q_u8 (q + 16, vqtbl1q_u8 (table, vld1q_u8 (q + 16)));
}

static inline void
ivec_transpose (IVec v[4])
{
  Vec t[4];

  for (int i = 0; i < 4; i++)
    t[i] = vreinterpretq_f32_s32 (v[i]);
  vec_transpose (t);
  for (int i = 0; i < 4; i++)
    v[i] = vreinterpretq_s32_f32 (t[i]);
}
