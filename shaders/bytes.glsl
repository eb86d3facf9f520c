// Four bytes of a word as floats.
vec4 signed_bytes (uint p)
{
  return vec4 (ivec4 (uvec4 (p << 24, p << 16, p << 8, p)) >> 24);
}

// Bytes less those of @by; those of @p are below 128, the result is signed.
uvec2 lowered (uvec2 p, uint by)
{
  return (p | 0x80808080u) - by ^ 0x80808080u;
}

// Bits 0..3 to bit 0 of each byte.
uint spread_bits (uint b)
{
  return b & 1u | (b & 2u) << 7 | (b & 4u) << 14 | (b & 8u) << 21;
}

// -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
const uint iq4_values[4] = uint[] (0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

uint iq4_byte (uint i)
{
  return iq4_values[i / 4] >> i % 4 * 8 & 255u;
}

uint iq4_word (uint p)
{
  return iq4_byte (p & 15u) | iq4_byte (p >> 8 & 15u) << 8 | iq4_byte (p >> 16 & 15u) << 16 | iq4_byte (p >> 24 & 15u) << 24;
}

uvec2 iq4 (uvec2 p)
{
  return uvec2 (iq4_word (p.x), iq4_word (p.y));
}
