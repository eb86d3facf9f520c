// Writes a step's keys and values into the cache, 32 elements a thread. A
// head's rows form a ring: position p lies in slot p % ring.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "half.glsl"

#define BLOCK 32
layout (local_size_x = 64) in;
layout (push_constant) uniform Push { FacetPushStore p; };
// VALUE is what a word is made of: arithmetic on 16-bit integers is no part of
// 16-bit storage.
#if defined TYPE_F32
#define WORD float
#define VALUE float
#define WORD_BYTES 4
#define WORDS(n) (n)
#else
#define WORD uint16_t
#define VALUE uint
#define WORD_BYTES 2
#if defined TYPE_F16
#define WORDS(n) (n)
#else
#define WORDS(n) ((n) / 32 * 17)
#endif
#endif
layout (set = 0, binding = 1, std430) buffer CacheK { WORD cache_k[]; };
layout (set = 0, binding = 2, std430) buffer CacheV { WORD cache_v[]; };
layout (set = 0, binding = 3, std430) readonly buffer K { float k[]; };
layout (set = 0, binding = 4, std430) readonly buffer V { float v[]; };

float x[BLOCK];

void put (bool is_v, uint at, VALUE value)
{
  if (is_v)
    cache_v[at] = WORD (value);
  else
    cache_k[at] = WORD (value);
}

void store (bool is_v, uint at, uint n)
{
#if defined TYPE_F32
  for (uint i = 0; i < n; i++)
    put (is_v, at + i, x[i]);
#elif defined TYPE_F16
  for (uint i = 0; i < n; i++)
    put (is_v, at + i, half_bits (x[i]));
#else
  float most = 0;

  for (uint i = 0; i < BLOCK; i++)
    most = max (most, abs (x[i]));
  // A smaller block counts as zero: 127 / most would overflow.
  float inverse = most < 1e-30 ? 0.0 : 127.0 / most;

  put (is_v, at, half_bits (most < 1e-30 ? 0.0 : most / 127.0));
  for (uint i = 0; i < BLOCK; i += 2) {
    int low = int (clamp (roundEven (x[i] * inverse), -127.0, 127.0));
    int high = int (clamp (roundEven (x[i + 1] * inverse), -127.0, 127.0));

    put (is_v, at + 1 + i / 2, uint (low & 255) | uint (high & 255) << 8);
  }
#endif
}

void main ()
{
  uint row = group_number (), block = gl_WorkGroupID.y * 64 + gl_LocalInvocationID.x;
  uint k_blocks = (p.head_k + BLOCK - 1) / BLOCK, v_blocks = (p.head_v + BLOCK - 1) / BLOCK;
  bool is_v = block >= p.count * k_blocks;

  if (row >= rows_of (FACET_PUSH_TOKENS))
    return;
  if (is_v)
    block -= p.count * k_blocks;
  uint of_head = is_v ? v_blocks : k_blocks, head = block / of_head, first = block % of_head * BLOCK;
  uint columns = is_v ? p.head_v : p.head_k, n = min (BLOCK, columns - first);
  uint source = (row * p.n_kv + p.first + head) * columns + first, slot = (uint (step[FACET_STEP_POSITION]) + row) % p.ring;

  if (head >= p.count)
    return;
  for (uint i = 0; i < n; i++)
    x[i] = is_v ? v[source + i] : k[source + i];
  store (is_v, head * ((is_v ? p.v_stride : p.k_stride) / WORD_BYTES) + slot * WORDS (columns) + WORDS (first), n);
}
