// Functions of a row that need its moments; a work group a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 128
layout (local_size_x = THREADS) in;
#include "reduce.glsl"
layout (constant_id = 0) const uint FUNCTION = FACET_ROW_MATCH_RMS;
layout (push_constant) uniform Push { FacetPushRows p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Like { float like[]; };

void main ()
{
  uint row = group_number (), thread = gl_LocalInvocationID.x, at = row * p.cols;
  float n = float (p.cols), first = 0, second = 0;

  if (row >= rows_of (p.rows))
    return;
  if (FUNCTION == FACET_ROW_MATCH_RMS) {
    for (uint i = thread; i < p.cols; i += THREADS) {
      first += x[at + i] * x[at + i];
      second += like[at + i] * like[at + i];
    }
    first = sum_of_group (first) / n;
    second = sum_of_group (second) / n;
    float factor = sqrt (second / max (first, 1e-5));

    for (uint i = thread; i < p.cols; i += THREADS)
      y[at + i] = x[at + i] * factor;
  } else {
    for (uint i = thread; i < p.cols; i += THREADS)
      first += x[at + i];
    float mean = sum_of_group (first) / n;

    for (uint i = thread; i < p.cols; i += THREADS)
      second += (x[at + i] - mean) * (x[at + i] - mean);
    float cut = mean + p.a * sqrt (sum_of_group (second) / n);

    for (uint i = thread; i < p.cols; i += THREADS)
      y[at + i] = max (x[at + i] - cut, 0.0);
  }
}
