#include "backend/cpu/kernels-c.h"
#include "backend/cpu/quant-blocks.h"

#include <math.h>

#define SPIN_STRANDS 48

static void
f32_to_f16 (const float *x, uint16_t *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = facet_f32_to_f16 (x[i]);
}

static void
f16_to_f32 (const uint16_t *x, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = facet_f16_to_f32 (x[i]);
}

static void
rms_norm (const float *x, const float *gain, float eps, float *y, size_t n)
{
  double sum = 0;
  float factor;

  for (size_t i = 0; i < n; i++)
    sum += (double) x[i] * (double) x[i];
  factor = 1 / sqrtf ((float) (sum / (double) n) + eps);
  for (size_t i = 0; i < n; i++)
    y[i] = x[i] * factor * (gain != NULL ? gain[i] : 1);
}

static void
layer_norm (const float *x, const float *gain, const float *bias, float eps, float *y, size_t n)
{
  double sum = 0, squares = 0;
  float mean, factor;

  for (size_t i = 0; i < n; i++)
    sum += (double) x[i];
  mean = (float) (sum / (double) n);
  for (size_t i = 0; i < n; i++)
    squares += ((double) x[i] - (double) mean) * ((double) x[i] - (double) mean);
  factor = 1 / sqrtf ((float) (squares / (double) n) + eps);
  for (size_t i = 0; i < n; i++)
    y[i] = (x[i] - mean) * factor * (gain != NULL ? gain[i] : 1) + (bias != NULL ? bias[i] : 0);
}

static void
add (const float *a, const float *b, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = a[i] + b[i];
}

static void
mul (const float *a, const float *b, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = a[i] * b[i];
}

static void
mul_add (const float *a, const float *b, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] += a[i] * b[i];
}

static void
scale (const float *x, float s, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = x[i] * s;
}

/* x/2 (1 + tanh u) = x / (1 + exp (-2 u)), which does not cancel for x < 0. */
static float
gelu_of (float x)
{
  return x / (1 + expf (-2 * 0.7978845608f * (x + 0.044715f * x * x * x)));
}

static void
gelu (const float *x, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = gelu_of (x[i]);
}

static void
geglu (const float *gate, const float *up, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = gelu_of (gate[i]) * up[i];
}

static void
softcap (const float *x, float cap, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = cap * tanhf (x[i] / cap);
}

static void
silu (const float *x, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = x[i] / (1 + expf (-x[i]));
}

static void
glu (const float *x, const float *gate, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = x[i] / (1 + expf (-gate[i]));
}

static void
clamp (const float *x, float low, float high, float *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

static void
rope (const float *x, const float *c, const float *s, float *y, size_t n)
{
  size_t half = n / 2;

  for (size_t i = 0; i < half; i++) {
    float a = x[i], b = x[i + half];

    y[i] = a * c[i] - b * s[i];
    y[i + half] = a * s[i] + b * c[i];
  }
}

static float
spin (size_t rounds)
{
  float strand[SPIN_STRANDS] = { 0 }, sum = 0;

  for (size_t i = 0; i < rounds; i++)
    for (int j = 0; j < SPIN_STRANDS; j++)
      strand[j] = strand[j] * 0.5f + 1;
  for (int j = 0; j < SPIN_STRANDS; j++)
    sum += strand[j];
  return sum;
}

void
facet_kernels_init_c (FacetKernels *k)
{
  *k = (FacetKernels) {
    .name = "c",
    .f32_to_f16 = f32_to_f16,
    .f16_to_f32 = f16_to_f32,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .add = add,
    .mul = mul,
    .mul_add = mul_add,
    .scale = scale,
    .gelu = gelu,
    .geglu = geglu,
    .softcap = softcap,
    .silu = silu,
    .glu = glu,
    .clamp = clamp,
    .rope = rope,
    .spin = spin,
    .spin_operations = 2 * SPIN_STRANDS,
  };
  facet_kernels_init_c_matmul (k);
  facet_kernels_init_c_attend (k);
}
