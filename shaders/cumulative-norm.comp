// (x - mean) / deviation of its time * gain of its column.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushCumulative p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Statistics { float statistics[]; };
layout (set = 0, binding = 4, std430) readonly buffer Gain { float gain[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x, t = row / p.rows_a_time;

  if (row < p.rows && col < p.cols)
    y[row * p.cols + col] = (x[row * p.cols + col] - statistics[2 * t]) * statistics[2 * t + 1] * gain[col];
}
