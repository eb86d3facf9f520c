// Puts places, a row's chosen experts in the order of rows, in the order of their
// experts, and cuts those of each expert into tiles for matmul.comp. One work group
// counts and fills; where in its expert's tiles a place lies changes no result.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 256
layout (local_size_x = THREADS) in;
layout (push_constant) uniform Push { FacetPushSort p; };
layout (set = 0, binding = 1, std430) writeonly buffer Order { uint order[]; };
layout (set = 0, binding = 2, std430) readonly buffer Route { float route[]; };

shared uint count[FACET_SORT_EXPERTS], first[FACET_SORT_EXPERTS], first_tile[FACET_SORT_EXPERTS];

uint thread = gl_LocalInvocationID.x, places = rows_of (p.rows) * p.chosen;

uint expert_of (uint place)
{
  return uint (route[place / p.chosen * 2 * p.chosen + place % p.chosen]);
}

void add_up ()
{
  uint sum = 0, tiles = 0;

  for (uint e = 0; e < p.experts; e++) {
    first[e] = sum;
    first_tile[e] = tiles;
    sum += count[e];
    tiles += (count[e] + p.tile - 1) / p.tile;
  }
  order[0] = tiles;
}

void write_tiles (uint expert)
{
  uint end = first[expert] + count[expert], at = 1 + FACET_SORT_TILE_WORDS * first_tile[expert];

  for (uint from = first[expert]; from < end; from += p.tile, at += FACET_SORT_TILE_WORDS) {
    order[at] = expert;
    order[at + 1] = from;
    order[at + 2] = min (from + p.tile, end);
  }
}

void main ()
{
  for (uint e = thread; e < p.experts; e += THREADS)
    count[e] = 0;
  barrier ();
  for (uint place = thread; place < places; place += THREADS)
    atomicAdd (count[expert_of (place)], 1);
  barrier ();
  if (thread == 0)
    add_up ();
  barrier ();
  for (uint e = thread; e < p.experts; e += THREADS)
    write_tiles (e);
  barrier ();
  for (uint place = thread; place < places; place += THREADS)
    order[p.places + atomicAdd (first[expert_of (place)], 1)] = place;
}
