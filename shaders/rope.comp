// Rotates the pairs (i, i + head/2) of each head. The table holds, for each
// token of the step, head/2 cosines and head/2 sines: devices compute sines of
// large angles too roughly.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 64) in;
layout (push_constant) uniform Push { FacetPushRope p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Table { float table[]; };

void main ()
{
  uint row = group_number (), half_head = p.head / 2, pair = gl_WorkGroupID.y * 64 + gl_LocalInvocationID.x;
  uint i = pair % half_head, at = row * p.heads * p.head + pair / half_head * p.head + i;

  if (row >= rows_of (p.rows) || pair >= p.heads * half_head)
    return;
  uint t = p.table + token_of (p.rows, row) * p.head + i;
  float c = table[t], s = table[t + half_head], a = x[at], b = x[at + half_head];

  y[at] = a * c - b * s;
  y[at + half_head] = a * s + b * c;
}
