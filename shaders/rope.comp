// Rotates heads, normalised before if that is wanted; a work group each.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (push_constant) uniform Push { FacetPushRope p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float from[]; };
layout (set = 0, binding = 3, std430) readonly buffer Table { float table[]; };
layout (set = 0, binding = 4, std430) readonly buffer Gain { float gain[]; };
#include "head.glsl"

void main ()
{
  uint row = group_number (), at = (row * p.heads + gl_WorkGroupID.y) * p.head;

  if (row >= rows_of (p.rows))
    return;
  for (uint i = thread; i < p.head; i += THREADS)
    x[i] = from[at + i];
  if (p.normed != 0)
    normalise (p.head, p.eps);
  if (p.has_gain != 0)
    for (uint i = thread; i < p.head; i += THREADS)
      x[i] *= gain[i];
  rotate (p.head, token_of (p.rows, row));
  barrier ();
  for (uint i = thread; i < p.head; i += THREADS)
    y[at + i] = x[i];
}
