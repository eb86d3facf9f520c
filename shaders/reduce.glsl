// Sums over a work group of THREADS threads, always in the same order.
shared float reduce_space[THREADS];

float sum_of_group (float v)
{
  uint thread = gl_LocalInvocationID.x;

  barrier ();
  reduce_space[thread] = v;
  for (uint stride = THREADS / 2; stride > 0; stride /= 2) {
    barrier ();
    if (thread < stride)
      reduce_space[thread] += reduce_space[thread + stride];
  }
  barrier ();
  return reduce_space[0];
}
