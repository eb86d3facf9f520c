#include "levels.h"

static const struct {
  const char *name;
  unsigned    flags;
} known[] = {
  { "c", 0 },
  { "avx2", FACET_CPU_AVX2 },
  { "avx-vnni", FACET_CPU_AVX2 | FACET_CPU_AVXVNNI },
  { "avx512", FACET_CPU_AVX2 | FACET_CPU_AVX512 },
  { "avx512-vnni", FACET_CPU_AVX2 | FACET_CPU_AVX512 | FACET_CPU_VNNI },
  { "neon", FACET_CPU_NEON },
  { "dotprod", FACET_CPU_NEON | FACET_CPU_DOTPROD },
};

int
levels_get (Level levels[MAX_LEVELS])
{
  int n = 0;

  for (unsigned i = 0; i < G_N_ELEMENTS (known); i++) {
    if ((facet_cpu_flags () & known[i].flags) != known[i].flags)
      continue;
    levels[n].name = known[i].name;
    facet_kernels_init (&levels[n].table, known[i].flags);
    n++;
  }
  return n;
}
