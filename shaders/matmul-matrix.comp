// y = x w^T (+ bias) for many rows with cooperative matrices: sums of 32-bit
// floats over products of 16-bit ones. x comes from halve.comp, weights are
// unpacked into shared memory. A work group of 2 by 2 subgroups computes a tile
// of TILE_ROWS by TILE_COLS, DEPTH elements of k at a time; each subgroup has a
// quarter of it in matrices of M by N. PRODUCTS is 2 for a gated pair: then
// y = gelu (x w^T) * (x up^T). SORTED as in matmul.comp. Glslc of 2023 does not know cooperative matrices:
// matrix.py compiles this file.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "step.glsl"
#include "push-matrix.h"
#include "activations.glsl"
#include "bytes.glsl"

layout (local_size_x_id = 1) in;
layout (constant_id = 2) const uint M = 16;
layout (constant_id = 3) const uint N = 16;
layout (constant_id = 4) const uint K = 16;
layout (constant_id = 5) const uint TILE_ROWS = 64;
layout (constant_id = 6) const uint TILE_COLS = 64;
layout (constant_id = 7) const uint PRODUCTS = 1;
layout (constant_id = 8) const bool SORTED = false;
layout (push_constant) uniform Push { FacetPushMatrix p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer Halves { uvec4 halves[]; };
layout (set = 0, binding = 2, std430) readonly buffer Scales { float scales[]; };
layout (set = 0, binding = 4, std430) readonly buffer Bias { float bias[]; };
#define WEIGHT_BINDING 3
#define WEIGHT(name) w_ ## name
#include "weights.glsl"
#undef WEIGHT_BINDING
#undef WEIGHT
#define WEIGHT_BINDING 4
#define WEIGHT(name) up_ ## name
#include "weights.glsl"

#define DEPTH FACET_MATRIX_DEPTH
// Pairs of a row or column; the pad keeps rows on different banks.
#define STRIDE (DEPTH / 2 + 4)
#define SIDES 2
const uint HIGH = TILE_ROWS / SIDES / M, WIDE = TILE_COLS / SIDES / N;

shared f16vec2 tile_x[TILE_ROWS * STRIDE];
shared f16vec2 tile_w[PRODUCTS * TILE_COLS * STRIDE];
// Of each subgroup: one matrix of each product on its way to y.
shared float staged[SIDES * SIDES * PRODUCTS * M * N];

uint thread = gl_LocalInvocationID.x, threads = gl_WorkGroupSize.x;
uint first_m = gl_WorkGroupID.y * TILE_COLS;
coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sum[PRODUCTS * HIGH * WIDE];

#include "sorted.glsl"

void load_x (uint k)
{
  for (uint item = thread; item < TILE_ROWS * (DEPTH / 8); item += threads) {
    uint slot = item / (DEPTH / 8), part = item % (DEPTH / 8), at = slot * STRIDE + 4 * part;
    uvec4 eight = halves[(x_row (first_row + slot) * p.stride + k) / 8 + part];

    [[unroll]] for (uint i = 0; i < 4; i++)
      tile_x[at + i] = unpackFloat2x16 (eight[i]);
  }
}

void load_w (uint k0)
{
  for (uint item = thread; item < PRODUCTS * TILE_COLS * (DEPTH / 8); item += threads) {
    uint slot = item / (DEPTH / 8), part = item % (DEPTH / 8), at = slot * STRIDE + 4 * part, k = k0 + 8 * part;
    uint w_at = w_row (slot % TILE_COLS);
    vec4 a = vec4 (0), b = vec4 (0);

    if (k < p.k) {
      if (slot < TILE_COLS)
        w_load (w_at, k, p.k, a, b);
      else
        up_load (w_at + p.sorted.up_at, k, p.k, a, b);
    }
    tile_w[at] = f16vec2 (a.xy);
    tile_w[at + 1] = f16vec2 (a.zw);
    tile_w[at + 2] = f16vec2 (b.xy);
    tile_w[at + 3] = f16vec2 (b.zw);
  }
}

void add_products (uint high_at, uint wide_at)
{
  [[unroll]] for (uint d = 0; d < DEPTH; d += K) {
    coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a[HIGH];

    [[unroll]] for (uint i = 0; i < HIGH; i++)
      coopMatLoad (a[i], tile_x, (high_at + i * M) * STRIDE + d / 2, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
    [[unroll]] for (uint product = 0; product < PRODUCTS; product++)
      [[unroll]] for (uint j = 0; j < WIDE; j++) {
        coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;

        coopMatLoad (b, tile_w, (product * TILE_COLS + wide_at + j * N) * STRIDE + d / 2, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
        [[unroll]] for (uint i = 0; i < HIGH; i++) {
          uint at = (product * HIGH + i) * WIDE + j;

          sum[at] = coopMatMulAdd (a[i], b, sum[at]);
        }
      }
  }
}

void store (uint stage, uint row, uint m)
{
  float scale, v;

  if (row >= rows || m >= p.m)
    return;
  scale = scales[p.scales + x_row (row)];
  v = scale * staged[stage];
  if (PRODUCTS == 2)
    v = gelu (v) * scale * staged[stage + M * N];
  else if (p.has_bias != 0)
    v += bias[p.y_first + m];
  y[y_row (row) * p.y_stride + p.y_first + m] = v;
}

void main ()
{
  uint high_at = gl_SubgroupID / SIDES * (TILE_ROWS / SIDES), wide_at = gl_SubgroupID % SIDES * (TILE_COLS / SIDES);
  uint stage = gl_SubgroupID * PRODUCTS * M * N;

  if (!find_tile ())
    return;
  [[unroll]] for (uint i = 0; i < PRODUCTS * HIGH * WIDE; i++)
    sum[i] = coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> (0.0);
  for (uint k = 0; k < p.k; k += DEPTH) {
    barrier ();
    load_x (k);
    load_w (k);
    barrier ();
    add_products (high_at, wide_at);
  }
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    [[unroll]] for (uint j = 0; j < WIDE; j++) {
      [[unroll]] for (uint product = 0; product < PRODUCTS; product++)
        coopMatStore (sum[(product * HIGH + i) * WIDE + j], staged, stage + product * M * N, N, gl_CooperativeMatrixLayoutRowMajor);
      barrier ();
      for (uint at = gl_SubgroupInvocationID; at < M * N; at += gl_SubgroupSize)
        store (stage + at, first_row + high_at + i * M + at / N, first_m + wide_at + j * N + at % N);
      barrier ();
    }
}
