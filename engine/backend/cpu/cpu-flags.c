#include "backend/cpu/cpu-flags.h"

#include <glib.h>

#ifdef __x86_64__
#include <cpuid.h>

/* Those that __builtin_cpu_supports() does not know with every compiler. */
static gboolean
has_f16c (void)
{
  unsigned a, b, c, d;

  return __get_cpuid (1, &a, &b, &c, &d) && (c & bit_F16C);
}

static gboolean
has_avxvnni (void)
{
  unsigned a, b, c, d;

  return __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}
#endif

#ifdef __aarch64__
#include <sys/auxv.h>
#include <asm/hwcap.h>
#endif

static unsigned
detect (void)
{
  unsigned flags = 0;

#ifdef __x86_64__
  /* libgcc checks XCR0 (xgetbv) before it reports AVX or AVX-512. */
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma") && has_f16c ())
    flags |= FACET_CPU_AVX2;
  if (has_avxvnni ())
    flags |= FACET_CPU_AVXVNNI;
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512dq"))
    flags |= FACET_CPU_AVX512;
  if (__builtin_cpu_supports ("avx512vnni"))
    flags |= FACET_CPU_VNNI;
#endif
#ifdef __aarch64__
  flags |= FACET_CPU_NEON;
  if (getauxval (AT_HWCAP) & HWCAP_ASIMDDP)
    flags |= FACET_CPU_DOTPROD;
#endif
  return flags;
}

unsigned
facet_cpu_flags_closed (unsigned flags)
{
  if (!(flags & FACET_CPU_AVX2))
    flags &= ~(unsigned) (FACET_CPU_AVX512 | FACET_CPU_AVXVNNI);
  if (!(flags & FACET_CPU_AVX512))
    flags &= ~(unsigned) FACET_CPU_VNNI;
  if (!(flags & FACET_CPU_NEON))
    flags &= ~(unsigned) FACET_CPU_DOTPROD;
  return flags;
}

unsigned
facet_cpu_flags (void)
{
  static gsize flags;

  if (g_once_init_enter (&flags)) {
    const char *text = g_getenv ("FACET_CPU_MASK");
    unsigned found = detect ();

    if (text != NULL)
      found &= (unsigned) g_ascii_strtoull (text, NULL, 16);
    /* One more bit, as g_once wants a value that is not 0. */
    g_once_init_leave (&flags, (gsize) facet_cpu_flags_closed (found) << 1 | 1);
  }
  return (unsigned) (flags >> 1);
}
