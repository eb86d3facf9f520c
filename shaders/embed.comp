// Rows of a table as floats: those of the step's ids times a factor, soft rows
// as they are; or, of a fixed number of rows, row after row.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "bytes.glsl"

layout (local_size_x = 64) in;
layout (push_constant) uniform Push { FacetPushEmbed p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
#define WEIGHT_BINDING 2
#define WEIGHT(name) w_ ## name
#include "weights.glsl"
layout (set = 0, binding = 3, std430) readonly buffer Soft { float soft[]; };

void main ()
{
  uint row = group_number (), col = (gl_WorkGroupID.y * 64 + gl_LocalInvocationID.x) * 8;
  uint n = min (p.cols - min (col, p.cols), 8);
  bool by_id = p.rows == FACET_PUSH_TOKENS;
  int id;
  vec4 a, b;

  if (row >= rows_of (p.rows))
    return;
  id = by_id ? step[step[FACET_STEP_IDS_AT] + int (row)] : int (row / p.divide % p.modulo);
  if (id < 0) {
    if (p.soft != 0)
      for (uint i = 0; i < n; i++)
        y[row * p.cols + col + i] = soft[uint (-1 - id) * p.cols + col + i];
    return;
  }
  if (uint (id) < p.first || uint (id) - p.first >= p.count || n == 0)
    return;
  w_load ((uint (id) - p.first) * p.row_bytes, col, p.cols, a, b);
  for (uint i = 0; i < n; i++)
    y[row * p.cols + col + i] = (i < 4 ? a[i] : b[i - 4]) * p.scale;
}
