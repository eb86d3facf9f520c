// Joins the splits of attention.comp; a work group a head and row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 64) in;
layout (push_constant) uniform Push { FacetPushAttention p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer Parts { float parts[]; };
#include "visible.glsl"

void main ()
{
  uint row = group_number (), head = gl_WorkGroupID.y, rows = rows_of (p.rows);
  int last = 0;
  float most = -3.0e38, sum = 0;

  if (row >= rows)
    return;
  for (uint r = 0; r < rows; r++)
    last = max (last, visible_keys (r).y - 1);
  uint n = uint (last / int (p.split) - first_split () + 1), width = p.head_v + 2;

  for (uint s = 0; s < n; s++)
    most = max (most, parts[((s * rows + row) * p.n_head + head) * width]);
  for (uint s = 0; s < n; s++) {
    uint at = ((s * rows + row) * p.n_head + head) * width;

    sum += exp (parts[at] - most) * parts[at + 1];
  }
  for (uint c = gl_LocalInvocationID.x; c < p.head_v; c += 64) {
    float v = 0;

    for (uint s = 0; s < n; s++) {
      uint at = ((s * rows + row) * p.n_head + head) * width;

      v += exp (parts[at] - most) * parts[at + 2 + c];
    }
    y[(row * p.n_head + head) * p.head_v + c] = v / sum;
  }
}
