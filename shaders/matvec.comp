// y = w x (+ bias) for a few rows: FACET_MATVEC_LANES threads share an output.
// GATED: y = gelu (gate x) * (up x), both matrices of one type and shape.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "activations.glsl"
#include "bytes.glsl"

layout (local_size_x = FACET_MATVEC_OUTPUTS * FACET_MATVEC_LANES) in;
layout (push_constant) uniform Push { FacetPushMatmul p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 2, std430) readonly buffer X4 { vec4 x4[]; };
#define WEIGHT_BINDING 3
#define WEIGHT(name) w_ ## name
#include "weights.glsl"
#undef WEIGHT_BINDING
#undef WEIGHT
#ifdef GATED
#define WEIGHT_BINDING 4
#define WEIGHT(name) up_ ## name
#include "weights.glsl"
#else
layout (set = 0, binding = 4, std430) readonly buffer Bias { float bias[]; };
#endif

#ifdef GATED
#define PRODUCTS 2
#else
#define PRODUCTS 1
#endif
shared float partial[PRODUCTS][FACET_MATVEC_OUTPUTS * FACET_MATVEC_LANES];

void load_x (uint row, uint k, out vec4 a, out vec4 b)
{
  uint at = row * p.k + k;

  a = vec4 (0);
  b = vec4 (0);
  if (p.k % 8 == 0) {
    a = x4[at / 4];
    b = x4[at / 4 + 1];
  } else {
    for (uint i = 0; i < 4; i++) {
      if (k + i < p.k)
        a[i] = x[at + i];
      if (k + 4 + i < p.k)
        b[i] = x[at + 4 + i];
    }
  }
}

void main ()
{
  uint row = group_number (), thread = gl_LocalInvocationID.x, lane = thread % FACET_MATVEC_LANES;
  uint m = gl_WorkGroupID.y * FACET_MATVEC_OUTPUTS + thread / FACET_MATVEC_LANES;
  uint w_at = min (m, p.m - 1) * p.row_bytes;
  float sum[PRODUCTS];

  if (row >= rows_of (p.rows))
    return;
  for (uint i = 0; i < PRODUCTS; i++)
    sum[i] = 0;
  for (uint k = lane * 8; k < p.k; k += 8 * FACET_MATVEC_LANES) {
    vec4 xa, xb, a, b;

    load_x (row, k, xa, xb);
    w_load (w_at, k, p.k, a, b);
    sum[0] += dot (a, xa) + dot (b, xb);
#ifdef GATED
    up_load (w_at, k, p.k, a, b);
    sum[1] += dot (a, xa) + dot (b, xb);
#endif
  }
  for (uint i = 0; i < PRODUCTS; i++)
    partial[i][thread] = sum[i];
  for (uint stride = FACET_MATVEC_LANES / 2; stride > 0; stride /= 2) {
    barrier ();
    if (lane < stride)
      for (uint i = 0; i < PRODUCTS; i++)
        partial[i][thread] += partial[i][thread + stride];
  }
  if (lane == 0 && m < p.m) {
#ifdef GATED
    y[row * p.y_stride + p.y_first + m] = gelu (partial[0][thread]) * partial[1][thread];
#else
    y[row * p.y_stride + p.y_first + m] = partial[0][thread] + (p.has_bias != 0 ? bias[p.y_first + m] : 0.0);
#endif
  }
}
