// The parallel streams of Gemma 3n; graph.h has the formulas.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (constant_id = 0) const uint FUNCTION = FACET_ALTUP_PREDICT;
layout (push_constant) uniform Push { FacetPushAltup p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer Streams { float streams[]; };
layout (set = 0, binding = 3, std430) readonly buffer B { float b[]; };
layout (set = 0, binding = 4, std430) readonly buffer C { float c[]; };

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x;
  uint width = p.cols / p.streams, i = col / width, within = col % width, at = row * p.cols;
  float v;

  if (row >= rows_of (p.rows) || col >= p.cols)
    return;
  v = streams[at + col];
  switch (FUNCTION) {
  case FACET_ALTUP_PREDICT:
    for (uint j = 0; j < p.streams; j++)
      v += b[(row * p.streams + i) * p.streams + j] * streams[at + j * width + within];
    break;
  case FACET_ALTUP_CORRECT:
    v += (1 + c[row * p.streams + i]) * (b[row * width + within] - streams[at + p.made * width + within]);
    break;
  case FACET_ALTUP_INJECT:
    if (i > 0)
      v += b[row * width + within];
    break;
  }
  y[at + col] = v;
}
