// Rows of x as signed bytes in blocks of 32: x ~ d * q, d = max |x| / 127. The
// bytes of all rows come first, then of each block d and the sums of q over its
// halves, 16 bits each. Eight threads a block.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

#define THREADS 64
layout (local_size_x = THREADS) in;
layout (push_constant) uniform Push { FacetPushQuantize p; };
layout (set = 0, binding = 1, std430) writeonly buffer Bytes { uint bytes[]; };
layout (set = 0, binding = 1, std430) writeonly buffer Blocks { uvec2 blocks[]; };
layout (set = 0, binding = 2, std430) readonly buffer X { vec4 x[]; };

#include "eights.glsl"

void main ()
{
  uint row = group_number (), word = gl_WorkGroupID.y * THREADS + gl_LocalInvocationID.x, words = p.k / 4;

  if (row >= rows_of (p.rows))
    return;
  quantize (row, word, words, word < words ? x[row * words + word] : vec4 (0), p.blocks);
}
