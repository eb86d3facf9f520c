#include "backend/cpu/kernels-c.h"
#include "backend/cpu/quant-blocks.h"

#include <math.h>

#define LANES 16

size_t
facet_q8_bytes (int rows, int k)
{
  size_t row = (size_t) k + (size_t) k / 32 * 8 + (size_t) k / 16 * 4;

  return (size_t) rows * row + 4 * 64;
}

static void *
take (uint8_t **at, size_t bytes)
{
  void *start = *at;

  *at += (bytes + 63) / 64 * 64;
  return start;
}

FacetQ8
facet_q8_at (void *buffer, int rows, int k)
{
  uint8_t *at = buffer;
  size_t n = (size_t) rows * (size_t) k;
  FacetQ8 xq;

  xq.q = take (&at, n);
  xq.d = take (&at, n / 32 * 4);
  xq.off = take (&at, n / 32 * 4);
  xq.off16 = take (&at, n / 16 * 4);
  return xq;
}

static void
quantize_q8 (const float *x, const FacetQ8 *xq, int row, int k)
{
  for (int b = 0; b < k / 32; b++) {
    size_t block = (size_t) row * (size_t) (k / 32) + (size_t) b;
    int8_t *q = xq->q + 32 * block;
    float max = 0;
    float inverse;
    int sum[2] = { 0, 0 };

    for (int i = 0; i < 32; i++)
      max = fmaxf (max, fabsf (x[32 * b + i]));
    /* A smaller block counts as zero: 127 / max would overflow. */
    inverse = max < FACET_Q8_TINY ? 0 : 127 / max;
    for (int i = 0; i < 32; i++) {
      float scaled = rintf (x[32 * b + i] * inverse);

      q[i] = (int8_t) fminf (fmaxf (scaled, -127), 127);
      sum[i / 16] += q[i];
    }
    xq->d[block] = max < FACET_Q8_TINY ? 0 : max / 127;
    xq->off16[2 * block] = -128 * sum[0];
    xq->off16[2 * block + 1] = -128 * sum[1];
    xq->off[block] = -128 * (sum[0] + sum[1]);
  }
}

static float
dot_groups (const FacetGroup *w, const FacetQ8 *xq, size_t row, size_t n)
{
  double sum = 0;

  for (size_t b = 0; b < n; b++) {
    const int8_t *q = xq->q + 32 * (row * n + b);
    float part = 0;

    for (int h = 0; h < 2; h++) {
      int32_t dot = 0;

      for (int i = 16 * h; i < 16 * h + 16; i++)
        dot += w[b].q[i] * q[i];
      part += w[b].scale[h] * (float) dot + w[b].min[h] * (float) (xq->off16[2 * (row * n + b) + h] / 128);
    }
    sum += (double) (part * xq->d[row * n + b]);
  }
  return (float) sum;
}

static void
matmul_q8 (const FacetMatmul *a, FacetDtype dtype, int m0, int m1, void *scratch)
{
  FacetGroupFunc read = facet_c_group_func (dtype);
  FacetGroup *w = scratch;
  size_t n = (size_t) a->k / 32;

  for (int m = m0; m < m1; m++) {
    for (size_t b = 0; b < n; b++)
      read ((const uint8_t *) a->w + (size_t) m * a->w_stride, b, &w[b]);
    for (int r = 0; r < a->rows; r++)
      a->y[(size_t) r * a->y_stride + m] =
        dot_groups (w, &a->xq, (size_t) r, n) + (a->bias != NULL ? a->bias[m] : 0);
  }
}

/* Sums of LANES strands let the compiler use vectors, and err less than one. */
static float
dot_floats (const float *a, const float *b, size_t n)
{
  float strand[LANES] = { 0 };
  double sum = 0;
  size_t i = 0;

  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++)
      strand[j] += a[i + j] * b[i + j];
  for (; i < n; i++)
    strand[0] += a[i] * b[i];
  for (int j = 0; j < LANES; j++)
    sum += (double) strand[j];
  return (float) sum;
}

static void
matmul_f32 (const FacetMatmul *a, FacetDtype dtype, int m0, int m1, void *scratch)
{
  float *w = scratch;

  for (int m = m0; m < m1; m++) {
    facet_c_dequantize (dtype, (const uint8_t *) a->w + (size_t) m * a->w_stride, 0, (size_t) a->k, w);
    for (int r = 0; r < a->rows; r++)
      a->y[(size_t) r * a->y_stride + m] =
        dot_floats (w, a->x + (size_t) r * (size_t) a->k, (size_t) a->k) + (a->bias != NULL ? a->bias[m] : 0);
  }
}

#define DEFINE_FLOAT_TYPE(TYPE)                                                     \
  static void matmul_f32_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch) \
  { matmul_f32 (a, FACET_##TYPE, m0, m1, scratch); }                                \
  static void dequantize_##TYPE (const void *src, float *dst, size_t n)             \
  { facet_c_dequantize (FACET_##TYPE, src, 0, n, dst); }

#define DEFINE_TYPE(TYPE)                                                           \
  DEFINE_FLOAT_TYPE (TYPE)                                                          \
  static void matmul_q8_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch) \
  { matmul_q8 (a, FACET_##TYPE, m0, m1, scratch); }

#define FLOAT_TYPES(X) X (F32) X (F16) X (BF16)
#define BLOCK_TYPES(X)                                                \
  X (Q4_0) X (Q4_1) X (Q5_0) X (Q5_1) X (Q8_0) X (Q2_K) X (Q3_K)      \
  X (Q4_K) X (Q5_K) X (Q6_K) X (IQ4_NL) X (IQ4_XS)

FLOAT_TYPES (DEFINE_FLOAT_TYPE)
BLOCK_TYPES (DEFINE_TYPE)

#define SET_FLOAT_TYPE(TYPE)                          \
  k->matmul_f32[FACET_##TYPE] = matmul_f32_##TYPE;    \
  k->dequantize[FACET_##TYPE] = dequantize_##TYPE;

#define SET_TYPE(TYPE)                                \
  SET_FLOAT_TYPE (TYPE)                               \
  k->matmul_q8[FACET_##TYPE] = matmul_q8_##TYPE;

void
facet_kernels_init_c_matmul (FacetKernels *k)
{
  FLOAT_TYPES (SET_FLOAT_TYPE)
  BLOCK_TYPES (SET_TYPE)
  k->quantize_q8 = quantize_q8;
}
