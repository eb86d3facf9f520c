// Weights as they lie in GGUF files, eight at a time.
//
// Include it once a matrix with
//   WEIGHT_BINDING  its binding
//   WEIGHT(name)    a prefix for the names
// and one of TYPE_F32, TYPE_Q4_0 ... defined. It declares
//   void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
// which reads elements k .. k+7 (k a multiple of 8) of the row that begins at
// byte row_at and has n elements; past its end they are 0; and for quantised
// types
//   void WEIGHT(packed) (uint row_at, uint k, out uvec2 q, out float scale, out float low)
// which reads them as signed bytes: an element is scale * q - low, with low 0
// unless WEIGHT_LOW is defined. Scale and low hold for WEIGHT_RUN elements.
// Blocks are multiples of two bytes, hence the view of 16-bit words; those that
// are multiples of four are read in words of 32 bits, too. Layouts:
// engine/backend/cpu/quant-blocks.h.
#undef WEIGHT_LOW
#undef WEIGHT_RUN
#undef WEIGHT_WORDS
#if defined TYPE_Q4_1 || defined TYPE_Q5_1 || defined TYPE_Q2_K || defined TYPE_Q4_K || defined TYPE_Q5_K
#define WEIGHT_LOW
#endif
#if defined TYPE_Q2_K || defined TYPE_Q3_K || defined TYPE_Q6_K
#define WEIGHT_RUN 16
#else
#define WEIGHT_RUN 32
#endif
#if defined WEIGHT_LOW || defined TYPE_IQ4_XS
#define WEIGHT_WORDS
#endif

#if defined TYPE_F32
layout (set = 0, binding = WEIGHT_BINDING, std430) readonly buffer WEIGHT(Floats) { float WEIGHT(f)[]; };

void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
{
  uint at = row_at / 4 + k;

  a = vec4 (0);
  b = vec4 (0);
  if (k + 8 <= n) {
    a = vec4 (WEIGHT(f)[at], WEIGHT(f)[at + 1], WEIGHT(f)[at + 2], WEIGHT(f)[at + 3]);
    b = vec4 (WEIGHT(f)[at + 4], WEIGHT(f)[at + 5], WEIGHT(f)[at + 6], WEIGHT(f)[at + 7]);
  } else {
    for (uint i = 0; i < 4; i++) {
      if (k + i < n)
        a[i] = WEIGHT(f)[at + i];
      if (k + 4 + i < n)
        b[i] = WEIGHT(f)[at + 4 + i];
    }
  }
}

#else
layout (set = 0, binding = WEIGHT_BINDING, std430) readonly buffer WEIGHT(Words) { uint16_t WEIGHT(w)[]; };

uint WEIGHT(u16) (uint at)
{
  return uint (WEIGHT(w)[at]);
}

#if defined WEIGHT_WORDS
layout (set = 0, binding = WEIGHT_BINDING, std430) readonly buffer WEIGHT(Words32) { uint WEIGHT(w32)[]; };

uint WEIGHT(u32) (uint at)
{
  return WEIGHT(w32)[at / 2];
}
#else
uint WEIGHT(u32) (uint at)
{
  return WEIGHT(u16) (at) | WEIGHT(u16) (at + 1) << 16;
}
#endif

// Eight bytes from word @at.
uvec2 WEIGHT(u64) (uint at)
{
  return uvec2 (WEIGHT(u32) (at), WEIGHT(u32) (at + 2));
}

uint WEIGHT(u8) (uint at, uint i)
{
  return WEIGHT(u16) (at + i / 2) >> i % 2 * 8 & 255u;
}

float WEIGHT(half) (uint at)
{
  return unpackHalf2x16 (WEIGHT(u16) (at)).x;
}

#if defined TYPE_F16 || defined TYPE_BF16
float WEIGHT(at) (uint at)
{
#if defined TYPE_F16
  return WEIGHT(half) (at);
#else
  return uintBitsToFloat (WEIGHT(u16) (at) << 16);
#endif
}

void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
{
  uint at = row_at / 2 + k;

  a = vec4 (0);
  b = vec4 (0);
  for (uint i = 0; i < 4; i++) {
    if (k + i < n)
      a[i] = WEIGHT(at) (at + i);
    if (k + 4 + i < n)
      b[i] = WEIGHT(at) (at + 4 + i);
  }
}

#else
#if defined TYPE_Q4_0 || defined TYPE_Q4_1 || defined TYPE_Q5_0 || defined TYPE_Q5_1 || defined TYPE_Q8_0 || defined TYPE_IQ4_NL

