// Attention of a row to itself and at most 63 rows before it, with a learnt
// vector for each distance; a work group a row and head, a thread a key.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activations.glsl"

#define THREADS 64
layout (local_size_x = THREADS) in;
layout (push_constant) uniform Push { FacetPushLocalAttention p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer Q { float q[]; };
layout (set = 0, binding = 3, std430) readonly buffer K { float k[]; };
layout (set = 0, binding = 4, std430) readonly buffer V { float v[]; };
layout (set = 0, binding = 5, std430) readonly buffer Positions { float positions[]; };

shared float score[THREADS];

void main ()
{
  uint row = group_number (), head = gl_WorkGroupID.y * p.head, key = gl_LocalInvocationID.x;
  uint first = row > p.span ? row - p.span : 0, n = row - first + 1;
  float most = -3.0e38, sum = 0;

  if (row >= rows_of (p.rows))
    return;
  if (key < n) {
    uint distance = row - first - key;
    float s = 0;

    for (uint c = 0; c < p.head; c++)
      s += q[row * p.cols + head + c] * (k[(first + key) * p.cols + head + c] + positions[distance * p.cols + head + c]);
    score[key] = soft_cap (s, p.softcap);
  }
  barrier ();
  for (uint j = 0; j < n; j++)
    most = max (most, score[j]);
  for (uint j = 0; j < n; j++)
    sum += exp (score[j] - most);
  for (uint c = key; c < p.head; c += THREADS) {
    float value = 0;

    for (uint j = 0; j < n; j++)
      value += exp (score[j] - most) * v[(first + j) * p.cols + head + c];
    y[row * p.cols + head + c] = value / sum;
  }
}
