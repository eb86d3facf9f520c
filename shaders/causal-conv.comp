// Each column alone, over the rows before and its own.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushConv p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer W { float w[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x, before = p.taps - 1;
  float sum = 0;

  if (row >= rows_of (p.rows) || col >= p.cols)
    return;
  for (uint i = row < before ? before - row : 0; i < p.taps; i++)
    sum += x[(row + i - before) * p.cols + col] * w[i * p.cols + col];
  y[row * p.cols + col] = sum;
}
