// Rows of x as 16-bit floats for matmul-matrix.comp, times a power of two that
// brings the largest of a row to 2^14 .. 2^15, so that none overflows. Rows are
// padded with zeros to STRIDE elements; what undoes the power lies behind them.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push-matrix.h"
#include "half.glsl"

#define THREADS 256
layout (local_size_x = THREADS) in;
layout (push_constant) uniform Push { FacetPushHalve p; };
layout (set = 0, binding = 1, std430) writeonly buffer Halves { uint halves[]; };
layout (set = 0, binding = 1, std430) writeonly buffer Scales { float scales[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };

shared float most[THREADS];

// Power of two with the exponent @e, as binary32 has it.
float power (uint e)
{
  return uintBitsToFloat (e << 23);
}

float largest_of_row (uint row)
{
  uint thread = gl_LocalInvocationID.x;

  most[thread] = 0;
  for (uint i = thread; i < p.k; i += THREADS)
    most[thread] = max (most[thread], abs (x[row * p.k + i]));
  for (uint stride = THREADS / 2; stride > 0; stride /= 2) {
    barrier ();
    if (thread < stride)
      most[thread] = max (most[thread], most[thread + stride]);
  }
  barrier ();
  return most[0];
}

void main ()
{
  uint row = group_number ();

  if (row >= rows_of (p.rows) * p.parts)
    return;
  // Where even the largest is tiny all of the row may become zeros.
  uint e = clamp (floatBitsToUint (largest_of_row (row)) >> 23, 32u, 240u);

  for (uint pair = gl_LocalInvocationID.x; pair < p.stride / 2; pair += THREADS) {
    uint i = 2 * pair;
    float low = i < p.k ? x[row * p.k + i] : 0.0, high = i + 1 < p.k ? x[row * p.k + i + 1] : 0.0;

    halves[(row * p.stride + i) / 2] = half_bits (low * power (268u - e)) | half_bits (high * power (268u - e)) << 16;
  }
  if (gl_LocalInvocationID.x == 0)
    scales[p.scales + row] = power (e - 14u);
}
