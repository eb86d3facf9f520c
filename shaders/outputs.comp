// The rows whose results are wanted.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushRows p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x;

  if (row < rows_of (p.rows) && col < p.cols)
    y[row * p.cols + col] = x[token_of (p.rows, row) * p.cols + col];
}
