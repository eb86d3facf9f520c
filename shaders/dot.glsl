// Products of signed bytes, sixteen at a time. Include it behind weights.glsl
// with X_BINDING, where quantize.comp has put the rows of x.
#extension GL_EXT_spirv_intrinsics : require

// OpSDot of SPV_KHR_integer_dot_product; format 0: four bytes of a word.
spirv_instruction (extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int packed_dot (uint a, uint b, spirv_literal int format);

layout (set = 0, binding = X_BINDING, std430) readonly buffer XBytes { uvec4 x_bytes[]; };
layout (set = 0, binding = X_BINDING, std430) readonly buffer XBlocks { uvec2 x_blocks[]; };

// Sixteen elements of x: d * q; sum is that of q.
struct Activations {
  uvec4 q;
  float d, sum;
};

struct Weights {
  uvec4 q;
  float scale, low;
};

// Elements k .. k+15 of a row of x, whose blocks' scales and sums begin at @blocks.
Activations x_load (uint row, uint k, uint columns, uint blocks)
{
  uint at = (row * columns + k) / 16;
  uvec2 block = x_blocks[blocks + at / 2];
  int sums = int (block.y);

  return Activations (x_bytes[at], uintBitsToFloat (block.x), float (at % 2 == 0 ? sums << 16 >> 16 : sums >> 16));
}

int dot_bytes (uvec4 a, uvec4 b)
{
  return packed_dot (a.x, b.x, 0) + packed_dot (a.y, b.y, 0) + packed_dot (a.z, b.z, 0) + packed_dot (a.w, b.w, 0);
}

float product (Weights w, Activations x)
{
#ifdef WEIGHT_LOW
  return x.d * (w.scale * float (dot_bytes (w.q, x.q)) - w.low * x.sum);
#else
  return x.d * (w.scale * float (dot_bytes (w.q, x.q)));
#endif
}

// Sixteen weights by way of a matrix's packed().
#define WEIGHTS_OF(packed, w, row_at, k)           \
  {                                                \
    uvec2 low_half, high_half;                     \
    packed (row_at, k, low_half, w.scale, w.low);  \
    packed (row_at, (k) + 8, high_half, w.scale, w.low); \
    w.q = uvec4 (low_half, high_half);             \
  }
