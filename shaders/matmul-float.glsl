// Of matmul.comp: tiles of floats.
#define DEPTH 16

layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
layout (set = 0, binding = 2, std430) readonly buffer X4 { vec4 x4[]; };

// [k][row or column], so that threads side by side read side by side.
shared float tile_x[DEPTH][TILE_ROWS + 1];
shared float tile_w[DEPTH][TILE_COLS + 1];
#ifdef GATED
shared float tile_up[DEPTH][TILE_COLS + 1];
#endif

#include "window.glsl"

// Elements k .. k+7 of a row, 0 past its end.
void load_x (uint row, uint k, out vec4 a, out vec4 b)
{
  a = vec4 (0);
  b = vec4 (0);
#ifndef CONV
  if (p.k % 8 == 0) {
    if (k < p.k) {
      a = x4[(row * p.k + k) / 4];
      b = x4[(row * p.k + k) / 4 + 1];
    }
    return;
  }
#endif
  for (uint i = 0; i < 4; i++) {
    if (k + i < p.k)
      a[i] = window (row, k + i);
    if (k + 4 + i < p.k)
      b[i] = window (row, k + 4 + i);
  }
}

void load_tiles (uint k0)
{
  for (uint item = thread; item < (TILE_ROWS + TILE_COLS) * (DEPTH / 8); item += FACET_MATMUL_THREADS) {
    bool of_x = item < TILE_ROWS * (DEPTH / 8);
    uint place = of_x ? item : item - TILE_ROWS * (DEPTH / 8), side = of_x ? TILE_ROWS : TILE_COLS;
    uint slot = place % side, depth = place / side * 8, k = k0 + depth;
    uint w_at = w_row (slot);
    vec4 a = vec4 (0), b = vec4 (0);

    if (of_x)
      load_x (x_row (first_row + slot), k, a, b);
    else if (k < p.k)
      w_load (w_at, k, p.k, a, b);
    for (uint i = 0; i < 4; i++) {
      if (of_x) {
        tile_x[depth + i][slot] = a[i];
        tile_x[depth + 4 + i][slot] = b[i];
      } else {
        tile_w[depth + i][slot] = a[i];
        tile_w[depth + 4 + i][slot] = b[i];
      }
    }
#ifdef GATED
    if (of_x)
      continue;
    a = b = vec4 (0);
    if (k < p.k)
      up_load (w_at + p.sorted.up_at, k, p.k, a, b);
    for (uint i = 0; i < 4; i++) {
      tile_up[depth + i][slot] = a[i];
      tile_up[depth + 4 + i][slot] = b[i];
    }
#endif
  }
}

void add_products ()
{
  for (uint d = 0; d < DEPTH; d++) {
    float a[HIGH];

    [[unroll]] for (uint i = 0; i < HIGH; i++)
      a[i] = tile_x[d][r + i * DOWN];
    [[unroll]] for (uint j = 0; j < WIDE; j++) {
      float w = tile_w[d][c + j * ACROSS];
#ifdef GATED
      float up = tile_up[d][c + j * ACROSS];
#endif

      [[unroll]] for (uint i = 0; i < HIGH; i++) {
        sum[i][j] += a[i] * w;
#ifdef GATED
        up_sum[i][j] += a[i] * up;
#endif
      }
    }
  }
}