void WEIGHT(packed) (uint row_at, uint k, out uvec2 q, out float scale, out float low)
{
  low = 0;
#if defined TYPE_Q8_0
  uint at = row_at / 2 + k / 32 * 17;

  scale = WEIGHT(half) (at);
  q = WEIGHT(u64) (at + 1 + k % 32 / 2);
#else
#if defined TYPE_Q4_0 || defined TYPE_IQ4_NL
  const uint block = 9, nibbles = 1;
#elif defined TYPE_Q4_1
  const uint block = 10, nibbles = 2;
#elif defined TYPE_Q5_0
  const uint block = 11, nibbles = 3, high = 1;
#else
  const uint block = 12, nibbles = 4, high = 2;
#endif
  // Elements 0..15 lie in the low nibbles, 16..31 in the high ones.
  uint at = row_at / 2 + k / 32 * block, within = k % 32;

  q = WEIGHT(u64) (at + nibbles + within % 16 / 2) >> within / 16 * 4 & 0x0f0f0f0fu;
  scale = WEIGHT(half) (at);
#if defined TYPE_Q5_0 || defined TYPE_Q5_1
  uint fifth = WEIGHT(u32) (at + high) >> within;

  q |= uvec2 (spread_bits (fifth), spread_bits (fifth >> 4)) << 4;
#endif
#if defined TYPE_IQ4_NL
  q = iq4 (q);
#elif defined TYPE_Q4_0
  q = lowered (q, 0x08080808u);
#elif defined TYPE_Q5_0
  q = lowered (q, 0x10101010u);
#else
  low = -WEIGHT(half) (at + 1);
#endif
#endif
}

#else
// Super-blocks of 256; `sub` counts their groups of 32.
void WEIGHT(packed) (uint row_at, uint k, out uvec2 q, out float scale, out float low)
{
  uint sub = k % 256 / 32, within = k % 32;

  low = 0;
#if defined TYPE_Q2_K
  uint at = row_at / 2 + k / 256 * 42, scales = WEIGHT(u8) (at, 2 * sub + within / 16);

  q = WEIGHT(u64) (at + 8 + (sub / 4 * 32 + within) / 2) >> sub % 4 * 2 & 0x03030303u;
  scale = WEIGHT(half) (at + 40) * float (scales & 15u);
  low = WEIGHT(half) (at + 41) * float (scales >> 4);
#elif defined TYPE_Q3_K
  uint at = row_at / 2 + k / 256 * 55, i = 2 * sub + within / 16;
  uint four = WEIGHT(u8) (at + 48, i % 8) >> i / 8 * 4 & 15u, two = WEIGHT(u8) (at + 52, i % 4) >> i / 4 * 2 & 3u;

  // A bit that is set keeps the element from being lowered by 4.
  q = WEIGHT(u64) (at + 16 + (sub / 4 * 32 + within) / 2) >> sub % 4 * 2 & 0x03030303u;
  q = lowered (q | (WEIGHT(u64) (at + within / 2) >> sub & 0x01010101u) << 2, 0x04040404u);
  scale = WEIGHT(half) (at + 54) * (float (four | two << 4) - 32);
#elif defined TYPE_Q4_K || defined TYPE_Q5_K
#if defined TYPE_Q4_K
  uint at = row_at / 2 + k / 256 * 72, nibbles = at + 8;
#else
  uint at = row_at / 2 + k / 256 * 88, nibbles = at + 24;
#endif
  uint scale6, low6;

  if (sub < 4) {
    scale6 = WEIGHT(u8) (at + 2, sub) & 63u;
    low6 = WEIGHT(u8) (at + 2, sub + 4) & 63u;
  } else {
    scale6 = WEIGHT(u8) (at + 2, sub + 4) & 15u | WEIGHT(u8) (at + 2, sub - 4) >> 6 << 4;
    low6 = WEIGHT(u8) (at + 2, sub + 4) >> 4 | WEIGHT(u8) (at + 2, sub) >> 6 << 4;
  }
  q = WEIGHT(u64) (nibbles + (sub / 2 * 32 + within) / 2) >> sub % 2 * 4 & 0x0f0f0f0fu;
  scale = WEIGHT(half) (at) * float (scale6);
  low = WEIGHT(half) (at + 1) * float (low6);
#if defined TYPE_Q5_K
  q |= (WEIGHT(u64) (at + 8 + within / 2) >> sub & 0x01010101u) << 4;
#endif
#elif defined TYPE_Q6_K
  // Halves of 128 elements.
  uint at = row_at / 2 + k / 256 * 105, part = sub / 4, s = sub % 4;
  int scale8 = int (WEIGHT(u8) (at + 96, 8 * part + 2 * s + within / 16) << 24) >> 24;

  q = WEIGHT(u64) (at + (64 * part + 32 * (s % 2) + within) / 2) >> s / 2 * 4 & 0x0f0f0f0fu;
  q = lowered (q | (WEIGHT(u64) (at + 64 + (32 * part + within) / 2) >> s * 2 & 0x03030303u) << 4, 0x20202020u);
  scale = WEIGHT(half) (at + 104) * float (scale8);
#elif defined TYPE_IQ4_XS
  uint at = row_at / 2 + k / 256 * 68;
  uint four = WEIGHT(u8) (at + 2, sub / 2) >> sub % 2 * 4 & 15u, two = WEIGHT(u16) (at + 1) >> 2 * sub & 3u;

  q = iq4 (WEIGHT(u64) (at + 4 + (16 * sub + within % 16) / 2) >> within / 16 * 4 & 0x0f0f0f0fu);
  scale = WEIGHT(half) (at) * (float (four | two << 4) - 32);
#endif
}
#endif

void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
{
  uvec2 q;
  float scale, low;

  WEIGHT(packed) (row_at, k, q, scale, low);
  a = scale * signed_bytes (q.x);
  b = scale * signed_bytes (q.y);
#if defined WEIGHT_LOW
  a -= low;
  b -= low;
#endif
}
#endif
#endif
