// y = x w^T (+ bias) for many rows: a work group computes a tile of 64 rows by
// 64 columns, 32 elements of k at a time through shared memory; each of 256
// threads holds 4 x 4 sums. GATED as in matvec.comp. CONV: rows of x are windows
// of a map, padded with zeros, in the order channel, row, column.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "activations.glsl"
#include "bytes.glsl"

#define TILE FACET_MATMUL_TILE
#define DEPTH 32

layout (local_size_x = 256) in;
layout (push_constant) uniform Push { FacetPushMatmul p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
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

// [k][row or column], so that the four a thread reads lie side by side.
shared float tile_x[DEPTH][TILE + 4];
shared float tile_w[DEPTH][TILE + 4];
#ifdef GATED
shared float tile_up[DEPTH][TILE + 4];
#endif

float load_x (uint row, uint k)
{
  if (k >= p.k)
    return 0;
#ifdef CONV
  uint cells = p.side * p.side, channels = p.k / cells, channel = k / cells, cell = k % cells;
  uint out_cols = (p.map_cols + p.stride - 1) / p.stride;
  int r = int (row / out_cols * p.stride + cell / p.side) - int (p.pad_top);
  int c = int (row % out_cols * p.stride + cell % p.side) - int (p.pad_left);

  if (r < 0 || r >= int (p.map_rows) || c < 0 || c >= int (p.map_cols))
    return 0;
  return x[(uint (r) * p.map_cols + uint (c)) * channels + channel];
#else
  return x[row * p.k + k];
#endif
}

void main ()
{
  uint rows = rows_of (p.rows), first_row = group_number () * TILE, first_m = gl_WorkGroupID.y * TILE;
  uint thread = gl_LocalInvocationID.x, c = thread % 16 * 4, r = thread / 16 * 4;
  // Which eight elements this thread brings in.
  uint slot = thread / 4, depth = thread % 4 * 8;
  uint row = min (first_row + slot, rows - 1), m = min (first_m + slot, p.m - 1);
  float sum[4][4];
#ifdef GATED
  float up[4][4];
#endif

  if (first_row >= rows)
    return;
  for (uint i = 0; i < 4; i++)
    for (uint j = 0; j < 4; j++) {
      sum[i][j] = 0;
#ifdef GATED
      up[i][j] = 0;
#endif
    }
  for (uint k0 = 0; k0 < p.k; k0 += DEPTH) {
    uint k = k0 + depth;
    vec4 a = vec4 (0), b = vec4 (0);

    barrier ();
    for (uint i = 0; i < 8; i++)
      tile_x[depth + i][slot] = load_x (row, k + i);
    if (k < p.k)
      w_load (m * p.row_bytes, k, p.k, a, b);
    for (uint i = 0; i < 4; i++) {
      tile_w[depth + i][slot] = a[i];
      tile_w[depth + 4 + i][slot] = b[i];
    }
#ifdef GATED
    a = b = vec4 (0);
    if (k < p.k)
      up_load (m * p.row_bytes, k, p.k, a, b);
    for (uint i = 0; i < 4; i++) {
      tile_up[depth + i][slot] = a[i];
      tile_up[depth + 4 + i][slot] = b[i];
    }
#endif
    barrier ();
    for (uint d = 0; d < DEPTH; d++)
      [[unroll]] for (uint i = 0; i < 4; i++)
        [[unroll]] for (uint j = 0; j < 4; j++) {
          sum[i][j] += tile_x[d][r + i] * tile_w[d][c + j];
#ifdef GATED
          up[i][j] += tile_x[d][r + i] * tile_up[d][c + j];
#endif
        }
  }
  for (uint i = 0; i < 4; i++)
    for (uint j = 0; j < 4; j++) {
      uint at = (first_row + r + i) * p.y_stride + p.y_first + first_m + c + j;

      if (first_row + r + i >= rows || first_m + c + j >= p.m)
        continue;
#ifdef GATED
      y[at] = gelu (sum[i][j]) * up[i][j];
#else
      y[at] = sum[i][j] + (p.has_bias != 0 ? bias[p.y_first + first_m + c + j] : 0.0);
#endif
    }
}
