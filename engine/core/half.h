/* half.h - 16-bit floats, one at a time (kernels have their own loops) */
#pragma once

#include <stdint.h>
#include <string.h>

/* IEEE 754 binary16. */
static inline float
facet_half_to_float (uint16_t h)
{
  uint32_t sign = (uint32_t) (h & 0x8000) << 16, exponent = (h >> 10) & 0x1f, mantissa = h & 0x3ff, bits;
  float f;

  if (exponent == 0) {
    f = (float) mantissa * 0x1p-24f;
    return sign != 0 ? -f : f;
  }
  bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | mantissa << 13;
  memcpy (&f, &bits, sizeof f);
  return f;
}

/* The upper half of a binary32. */
static inline float
facet_bfloat_to_float (uint16_t b)
{
  uint32_t bits = (uint32_t) b << 16;
  float f;

  memcpy (&f, &bits, sizeof f);
  return f;
}
