// y = w x (+ bias) for ROWS rows at once; LANES threads share an output.
// GATED: y = gelu (gate x) * (up x), both matrices of one type and shape.
// DOT: of 8-bit integers.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "activations.glsl"
#include "bytes.glsl"

#define THREADS FACET_MATVEC_THREADS
layout (local_size_x = THREADS) in;
layout (constant_id = 0) const uint LANES = 16;
layout (constant_id = 1) const uint ROWS = 1;
layout (push_constant) uniform Push { FacetPushMatmul p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
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
#ifdef DOT
#define X_BINDING 2
#include "dot.glsl"
#else
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 2, std430) readonly buffer X4 { vec4 x4[]; };
#endif
#include "lanes.glsl"

#ifdef GATED
#define PRODUCTS 2
#else
#define PRODUCTS 1
#endif

uint lane = lane_number (), rows = rows_of (p.rows), first_row = group_number () * ROWS;
float sum[PRODUCTS][ROWS];

// Rows beyond the last repeat it; what they give is not written.
uint row_number (uint r)
{
  return min (first_row + r, rows - 1);
}

#ifdef DOT
void add_products (uint w_at)
{
  for (uint k = lane * 16; k < p.k; k += 16 * LANES) {
    Weights w;
#ifdef GATED
    Weights up;

    WEIGHTS_OF (up_packed, up, w_at, k)
#endif
    WEIGHTS_OF (w_packed, w, w_at, k)
    for (uint r = 0; r < ROWS; r++) {
      Activations a = x_load (row_number (r), k, p.k, p.x_blocks);

      sum[0][r] += product (w, a);
#ifdef GATED
      sum[1][r] += product (up, a);
#endif
    }
  }
}

#else
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

void add_products (uint w_at)
{
  for (uint k = lane * 8; k < p.k; k += 8 * LANES) {
    vec4 xa, xb, a, b;
#ifdef GATED
    vec4 up_a, up_b;

    up_load (w_at, k, p.k, up_a, up_b);
#endif
    w_load (w_at, k, p.k, a, b);
    for (uint r = 0; r < ROWS; r++) {
      load_x (row_number (r), k, xa, xb);
      sum[0][r] += dot (a, xa) + dot (b, xb);
#ifdef GATED
      sum[1][r] += dot (up_a, xa) + dot (up_b, xb);
#endif
    }
  }
}
#endif

void main ()
{
  uint m = gl_WorkGroupID.y * (THREADS / LANES) + output_number ();

  if (first_row >= rows)
    return;
  for (uint i = 0; i < PRODUCTS; i++)
    for (uint r = 0; r < ROWS; r++)
      sum[i][r] = 0;
  add_products (min (m, p.m - 1) * p.row_bytes);
  for (uint r = 0; r < ROWS; r++) {
    uint at = (first_row + r) * p.y_stride + p.y_first + m;
    float v = sum_of_lanes (sum[0][r]);
#ifdef GATED
    v = gelu (v) * sum_of_lanes (sum[1][r]);
#endif

    if (lane != 0 || m >= p.m || first_row + r >= rows)
      continue;
#ifndef GATED
    v += p.has_bias != 0 ? bias[p.y_first + m] : 0.0;
#endif
    y[at] = v;
  }
}
