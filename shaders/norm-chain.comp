// What stands between two products, a row a work group: v = rms norm of x * gain,
// + residual if there is one, and with AGAIN w = rms norm of v * gain. Either is
// written as floats, the last one also as signed bytes, where anybody reads it so.
// Columns are a multiple of 4.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 256
layout (local_size_x = THREADS) in;
#include "reduce.glsl"
layout (constant_id = 0) const uint PASSES = 1;  // of four columns a thread
layout (constant_id = 1) const uint AGAIN = 0;
layout (push_constant) uniform Push { FacetPushChain p; };
layout (set = 0, binding = 1, std430) writeonly buffer V { vec4 v_out[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { vec4 x[]; };
layout (set = 0, binding = 3, std430) readonly buffer Gain { vec4 gain[]; };
layout (set = 0, binding = 4, std430) readonly buffer Residual { vec4 residual[]; };
layout (set = 0, binding = 5, std430) writeonly buffer W { vec4 w_out[]; };
layout (set = 0, binding = 6, std430) readonly buffer NextGain { vec4 next_gain[]; };
layout (set = 0, binding = 7, std430) writeonly buffer Bytes { uint bytes[]; };
layout (set = 0, binding = 7, std430) writeonly buffer Blocks { uvec2 blocks[]; };
#include "eights.glsl"

uint row = group_number (), thread = gl_LocalInvocationID.x, words = p.cols / 4;
vec4 v[PASSES];

float factor (float eps)
{
  float squares = 0;

  for (uint i = 0; i < PASSES; i++)
    squares += dot (v[i], v[i]);
  return 1.0 / sqrt (sum_of_group (squares) / float (p.cols) + eps);
}

void main ()
{
  float f;

  if (row >= rows_of (p.rows))
    return;
  for (uint i = 0; i < PASSES; i++) {
    uint word = i * THREADS + thread;

    v[i] = word < words ? x[row * words + word] : vec4 (0);
  }
  f = factor (p.eps);
  for (uint i = 0; i < PASSES; i++) {
    uint word = i * THREADS + thread;

    if (word >= words)
      continue;
    v[i] *= f;
    if (p.has_gain != 0)
      v[i] *= gain[word];
    if (p.has_residual != 0)
      v[i] += residual[row * words + word];
    if (p.write_v != 0)
      v_out[row * words + word] = v[i];
  }
  if (AGAIN != 0) {
    f = factor (p.next_eps);
    for (uint i = 0; i < PASSES; i++) {
      uint word = i * THREADS + thread;

      if (word >= words)
        continue;
      v[i] *= f;
      if (p.has_next_gain != 0)
        v[i] *= next_gain[word];
      if (p.write_w != 0)
        w_out[row * words + word] = v[i];
    }
  }
  if (p.eights == 0)
    return;
  for (uint i = 0; i < PASSES; i++)
    quantize (row, i * THREADS + thread, words, v[i], p.blocks);
}
