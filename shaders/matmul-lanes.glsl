// Of matmul.comp: a subgroup computes the tile from registers alone. Each of its
// LANES threads unpacks weights of its own columns and reads one element of each
// row of x, which then goes round the subgroup.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require

#define DEPTH LANES

layout (set = 0, binding = 2, std430) readonly buffer X { float x[]; };
#include "window.glsl"

uint rows_of_x[HIGH];
float x_part[HIGH];
vec4 w_part[WIDE][2];
#ifdef GATED
vec4 up_part[WIDE][2];
#endif

void begin_tile ()
{
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    rows_of_x[i] = x_row (first_row + i);
}

void load_tiles (uint k)
{
  [[unroll]] for (uint i = 0; i < HIGH; i++)
    x_part[i] = k + c < p.k ? window (rows_of_x[i], k + c) : 0.0;
  [[unroll]] for (uint j = 0; j < WIDE; j++) {
    uint w_at = w_row (c + j * ACROSS);

    w_load (w_at, k, p.k, w_part[j][0], w_part[j][1]);
#ifdef GATED
    up_load (w_at + p.sorted.up_at, k, p.k, up_part[j][0], up_part[j][1]);
#endif
  }
}

// The lane must be a constant.
#define ADD_FROM(lane)                                             \
  [[unroll]] for (uint i = 0; i < HIGH; i++) {                     \
    float v = subgroupBroadcast (x_part[i], lane);                 \
                                                                   \
    [[unroll]] for (uint j = 0; j < WIDE; j++) {                   \
      sum[i][j] += v * w_part[j][lane / 4][lane % 4];              \
      ADD_UP (up_sum[i][j] += v * up_part[j][lane / 4][lane % 4];) \
    }                                                              \
  }
#ifdef GATED
#define ADD_UP(statement) statement
#else
#define ADD_UP(statement)
#endif

void add_products ()
{
  ADD_FROM (0)
  ADD_FROM (1)
  ADD_FROM (2)
  ADD_FROM (3)
  ADD_FROM (4)
  ADD_FROM (5)
  ADD_FROM (6)
  ADD_FROM (7)
}
