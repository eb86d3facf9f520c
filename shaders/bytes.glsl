// Four bytes of a word as floats.
vec4 bytes (uint p)
{
  return vec4 (uvec4 (p, p >> 8, p >> 16, p >> 24) & 255u);
}

vec4 signed_bytes (uint p)
{
  return vec4 (ivec4 (uvec4 (p << 24, p << 16, p << 8, p)) >> 24);
}

// Bits 0..3 to bit 0 of each byte.
uint spread_bits (uint b)
{
  return b & 1u | (b & 2u) << 7 | (b & 4u) << 14 | (b & 8u) << 21;
}

const float iq4_values[16] = float[] (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

vec4 iq4 (uint p)
{
  return vec4 (iq4_values[p & 15u], iq4_values[p >> 8 & 15u], iq4_values[p >> 16 & 15u], iq4_values[p >> 24 & 15u]);
}
