// Means of k x k neighbours of a map of rows.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushPool p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x;
  uint out_cols = p.map_cols / p.k, top = row / out_cols * p.k, left = row % out_cols * p.k;
  float sum = 0;

  if (row >= p.map_rows / p.k * out_cols || col >= p.cols)
    return;
  for (uint i = 0; i < p.k; i++)
    for (uint j = 0; j < p.k; j++)
      sum += x[((top + i) * p.map_cols + left + j) * p.cols + col];
  y[row * p.cols + col] = sum / float (p.k * p.k);
}
