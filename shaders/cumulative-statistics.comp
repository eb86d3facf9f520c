// Mean and 1 / deviation over all values up to each time, one work group for
// all. The running sums carry their rounding errors along (Kahan 1965): millions
// of values are added.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 256
layout (local_size_x = THREADS) in;
#include "reduce.glsl"
layout (push_constant) uniform Push { FacetPushCumulative p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };

// Adds @v to {sum, error}.
vec2 add_exactly (vec2 sum, float v)
{
  precise float corrected = v - sum.y;
  precise float total = sum.x + corrected;
  precise float lost = (total - sum.x) - corrected;

  return vec2 (total, lost);
}

void main ()
{
  uint thread = gl_LocalInvocationID.x, a_time = p.rows_a_time * p.cols;
  vec2 sum = vec2 (0), squares = vec2 (0);

  for (uint t = 0; t < p.rows / p.rows_a_time; t++) {
    uint at = t * a_time;
    float part = 0, count = float (a_time) * float (t + 1);

    for (uint i = thread; i < a_time; i += THREADS)
      part += x[at + i];
    sum = add_exactly (sum, sum_of_group (part));
    float mean = sum.x / count;

    part = 0;
    for (uint i = thread; i < a_time; i += THREADS)
      part += (x[at + i] - mean) * (x[at + i] - mean);
    squares = add_exactly (squares, sum_of_group (part));
    if (thread == 0) {
      y[2 * t] = mean;
      y[2 * t + 1] = 1.0 / sqrt (squares.x / count + p.eps);
    }
  }
}
