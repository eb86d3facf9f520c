// One head's columns of one row in shared memory, normalised and rotated by a
// work group. The includer binds the angles as table[].
#define THREADS 64
layout (local_size_x = THREADS) in;
#include "reduce.glsl"
layout (constant_id = 0) const uint HEAD = 1;  // columns at most
shared float x[HEAD];

uint thread = gl_LocalInvocationID.x;

// Of every THREADS-th column, which the same thread has written.
void normalise (uint columns, float eps)
{
  float squares = 0;

  for (uint i = thread; i < columns; i += THREADS)
    squares += x[i] * x[i];
  float factor = 1.0 / sqrt (sum_of_group (squares) / float (columns) + eps);

  for (uint i = thread; i < columns; i += THREADS)
    x[i] *= factor;
}

// The pairs (i, i + columns / 2). The table holds, for each token of the step,
// columns / 2 cosines and as many sines: devices compute sines of large angles
// too roughly.
void rotate (uint columns, uint token)
{
  uint half_head = columns / 2, t = token * columns;

  barrier ();
  for (uint i = thread; i < half_head; i += THREADS) {
    float c = table[t + i], s = table[t + half_head + i], a = x[i], b = x[i + half_head];

    x[i] = a * c - b * s;
    x[i + half_head] = a * s + b * c;
  }
}
