#include "backend/cpu/threadpool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* How long a member looks for news before it sleeps. Waking a thread takes
 * about as long. */
#define SPIN_NS 50000
#define LOOKS_PER_CLOCK 64

/* A number that members wait on, alone in its cache line. */
typedef struct {
  _Alignas (64) atomic_uint value;
} Signal;

struct FacetPool {
  Signal epoch;    /* counts runs; the workers wait on it */
  Signal left;     /* workers still in the run; the caller waits on it */
  Signal arrived;  /* members at the barrier */
  Signal passed;   /* counts barriers */
  atomic_uint     sleepers;
  pthread_mutex_t lock;
  pthread_cond_t  news;

  FacetPoolFunc func;
  gpointer      data;
  gboolean      quit;

  int        members;
  pthread_t *threads;  /* of members 1 .. */
};

typedef struct {
  FacetPool *pool;
  int        member;
} Worker;

static void
relax (void)
{
#ifdef __x86_64__
  __builtin_ia32_pause ();
#elif defined __aarch64__
  __asm__ volatile ("yield");
#endif
}

static gint64
now_ns (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * G_GINT64_CONSTANT (1000000000) + t.tv_nsec;
}

/* The sleepers count and the signals are sequentially consistent: either the
 * one who changes a signal sees the sleeper, or the sleeper sees the change. */
static void
wake (FacetPool *pool)
{
  if (atomic_load (&pool->sleepers) == 0)
    return;
  pthread_mutex_lock (&pool->lock);
  pthread_cond_broadcast (&pool->news);
  pthread_mutex_unlock (&pool->lock);
}

static gboolean
spin_while (Signal *signal, unsigned value)
{
  gint64 end = 0;

  for (;;) {
    for (int i = 0; i < LOOKS_PER_CLOCK; i++) {
      if (atomic_load_explicit (&signal->value, memory_order_acquire) != value)
        return TRUE;
      relax ();
    }
    if (end == 0)
      end = now_ns () + SPIN_NS;
    else if (now_ns () > end)
      return FALSE;
  }
}

/* Waits until the signal has another value than @value. */
static void
wait_while (FacetPool *pool, Signal *signal, unsigned value)
{
  if (spin_while (signal, value))
    return;
  pthread_mutex_lock (&pool->lock);
  atomic_fetch_add (&pool->sleepers, 1);
  while (atomic_load (&signal->value) == value)
    pthread_cond_wait (&pool->news, &pool->lock);
  atomic_fetch_sub (&pool->sleepers, 1);
  pthread_mutex_unlock (&pool->lock);
}

static void *
work (void *data)
{
  Worker worker = *(Worker *) data;
  FacetPool *pool = worker.pool;
  unsigned epoch = 0;

  g_free (data);
  for (;;) {
    wait_while (pool, &pool->epoch, epoch);
    epoch++;
    if (pool->quit)
      return NULL;
    pool->func (pool->data, worker.member, pool->members);
    if (atomic_fetch_sub (&pool->left.value, 1) == 1)
      wake (pool);
  }
}

FacetPool *
facet_pool_new (int members)
{
  FacetPool *pool = g_aligned_alloc0 (1, sizeof *pool, 64);

  g_assert (members >= 1);
  pthread_mutex_init (&pool->lock, NULL);
  pthread_cond_init (&pool->news, NULL);
  pool->threads = g_new0 (pthread_t, members);
  /* Workers read this only in a run, and then it is final. */
  pool->members = 1;
  while (pool->members < members) {
    Worker *worker = g_new (Worker, 1);
    int error;

    *worker = (Worker) { pool, pool->members };
    error = pthread_create (&pool->threads[pool->members - 1], NULL, work, worker);
    if (error != 0) {
      g_warning ("Could start %d of %d threads: %s", pool->members, members, g_strerror (error));
      g_free (worker);
      break;
    }
    pool->members++;
  }
  return pool;
}

static void
start (FacetPool *pool)
{
  atomic_store (&pool->left.value, (unsigned) pool->members - 1);
  atomic_fetch_add (&pool->epoch.value, 1);
  wake (pool);
}

void
facet_pool_free (FacetPool *pool)
{
  if (pool == NULL)
    return;
  pool->quit = TRUE;
  start (pool);
  for (int i = 0; i < pool->members - 1; i++)
    pthread_join (pool->threads[i], NULL);
  pthread_cond_destroy (&pool->news);
  pthread_mutex_destroy (&pool->lock);
  g_free (pool->threads);
  g_aligned_free (pool);
}

int
facet_pool_members (const FacetPool *pool)
{
  return pool->members;
}

void
facet_pool_run (FacetPool *pool, FacetPoolFunc func, gpointer data)
{
  unsigned left;

  pool->func = func;
  pool->data = data;
  start (pool);
  func (data, 0, pool->members);
  while ((left = atomic_load_explicit (&pool->left.value, memory_order_acquire)) != 0)
    wait_while (pool, &pool->left, left);
}

void
facet_pool_barrier (FacetPool *pool)
{
  unsigned passed = atomic_load_explicit (&pool->passed.value, memory_order_acquire);

  if (atomic_fetch_add (&pool->arrived.value, 1) + 1 == (unsigned) pool->members) {
    atomic_store_explicit (&pool->arrived.value, 0, memory_order_relaxed);
    atomic_fetch_add (&pool->passed.value, 1);
    wake (pool);
  } else {
    wait_while (pool, &pool->passed, passed);
  }
}

/* The first processor number in the list of those that share a core with @cpu. */
static int
first_sibling (int cpu)
{
  char path[96];
  FILE *file;
  int first = cpu;

  g_snprintf (path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  file = fopen (path, "r");
  if (file == NULL)
    return cpu;
  if (fscanf (file, "%d", &first) != 1)
    first = cpu;
  fclose (file);
  return first;
}

int
facet_pool_default_members (void)
{
  gboolean seen[CPU_SETSIZE] = { FALSE };
  cpu_set_t allowed;
  int cores = 0;

  if (sched_getaffinity (0, sizeof allowed, &allowed) != 0)
    return (int) g_get_num_processors ();
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    int core;

    if (!CPU_ISSET (cpu, &allowed))
      continue;
    core = first_sibling (cpu);
    if (core < 0 || core >= CPU_SETSIZE || seen[core])
      continue;
    seen[core] = TRUE;
    cores++;
  }
  return MAX (cores, 1);
}
