// y = f (a, b), element by element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activations.glsl"

layout (local_size_x = 256) in;
layout (constant_id = 0) const uint FUNCTION = FACET_EW_ADD;
layout (push_constant) uniform Push { FacetPushRows p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer A { float a[]; };
layout (set = 0, binding = 3, std430) readonly buffer B { float b[]; };

float sigmoid (float x)
{
  return 1.0 / (1.0 + exp (-x));
}

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x;
  uint at = row * p.cols + col, other = p.one_row != 0 ? col : at;
  float v = 0;

  if (row >= rows_of (p.rows) || col >= p.cols)
    return;
  switch (FUNCTION) {
  case FACET_EW_ADD: v = a[at] + b[other]; break;
  case FACET_EW_MUL: v = a[at] * b[other]; break;
  case FACET_EW_SCALE: v = a[at] * p.a; break;
  case FACET_EW_GELU: v = gelu (a[at]); break;
  case FACET_EW_GEGLU: v = gelu (a[at]) * b[other]; break;
  case FACET_EW_SOFTCAP: v = soft_cap (a[at], p.a); break;
  case FACET_EW_RELU: v = max (a[at], 0.0); break;
  case FACET_EW_SILU: v = a[at] * sigmoid (a[at]); break;
  case FACET_EW_CLAMP: v = min (max (a[at], p.a), p.b); break;
  // The source's rows hold the values, then their gates.
  case FACET_EW_GLU: v = a[row * 2 * p.cols + col] * sigmoid (a[row * 2 * p.cols + p.cols + col]); break;
  }
  y[at] = v;
}
