// y = x w^T (+ bias) for many rows: a work group computes a tile of TILE_ROWS by
// TILE_COLS through shared memory, DEPTH elements of k at a time; each of its
// threads, DOWN times ACROSS, holds every DOWN-th sum of a column and every ACROSS-th
// of a row. LANES: the work group is a subgroup of as many (matmul-lanes.glsl).
// Groups that read the same weights follow each other. GATED and DOT as in
// matvec.comp. CONV: rows of x are windows of a map, padded with zeros, in the
// order channel, row, column. SORTED: a tile's rows are places of one expert, and
// rows of x and y lie where experts-sort.comp says.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "activations.glsl"
#include "bytes.glsl"

#ifdef LANES
#define ACROSS LANES
#define DOWN 1
layout (local_size_x = LANES) in;
layout (constant_id = 1) const uint TILE_ROWS = 16;
layout (constant_id = 2) const uint TILE_COLS = 64;
#else
#define ACROSS FACET_MATMUL_SIDE
#define DOWN FACET_MATMUL_SIDE
layout (local_size_x = FACET_MATMUL_THREADS) in;
layout (constant_id = 0) const uint TILE_ROWS = 64;
layout (constant_id = 1) const uint TILE_COLS = 64;
#endif
layout (constant_id = 3) const bool SORTED = false;
layout (push_constant) uniform Push { FacetPushMatmul p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
#define WEIGHT_BINDING 3
#define WEIGHT(name) w_ ## name
#include "weights.glsl"
#undef WEIGHT_BINDING
#undef WEIGHT
#ifdef GATED
#define WEIGHT_BINDING 4
#define WEIGHT(name) up_ ## name
#include "weights.glsl"
#else
layout (set = 0, binding = 4, std430) readonly buffer Bias { float bias[]; };
#endif

#define HIGH (TILE_ROWS / DOWN)
#define WIDE (TILE_COLS / ACROSS)

uint thread = gl_LocalInvocationID.x, c = thread % ACROSS, r = thread / ACROSS;
uint first_m = gl_WorkGroupID.y * TILE_COLS;
float sum[HIGH][WIDE];
#ifdef GATED
float up_sum[HIGH][WIDE];
#endif

#include "sorted.glsl"

#ifdef DOT
#define X_BINDING 2
#include "dot.glsl"
#include "matmul-dot.glsl"
#elif defined LANES
#include "matmul-lanes.glsl"
#else
#include "matmul-float.glsl"
#endif

// Between tiles in shared memory; a subgroup alone has none.
void meet ()
{
#ifndef LANES
  barrier ();
#endif
}

void main ()
{
  if (!find_tile ())
    return;
#ifdef LANES
  begin_tile ();
#endif
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    [[unroll]] for (uint j = 0; j < WIDE; j++) {
      sum[i][j] = 0;
#ifdef GATED
      up_sum[i][j] = 0;
#endif
    }
  for (uint k = 0; k < p.k; k += DEPTH) {
    meet ();
    load_tiles (k);
    meet ();
    add_products ();
  }
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    [[unroll]] for (uint j = 0; j < WIDE; j++) {
      uint row = first_row + r + i * DOWN, m = first_m + c + j * ACROSS;
#ifdef GATED
      float v = gelu (sum[i][j]) * up_sum[i][j];
#else
      float v = sum[i][j];
#endif

      if (row >= rows || m >= p.m)
        continue;
#ifndef GATED
      v += p.has_bias != 0 ? bias[p.y_first + m] : 0.0;
#endif
      y[y_row (row) * p.y_stride + p.y_first + m] = v;
    }
}
