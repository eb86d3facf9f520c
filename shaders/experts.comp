// A product with the matrix of each chosen expert, side by side; a work group
// a row, slot and FACET_MATVEC_OUTPUTS columns.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "bytes.glsl"

layout (local_size_x = FACET_MATVEC_OUTPUTS * FACET_MATVEC_LANES) in;
layout (push_constant) uniform Push { FacetPushExperts p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
#define WEIGHT_BINDING 3
#define WEIGHT(name) w_ ## name
#include "weights.glsl"
layout (set = 0, binding = 4, std430) readonly buffer Route { float route[]; };

shared float partial[FACET_MATVEC_OUTPUTS * FACET_MATVEC_LANES];

void main ()
{
  uint place = group_number (), row = place / p.chosen, slot = place % p.chosen;
  uint thread = gl_LocalInvocationID.x, lane = thread % FACET_MATVEC_LANES;
  uint m = gl_WorkGroupID.y * FACET_MATVEC_OUTPUTS + thread / FACET_MATVEC_LANES;
  float sum = 0;

  if (row >= rows_of (p.rows))
    return;
  uint w_row = p.offset + uint (route[row * 2 * p.chosen + slot]) * p.stride + m;
  bool here = m < p.m && w_row >= p.first && w_row - p.first < p.count;

  if (here)
    for (uint k = lane * 8; k < p.k; k += 8 * FACET_MATVEC_LANES) {
      uint at = row * p.x_cols + slot * p.x_step + k;
      vec4 a, b;

      w_load ((w_row - p.first) * p.row_bytes, k, p.k, a, b);
      for (uint i = 0; i < 4; i++) {
        sum += k + i < p.k ? a[i] * x[at + i] : 0.0;
        sum += k + 4 + i < p.k ? b[i] * x[at + 4 + i] : 0.0;
      }
    }
  partial[thread] = sum;
  for (uint stride = FACET_MATVEC_LANES / 2; stride > 0; stride /= 2) {
    barrier ();
    if (lane < stride)
      partial[thread] += partial[thread + stride];
  }
  if (lane == 0 && here)
    y[place * p.m + m] = partial[thread];
}
