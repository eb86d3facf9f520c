// Half-split rotation by given angles: per group of columns its cosines, then
// its sines.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 64) in;
layout (push_constant) uniform Push { FacetPushRotate p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Angles { float angles[]; };

void main ()
{
  uint row = group_number (), half_group = p.group / 2, pair = gl_WorkGroupID.y * 64 + gl_LocalInvocationID.x;
  uint first = pair / half_group * p.group, i = pair % half_group, at = row * p.cols + first + i;

  if (row >= rows_of (p.rows) || pair >= p.cols / 2)
    return;
  uint angle = row * p.period + first % p.period + i;
  float c = angles[angle], s = angles[angle + half_group], a = x[at], b = x[at + half_group];

  y[at] = a * c - b * s;
  y[at + half_group] = a * s + b * c;
}
