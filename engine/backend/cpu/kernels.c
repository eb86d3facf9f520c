#include "backend/cpu/kernels.h"
#include "backend/cpu/cpu-flags.h"

void
facet_kernels_init (FacetKernels *k, unsigned flags)
{
  flags = facet_cpu_flags_closed (flags);
  facet_kernels_init_c (k);
#ifdef __x86_64__
  if (flags & FACET_CPU_AVX2)
    facet_kernels_init_avx2 (k);
  if (flags & FACET_CPU_AVXVNNI)
    facet_kernels_init_avxvnni (k);
  if (flags & FACET_CPU_AVX512)
    facet_kernels_init_avx512 (k);
  if (flags & FACET_CPU_VNNI)
    facet_kernels_init_vnni (k);
#endif
#ifdef __aarch64__
  if (flags & FACET_CPU_NEON)
    facet_kernels_init_neon (k);
  if (flags & FACET_CPU_DOTPROD)
    facet_kernels_init_dotprod (k);
#endif
}

const FacetKernels *
facet_kernels_c (void)
{
  static FacetKernels table;
  static gsize done;

  if (g_once_init_enter (&done)) {
    facet_kernels_init (&table, 0);
    g_once_init_leave (&done, 1);
  }
  return &table;
}

const FacetKernels *
facet_kernels_get (void)
{
  static FacetKernels table;
  static gsize done;

  if (g_once_init_enter (&done)) {
    facet_kernels_init (&table, facet_cpu_flags ());
    g_once_init_leave (&done, 1);
  }
  return &table;
}
