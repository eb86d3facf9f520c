// The FACET_BEST largest of every FACET_BEST_SLICE values, in the order of
// their columns: radix selection (Knuth, TAOCP 5.2.5) of the smallest that is
// kept, then what is larger and the first of its equals. A work group a slice.
// FIRST: of floats; else of what an earlier run has left.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 256
#define EACH (FACET_BEST_SLICE / THREADS)
#define GROUP 16
layout (local_size_x = THREADS) in;
layout (constant_id = 0) const uint FIRST = 1;
layout (push_constant) uniform Push { FacetPushBest p; };
layout (set = 0, binding = 1, std430) writeonly buffer Best { uvec2 best[]; };
layout (set = 0, binding = 2, std430) readonly buffer Values { uint values[]; };
layout (set = 0, binding = 2, std430) readonly buffer Pairs { uvec2 pairs[]; };

shared uint counts[THREADS], group_counts[THREADS / GROUP];
shared uint found_digit, found_above;

uint thread = gl_LocalInvocationID.x;
uvec2 item[EACH];
uint key[EACH];

// Rises with the float; 0: nothing, or no number.
uint key_of (uvec2 value)
{
  uint magnitude = value.x & 0x7fffffffu;

  if (value.y == FACET_BEST_NONE || magnitude > 0x7f800000u)
    return 0;
  if (magnitude == 0)
    return 0x80000000u;
  return value.x >> 31 != 0 ? ~value.x : value.x | 0x80000000u;
}

void load_slice (uint first)
{
  [[unroll]] for (uint i = 0; i < EACH; i++) {
    uint at = first + thread * EACH + i;

    item[i] = uvec2 (0, FACET_BEST_NONE);
    if (at < p.count)
      item[i] = FIRST != 0 ? uvec2 (values[at], at) : pairs[at];
    key[i] = key_of (item[i]);
    if (key[i] == 0)
      item[i].y = FACET_BEST_NONE;
  }
}

// Sums of @v over groups of threads, in group_counts.
void sum_groups (uint v)
{
  barrier ();
  counts[thread] = v;
  barrier ();
  if (thread < THREADS / GROUP) {
    uint sum = 0;

    for (uint i = 0; i < GROUP; i++)
      sum += counts[thread * GROUP + i];
    group_counts[thread] = sum;
  }
  barrier ();
}

// The digit at which the @need-th largest of the counted keys lies, and how many lie above it.
void find_digit (uint need)
{
  uint above = 0, at = THREADS / GROUP - 1;

  while (at > 0 && above + group_counts[at] < need)
    above += group_counts[at--];
  at = at * GROUP + GROUP - 1;
  while (at > 0 && above + counts[at] < need)
    above += counts[at--];
  found_digit = at;
  found_above = above;
}

// The smallest key that is kept; @need: how many of its equals are.
uint select_key (out uint need)
{
  uint prefix = 0, mask = 0;

  need = FACET_BEST;
  for (uint shift = 24; shift < 32; shift -= 8) {
    barrier ();
    counts[thread] = 0;
    barrier ();
    [[unroll]] for (uint i = 0; i < EACH; i++)
      if ((key[i] & mask) == prefix)
        atomicAdd (counts[key[i] >> shift & 255], 1);
    barrier ();
    sum_groups (counts[thread]);
    if (thread == 0)
      find_digit (need);
    barrier ();
    prefix |= found_digit << shift;
    mask |= 255u << shift;
    need -= found_above;
  }
  return prefix;
}

// Sum of @v over the threads before this one.
uint sum_before (uint v)
{
  uint sum = 0;

  sum_groups (v);
  for (uint i = 0; i < thread / GROUP; i++)
    sum += group_counts[i];
  for (uint i = thread / GROUP * GROUP; i < thread; i++)
    sum += counts[i];
  return sum;
}

void main ()
{
  uint slice = gl_WorkGroupID.x, need, smallest, larger = 0, equal = 0, before;

  load_slice (slice * FACET_BEST_SLICE);
  smallest = select_key (need);
  [[unroll]] for (uint i = 0; i < EACH; i++) {
    larger += key[i] > smallest ? 1 : 0;
    equal += key[i] == smallest ? 1 : 0;
  }
  before = sum_before (larger | equal << 16);
  larger = before & 0xffffu;
  equal = before >> 16;
  [[unroll]] for (uint i = 0; i < EACH; i++) {
    if (key[i] > smallest || (key[i] == smallest && equal < need))
      best[slice * FACET_BEST + larger + min (equal, need)] = item[i];
    larger += key[i] > smallest ? 1 : 0;
    equal += key[i] == smallest ? 1 : 0;
  }
}
