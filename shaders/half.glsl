// Binary16 of a float, to nearest, ties to even: packHalf2x16 may round as the
// device likes.
uint half_bits (float f)
{
  uint bits = floatBitsToUint (f), sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;

  if (rest > 0x7f800000u)
    return sign | 0x7e00u;
  if (rest >= 0x47800000u)
    return sign | 0x7c00u;
  // Adding 0.5 leaves the half's subnormal mantissa in the low bits.
  if (rest < 0x38800000u)
    return sign | floatBitsToUint (uintBitsToFloat (rest) + 0.5) - 0x3f000000u;
  rest += 0xfffu + (rest >> 13 & 1u);
  return sign | rest - (112u << 23) >> 13;
}
