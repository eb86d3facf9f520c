// y = x w^T (+ bias) for many rows: a work group computes a tile of TILE_ROWS by
// TILE_COLS through shared memory, DEPTH elements of k at a time; each of its
// threads, a square of SIDE, holds every SIDE-th sum of a row and of a column.
// Groups that read the same weights follow each other. GATED and DOT as in
// matvec.comp. CONV: rows of x are windows of a map, padded with zeros, in the
// order channel, row, column.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "activations.glsl"
#include "bytes.glsl"

#define SIDE FACET_MATMUL_SIDE
layout (local_size_x = FACET_MATMUL_THREADS) in;
layout (constant_id = 0) const uint TILE_ROWS = 64;
layout (constant_id = 1) const uint TILE_COLS = 64;
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

#define HIGH (TILE_ROWS / SIDE)
#define WIDE (TILE_COLS / SIDE)

uint thread = gl_LocalInvocationID.x, c = thread % SIDE, r = thread / SIDE;
uint rows = rows_of (p.rows), first_row = group_number () * TILE_ROWS, first_m = gl_WorkGroupID.y * TILE_COLS;
float sum[HIGH][WIDE];
#ifdef GATED
float up_sum[HIGH][WIDE];
#endif

#ifdef DOT
#define X_BINDING 2
#include "dot.glsl"
#include "matmul-dot.glsl"
#else
#include "matmul-float.glsl"
#endif

void main ()
{
  if (first_row >= rows)
    return;
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    [[unroll]] for (uint j = 0; j < WIDE; j++) {
      sum[i][j] = 0;
#ifdef GATED
      up_sum[i][j] = 0;
#endif
    }
  for (uint k = 0; k < p.k; k += DEPTH) {
    barrier ();
    load_tiles (k);
    barrier ();
    add_products ();
  }
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    [[unroll]] for (uint j = 0; j < WIDE; j++) {
      uint row = first_row + r + i * SIDE, m = first_m + c + j * SIDE;
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
      y[row * p.y_stride + p.y_first + m] = v;
    }
}
