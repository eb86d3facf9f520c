// Writes a step's keys and values into the cache, a head a work group: keys
// normalised and rotated, values normalised, each if that is wanted. A head's
// rows form a ring: position p lies in slot p % ring.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "half.glsl"

#define BLOCK 32
#define BLOCK_WORDS 17
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
#define WORDS(n) ((n) / BLOCK * BLOCK_WORDS)
#endif
#endif
layout (set = 0, binding = 1, std430) buffer CacheK { WORD cache_k[]; };
layout (set = 0, binding = 2, std430) buffer CacheV { WORD cache_v[]; };
layout (set = 0, binding = 3, std430) readonly buffer K { float k[]; };
layout (set = 0, binding = 4, std430) readonly buffer V { float v[]; };
layout (set = 0, binding = 5, std430) readonly buffer Table { float table[]; };
layout (set = 0, binding = 6, std430) readonly buffer GainK { float gain_k[]; };
layout (set = 0, binding = 7, std430) readonly buffer GainV { float gain_v[]; };
#include "head.glsl"

// Word @word of the head in the cache.
VALUE word_of (uint word)
{
#if defined TYPE_F32
  return x[word];
#elif defined TYPE_F16
  return half_bits (x[word]);
#else
  uint block = word / BLOCK_WORDS * BLOCK, part = word % BLOCK_WORDS, first = block + 2 * part - 2;
  float most = 0;

  for (uint i = 0; i < BLOCK; i++)
    most = max (most, abs (x[block + i]));
  // A smaller block counts as zero: 127 / most would overflow.
  float inverse = most < 1e-30 ? 0.0 : 127.0 / most;

  if (part == 0)
    return half_bits (most < 1e-30 ? 0.0 : most / 127.0);
  int low = int (clamp (roundEven (x[first] * inverse), -127.0, 127.0));
  int high = int (clamp (roundEven (x[first + 1] * inverse), -127.0, 127.0));

  return uint (low & 255) | uint (high & 255) << 8;
#endif
}

void main ()
{
  uint row = group_number (), head = gl_WorkGroupID.y;
  bool is_v = head >= p.count;

  if (row >= rows_of (FACET_PUSH_TOKENS))
    return;
  if (is_v)
    head -= p.count;
  uint columns = is_v ? p.head_v : p.head_k, source = (row * p.n_kv + p.first + head) * columns;
  uint slot = (uint (step[FACET_STEP_POSITION]) + row) % p.ring;
  uint at = head * ((is_v ? p.v_stride : p.k_stride) / WORD_BYTES) + slot * WORDS (columns);

  for (uint i = thread; i < columns; i += THREADS)
    x[i] = is_v ? v[source + i] : k[source + i];
  if ((is_v ? p.normed_v : p.normed_k) != 0)
    normalise (columns, is_v ? p.eps_v : p.eps_k);
  if ((is_v ? p.has_gain_v : p.has_gain_k) != 0)
    for (uint i = thread; i < columns; i += THREADS)
      x[i] *= is_v ? gain_v[i] : gain_k[i];
  if (p.rotated != 0 && !is_v)
    rotate (columns, row);
  barrier ();
  for (uint word = thread; word < WORDS (columns); word += THREADS)
    if (is_v)
      cache_v[at + word] = WORD (word_of (word));
    else
      cache_k[at + word] = WORD (word_of (word));
}
