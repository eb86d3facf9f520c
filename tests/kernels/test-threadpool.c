#include "backend/cpu/threadpool.h"

#include <stdatomic.h>

#define STEPS 64

typedef struct {
  FacetPool *pool;
  int        runs[8];       /* by member; plain, as each has one writer */
  int        steps[STEPS];  /* written by one member, read by all after a barrier */
  atomic_int members_seen;
  atomic_int stale;
} Job;

static void
count_cb (gpointer data, int member, int members)
{
  Job *job = data;

  job->runs[member]++;
  atomic_fetch_add (&job->members_seen, 1);
}

/* Every member runs once a call, and its plain writes are seen by the caller. */
static void
test_runs (gconstpointer data)
{
  int members = GPOINTER_TO_INT (data);
  FacetPool *pool = facet_pool_new (members);
  Job job = { .pool = pool };

  g_assert_cmpint (facet_pool_members (pool), ==, members);
  for (int i = 1; i <= 2000; i++) {
    facet_pool_run (pool, count_cb, &job);
    g_assert_cmpint (atomic_load (&job.members_seen), ==, i * members);
    for (int m = 0; m < members; m++)
      g_assert_cmpint (job.runs[m], ==, i);
  }
  facet_pool_free (pool);
}

static void
barrier_cb (gpointer data, int member, int members)
{
  Job *job = data;

  for (int s = 0; s < STEPS; s++) {
    if (s % members == member)
      job->steps[s]++;
    facet_pool_barrier (job->pool);
    if (job->steps[s] != job->steps[0])
      atomic_fetch_add (&job->stale, 1);
    facet_pool_barrier (job->pool);
  }
}

/* What a member wrote before a barrier, all others see after it. */
static void
test_barrier (gconstpointer data)
{
  int members = GPOINTER_TO_INT (data);
  FacetPool *pool = facet_pool_new (members);
  Job job = { .pool = pool };

  for (int i = 1; i <= 50; i++) {
    facet_pool_run (pool, barrier_cb, &job);
    for (int s = 0; s < STEPS; s++)
      g_assert_cmpint (job.steps[s], ==, i);
  }
  g_assert_cmpint (atomic_load (&job.stale), ==, 0);
  facet_pool_free (pool);
}

/* Workers that fell asleep between runs wake up again. */
static void
test_sleep (void)
{
  FacetPool *pool = facet_pool_new (4);
  Job job = { .pool = pool };

  for (int i = 1; i <= 20; i++) {
    facet_pool_run (pool, count_cb, &job);
    g_usleep (2000);
    g_assert_cmpint (atomic_load (&job.members_seen), ==, 4 * i);
  }
  facet_pool_free (pool);
}

static void
test_default_members (void)
{
  int members = facet_pool_default_members ();

  g_assert_cmpint (members, >=, 1);
  g_assert_cmpint (members, <=, (int) g_get_num_processors ());
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (int members = 1; members <= 4; members++) {
    g_autofree char *runs = g_strdup_printf ("/threadpool/runs/%d", members);
    g_autofree char *barrier = g_strdup_printf ("/threadpool/barrier/%d", members);

    g_test_add_data_func (runs, GINT_TO_POINTER (members), test_runs);
    g_test_add_data_func (barrier, GINT_TO_POINTER (members), test_barrier);
  }
  g_test_add_func ("/threadpool/sleep", test_sleep);
  g_test_add_func ("/threadpool/default-members", test_default_members);
  return g_test_run ();
}
