// LANES threads of a work group of THREADS share an output and add up what each
// has. SUBGROUP: they are a subgroup, whose size the pipeline demands.
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

uint lane_number ()
{
  return gl_SubgroupInvocationID;
}

uint output_number ()
{
  return gl_SubgroupID;
}

float sum_of_lanes (float v)
{
  return subgroupAdd (v);
}

#else
shared float lanes_space[THREADS];

uint lane_number ()
{
  return gl_LocalInvocationID.x % LANES;
}

uint output_number ()
{
  return gl_LocalInvocationID.x / LANES;
}

float sum_of_lanes (float v)
{
  uint thread = gl_LocalInvocationID.x, lane = lane_number ();

  barrier ();
  lanes_space[thread] = v;
  for (uint stride = LANES / 2; stride > 0; stride /= 2) {
    barrier ();
    if (lane < stride)
      lanes_space[thread] += lanes_space[thread + stride];
  }
  barrier ();
  return lanes_space[thread - lane];
}
#endif
