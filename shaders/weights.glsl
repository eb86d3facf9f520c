// Weights as they lie in GGUF files, eight at a time.
//
// Include it once a matrix with
//   WEIGHT_BINDING  its binding
//   WEIGHT(name)    a prefix for the names
// and one of TYPE_F32, TYPE_Q4_0 ... defined. It declares
//   void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
// which reads elements k .. k+7 (k a multiple of 8) of the row that begins at
// byte row_at and has n elements; past its end they are 0. Blocks are
// multiples of two bytes, hence the view of 16-bit words. Layouts:
// engine/backend/cpu/quant-blocks.h.

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

uint WEIGHT(u32) (uint at)
{
  return WEIGHT(u16) (at) | WEIGHT(u16) (at + 1) << 16;
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

void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
{
#if defined TYPE_Q8_0
  uint at = row_at / 2 + k / 32 * 17, within = k % 32, q = at + 1 + within / 2;
  float d = WEIGHT(half) (at);

  a = d * signed_bytes (WEIGHT(u32) (q));
  b = d * signed_bytes (WEIGHT(u32) (q + 2));
#else
#if defined TYPE_Q4_0 || defined TYPE_IQ4_NL
  const uint block = 9, low = 1;
#elif defined TYPE_Q4_1
  const uint block = 10, low = 2;
#elif defined TYPE_Q5_0
  const uint block = 11, low = 3, high = 1;
#else
  const uint block = 12, low = 4, high = 2;
#endif
  // Elements 0..15 lie in the low nibbles, 16..31 in the high ones.
  uint at = row_at / 2 + k / 32 * block, within = k % 32, q = at + low + within % 16 / 2, shift = within / 16 * 4;
  uint q0 = WEIGHT(u32) (q) >> shift & 0x0f0f0f0fu, q1 = WEIGHT(u32) (q + 2) >> shift & 0x0f0f0f0fu;
  float d = WEIGHT(half) (at);

#if defined TYPE_Q5_0 || defined TYPE_Q5_1
  uint fifth = WEIGHT(u32) (at + high) >> within;

  q0 |= spread_bits (fifth) << 4;
  q1 |= spread_bits (fifth >> 4) << 4;
#endif
#if defined TYPE_IQ4_NL
  a = d * iq4 (q0);
  b = d * iq4 (q1);
#elif defined TYPE_Q4_0
  a = d * (bytes (q0) - 8);
  b = d * (bytes (q1) - 8);
#elif defined TYPE_Q5_0
  a = d * (bytes (q0) - 16);
  b = d * (bytes (q1) - 16);
#else
  float m = WEIGHT(half) (at + 1);

  a = d * bytes (q0) + m;
  b = d * bytes (q1) + m;
#endif
#endif
}

#else
// Super-blocks of 256; `sub` counts their groups of 32.
void WEIGHT(load) (uint row_at, uint k, uint n, out vec4 a, out vec4 b)
{
  uint sub = k % 256 / 32, within = k % 32;

#if defined TYPE_Q2_K
  uint at = row_at / 2 + k / 256 * 42, q = at + 8 + (sub / 4 * 32 + within) / 2, shift = sub % 4 * 2;
  uint scales = WEIGHT(u8) (at, 2 * sub + within / 16);
  float scale = WEIGHT(half) (at + 40) * float (scales & 15u), min = WEIGHT(half) (at + 41) * float (scales >> 4);

  a = scale * bytes (WEIGHT(u32) (q) >> shift & 0x03030303u) - min;
  b = scale * bytes (WEIGHT(u32) (q + 2) >> shift & 0x03030303u) - min;
#elif defined TYPE_Q3_K
  uint at = row_at / 2 + k / 256 * 55, q = at + 16 + (sub / 4 * 32 + within) / 2, shift = sub % 4 * 2;
  uint mask = at + within / 2, i = 2 * sub + within / 16;
  uint low = WEIGHT(u8) (at + 48, i % 8) >> i / 8 * 4 & 15u, high = WEIGHT(u8) (at + 52, i % 4) >> i / 4 * 2 & 3u;
  float scale = WEIGHT(half) (at + 54) * (float (low | high << 4) - 32);
  // A bit that is set keeps the element from being lowered by 4.
  uint q0 = WEIGHT(u32) (q) >> shift & 0x03030303u | (WEIGHT(u32) (mask) >> sub & 0x01010101u) << 2;
  uint q1 = WEIGHT(u32) (q + 2) >> shift & 0x03030303u | (WEIGHT(u32) (mask + 2) >> sub & 0x01010101u) << 2;

  a = scale * (bytes (q0) - 4);
  b = scale * (bytes (q1) - 4);
#elif defined TYPE_Q4_K || defined TYPE_Q5_K
#if defined TYPE_Q4_K
  uint at = row_at / 2 + k / 256 * 72, q = at + 8;
#else
  uint at = row_at / 2 + k / 256 * 88, q = at + 24;
#endif
  uint shift = sub % 2 * 4, scale6, min6;

  q += (sub / 2 * 32 + within) / 2;
  if (sub < 4) {
    scale6 = WEIGHT(u8) (at + 2, sub) & 63u;
    min6 = WEIGHT(u8) (at + 2, sub + 4) & 63u;
  } else {
    scale6 = WEIGHT(u8) (at + 2, sub + 4) & 15u | WEIGHT(u8) (at + 2, sub - 4) >> 6 << 4;
    min6 = WEIGHT(u8) (at + 2, sub + 4) >> 4 | WEIGHT(u8) (at + 2, sub) >> 6 << 4;
  }
  uint q0 = WEIGHT(u32) (q) >> shift & 0x0f0f0f0fu, q1 = WEIGHT(u32) (q + 2) >> shift & 0x0f0f0f0fu;
  float scale = WEIGHT(half) (at) * float (scale6), min = WEIGHT(half) (at + 1) * float (min6);

#if defined TYPE_Q5_K
  uint high = at + 8 + within / 2;

  q0 |= (WEIGHT(u32) (high) >> sub & 0x01010101u) << 4;
  q1 |= (WEIGHT(u32) (high + 2) >> sub & 0x01010101u) << 4;
#endif
  a = scale * bytes (q0) - min;
  b = scale * bytes (q1) - min;
#elif defined TYPE_Q6_K
  // Halves of 128 elements.
  uint at = row_at / 2 + k / 256 * 105, part = sub / 4, s = sub % 4;
  uint ql = at + (64 * part + 32 * (s % 2) + within) / 2, qh = at + 64 + (32 * part + within) / 2;
  uint low = s / 2 * 4, high = s * 2;
  uint q0 = WEIGHT(u32) (ql) >> low & 0x0f0f0f0fu | (WEIGHT(u32) (qh) >> high & 0x03030303u) << 4;
  uint q1 = WEIGHT(u32) (ql + 2) >> low & 0x0f0f0f0fu | (WEIGHT(u32) (qh + 2) >> high & 0x03030303u) << 4;
  int scale8 = int (WEIGHT(u8) (at + 96, 8 * part + 2 * s + within / 16) << 24) >> 24;
  float scale = WEIGHT(half) (at + 104) * float (scale8);

  a = scale * (bytes (q0) - 32);
  b = scale * (bytes (q1) - 32);
#elif defined TYPE_IQ4_XS
  uint at = row_at / 2 + k / 256 * 68, q = at + 4 + (16 * sub + within % 16) / 2, shift = within / 16 * 4;
  uint low = WEIGHT(u8) (at + 2, sub / 2) >> sub % 2 * 4 & 15u, high = WEIGHT(u16) (at + 1) >> 2 * sub & 3u;
  float scale = WEIGHT(half) (at) * (float (low | high << 4) - 32);

  a = scale * iq4 (WEIGHT(u32) (q) >> shift & 0x0f0f0f0fu);
  b = scale * iq4 (WEIGHT(u32) (q + 2) >> shift & 0x0f0f0f0fu);
#endif
}
#endif
#endif
#endif
