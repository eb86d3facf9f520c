/* cpu-flags.h - which instruction sets this process may use
 *
 * A flag is set when the processor has the instructions and the system saves
 * their registers. The environment variable FACET_CPU_MASK, a hexadecimal
 * number, keeps only the flags that are set in it: 0 leaves the C code, 1
 * AVX2, 3 AVX-512 without VNNI, 9 AVX2 with AVX-VNNI; 10 NEON.
 */
#pragma once

typedef enum {
  FACET_CPU_AVX2    = 1 << 0,  /* AVX2, FMA and F16C */
  FACET_CPU_AVX512  = 1 << 1,  /* AVX-512 F, BW, VL and DQ; never without AVX2 */
  FACET_CPU_VNNI    = 1 << 2,  /* AVX-512 VNNI; never without AVX512 */
  FACET_CPU_AVXVNNI = 1 << 3,  /* AVX-VNNI, its 256-bit form; never without AVX2 */
  FACET_CPU_NEON    = 1 << 4,  /* of every 64-bit ARM */
  FACET_CPU_DOTPROD = 1 << 5,  /* ARM's dot products of bytes; never without NEON */
} FacetCpuFlags;

/* Read once; the same value for the whole run. */
unsigned facet_cpu_flags (void);

/* @flags without those whose precondition is missing. */
unsigned facet_cpu_flags_closed (unsigned flags);
