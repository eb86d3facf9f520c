// A convolution of each channel alone; the map is padded with zeros.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushDepthwise p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer W { float w[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x;
  uint out_rows = (p.map_rows + p.stride - 1) / p.stride, out_cols = (p.map_cols + p.stride - 1) / p.stride;
  int top = int (row / out_cols * p.stride) - int (p.pad_top), left = int (row % out_cols * p.stride) - int (p.pad_left);
  float sum = 0;

  if (row >= out_rows * out_cols || col >= p.cols)
    return;
  for (uint cell = 0; cell < p.side * p.side; cell++) {
    int r = top + int (cell / p.side), c = left + int (cell % p.side);

    if (r >= 0 && r < int (p.map_rows) && c >= 0 && c < int (p.map_cols))
      sum += x[(uint (r) * p.map_cols + uint (c)) * p.cols + col] * w[cell * p.cols + col];
  }
  y[row * p.cols + col] = sum;
}
