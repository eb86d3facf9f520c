// Moves values: no arithmetic.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 256) in;
layout (constant_id = 0) const uint FUNCTION = FACET_SHAPE_COPY;
layout (push_constant) uniform Push { FacetPushShape p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer A { float a[]; };
layout (set = 0, binding = 3, std430) readonly buffer B { float b[]; };

// 3 x 3 neighbours, stride 2, of an i0 x i1 map with i2 zero rows before it and
// a zero column; the out map has i3 columns.
float patch_value (uint row, uint col)
{
  uint channel = col / 9, cell = col % 9, channels = p.cols / 9;
  int r = int (row / p.i3 * 2) - int (p.i2) + int (cell / 3), c = int (row % p.i3 * 2) - 1 + int (cell % 3);

  if (r < 0 || r >= int (p.i0) || c < 0 || c >= int (p.i1))
    return 0;
  return a[(uint (r) * p.i1 + uint (c)) * channels + channel];
}

// Each value i2 x i2 times, of a map with i1 columns.
float repeated_value (uint row, uint col)
{
  uint out_cols = p.i1 * p.i2;

  return a[(row / out_cols / p.i2 * p.i1 + row % out_cols / p.i2) * p.cols + col];
}

void main ()
{
  uint row = group_number (), col = gl_WorkGroupID.y * 256 + gl_LocalInvocationID.x, at = row * p.cols + col;
  float v = 0;

  if (row >= rows_of (p.rows) || col >= p.cols)
    return;
  switch (FUNCTION) {
  case FACET_SHAPE_COLUMNS: v = a[row * p.a_cols + p.i0 + col]; break;
  case FACET_SHAPE_CONCAT: v = col < p.a_cols ? a[row * p.a_cols + col] : b[row * p.b_cols + col - p.a_cols]; break;
  case FACET_SHAPE_EVERY: v = a[row * p.i0 * p.cols + col]; break;
  case FACET_SHAPE_COPY: v = a[at]; break;
  case FACET_SHAPE_PATCHES: v = patch_value (row, col); break;
  case FACET_SHAPE_UPSAMPLE: v = repeated_value (row, col); break;
  }
  y[at] = v;
}
