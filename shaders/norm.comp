// RMS or (LAYER) layer norm of groups of columns; a work group each.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 128
layout (local_size_x = THREADS) in;
#include "reduce.glsl"
layout (push_constant) uniform Push { FacetPushNorm p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Gain { float gain[]; };
layout (set = 0, binding = 4, std430) readonly buffer Bias { float bias[]; };

void main ()
{
  uint row = group_number (), thread = gl_LocalInvocationID.x;
  uint at = (row * p.groups + gl_WorkGroupID.y) * p.group;
  float mean = 0, squares = 0, factor;

  if (row >= rows_of (p.rows))
    return;
#ifdef LAYER
  for (uint i = thread; i < p.group; i += THREADS)
    mean += x[at + i];
  mean = sum_of_group (mean) / float (p.group);
#endif
  for (uint i = thread; i < p.group; i += THREADS)
    squares += (x[at + i] - mean) * (x[at + i] - mean);
  factor = 1.0 / sqrt (sum_of_group (squares) / float (p.group) + p.eps);
  for (uint i = thread; i < p.group; i += THREADS) {
    float v = (x[at + i] - mean) * factor;

    if (p.has_gain != 0)
      v *= gain[i];
    if (p.has_bias != 0)
      v += bias[i];
    y[at + i] = v;
  }
}
