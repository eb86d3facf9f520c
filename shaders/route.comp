// The experts with the largest scores and their weights; a thread a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (local_size_x = 32) in;
layout (push_constant) uniform Push { FacetPushRoute p; };
layout (set = 0, binding = 1, std430) buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer Scores { float scores[]; };
layout (set = 0, binding = 3, std430) readonly buffer Scale { float scale[]; };

void main ()
{
  uint row = group_number () * 32 + gl_LocalInvocationID.x, at = row * 2 * p.chosen, last = 0;
  float last_score = 0, top = 0, sum = 0;

  if (row >= rows_of (p.rows))
    return;
  for (uint slot = 0; slot < p.chosen; slot++) {
    uint best = p.experts;
    float best_score = 0;

    // In falling order, equal ones by number: what comes after the last one.
    for (uint e = 0; e < p.experts; e++) {
      float s = scores[row * p.experts + e];
      bool after = slot == 0 || s < last_score || (s == last_score && e > last);

      if (after && (best == p.experts || s > best_score)) {
        best = e;
        best_score = s;
      }
    }
    // Scores that are no numbers have no order.
    last = min (best, p.experts - 1);
    last_score = best_score;
    if (slot == 0)
      top = best_score;
    y[at + slot] = float (last);
    y[at + p.chosen + slot] = exp (best_score - top);
    sum += exp (best_score - top);
  }
  for (uint slot = 0; slot < p.chosen; slot++) {
    float by = p.has_scale != 0 ? scale[uint (y[at + slot])] : 1.0;

    y[at + p.chosen + slot] *= by / sum;
  }
}
