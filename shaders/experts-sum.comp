// The chosen experts' products by their weights.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushExperts p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Route { float route[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x;
  float sum = 0;

  if (row >= rows_of (p.rows) || col >= p.m)
    return;
  for (uint slot = 0; slot < p.chosen; slot++)
    sum += route[row * 2 * p.chosen + p.chosen + slot] * x[(row * p.chosen + slot) * p.m + col];
  y[row * p.m + col] = sum;
}
