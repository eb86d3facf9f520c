// A product with the matrix of each chosen expert, side by side; a work group
// a row, slot and as many columns as matvec.comp has outputs. DOT as there.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "bytes.glsl"

#define THREADS FACET_MATVEC_THREADS
layout (local_size_x = THREADS) in;
layout (constant_id = 0) const uint LANES = 16;
layout (push_constant) uniform Push { FacetPushExperts p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
#define WEIGHT_BINDING 3
#define WEIGHT(name) w_ ## name
#include "weights.glsl"
layout (set = 0, binding = 4, std430) readonly buffer Route { float route[]; };
#ifdef DOT
#define X_BINDING 2
#include "dot.glsl"
#else
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
#endif
#include "lanes.glsl"

uint lane = lane_number ();

// Of the matrix's row at byte @w_at with row @row of x from column @first.
float product_of_lane (uint w_at, uint row, uint first)
{
  float sum = 0;

#ifdef DOT
  for (uint k = lane * 16; k < p.k; k += 16 * LANES) {
    Weights w;

    WEIGHTS_OF (w_packed, w, w_at, k)
    sum += product (w, x_load (row, first + k, p.x_cols, p.x_blocks));
  }
#else
  for (uint k = lane * 8; k < p.k; k += 8 * LANES) {
    uint at = row * p.x_cols + first + k;
    vec4 a, b;

    w_load (w_at, k, p.k, a, b);
    for (uint i = 0; i < 4; i++) {
      sum += k + i < p.k ? a[i] * x[at + i] : 0.0;
      sum += k + 4 + i < p.k ? b[i] * x[at + 4 + i] : 0.0;
    }
  }
#endif
  return sum;
}

void main ()
{
  uint place = group_number (), row = place / p.chosen, slot = place % p.chosen;
  uint m = gl_WorkGroupID.y * (THREADS / LANES) + output_number ();

  if (row >= rows_of (p.rows))
    return;
  uint w_row = p.offset + uint (route[row * 2 * p.chosen + slot]) * p.stride + m;
  bool here = m < p.m && w_row >= p.first && w_row - p.first < p.count;
  float sum = sum_of_lanes (here ? product_of_lane ((w_row - p.first) * p.row_bytes, row, slot * p.x_step) : 0.0);

  if (lane == 0 && here)
    y[place * p.m + m] = sum;
}
