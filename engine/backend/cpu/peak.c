#include "facet.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/threadpool.h"

#define TRIES 5
#define TRY_US 40000
#define ROUNDS 100000

typedef struct {
  const FacetKernels *kernels;
  volatile float      sink;   /* keeps the work from being left out */
  gint                rounds; /* in units of ROUNDS, of all members */
} Spin;

static void
spin (gpointer data, int member, int members)
{
  Spin *s = data;
  gint64 until = g_get_monotonic_time () + TRY_US;

  do {
    s->sink = s->kernels->spin (ROUNDS);
    g_atomic_int_inc (&s->rounds);
  } while (g_get_monotonic_time () < until);
}

double
facet_measure_peak (int threads)
{
  FacetPool *pool = facet_pool_new (threads > 0 ? threads : facet_pool_default_members ());
  Spin s = { .kernels = facet_kernels_get () };
  double best = 0;

  for (int i = 0; i < TRIES; i++) {
    gint64 start = g_get_monotonic_time ();
    double seconds;

    s.rounds = 0;
    facet_pool_run (pool, spin, &s);
    seconds = (g_get_monotonic_time () - start) / 1e6;
    best = MAX (best, (double) s.rounds * ROUNDS * s.kernels->spin_operations / seconds);
  }
  facet_pool_free (pool);
  return best;
}
