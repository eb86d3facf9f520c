/* Device against processor, once for each model, on machines where both
 * compute in the same memory: a few rows together, then single ones. */
#include "backend/race.h"

#include <math.h>

#include "backend/pair.h"
#include "session/session-private.h"

#define PREFILL_ROWS 64
#define ROUNDS 3

static void
look (int done, int total, gpointer data)
{
  facet_stopwatch_look (data);
}

/* The shortest of a few runs; infinite if one takes longer than @limit. */
static gboolean
time_runs (FacetBackend *backend, FacetPlan *plan, int rows, double limit, double *seconds, FacetCancel *cancel, GError **error)
{
  g_autofree gint32 *ids = g_new0 (gint32, rows);
  FacetStopwatch watch;
  FacetStep step = { .n = rows, .ids = ids, .outputs = (const gint32[]) { rows - 1 }, .n_outputs = 1, .progress = look,
                     .progress_data = &watch };

  *seconds = INFINITY;
  for (int round = 0; round < ROUNDS; round++) {
    g_autoptr (GError) local = NULL;

    /* Neither loses by its first run, in which memory is touched for the first time. */
    facet_stopwatch_start (&watch, round > 0 ? limit : 4 * limit + 1, cancel);
    if (backend->klass->run (plan, &step, &watch.cancel, &local))
      *seconds = MIN (*seconds, round > 0 ? facet_stopwatch_read (&watch) : INFINITY);
    else if (!g_error_matches (local, FACET_ERROR, FACET_ERROR_CANCELLED) || facet_is_cancelled (cancel)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    } else {
      return TRUE;
    }
  }
  return TRUE;
}

static gboolean
time_backend (FacetSession *session, FacetBackend *backend, const FacetGraph *graph, int rows, double limit, double *seconds, GError **error)
{
  FacetDecoder *decoder = session->model->decoder;
  FacetKv *kv = backend->klass->kv_new (backend, decoder->kv_layers, decoder->n_kv_layers, rows, rows, session->kv_type, error);
  FacetPlan *plan = NULL;
  gboolean done;

  facet_session_watch (session, backend);
  if (kv)
    plan = backend->klass->compile (backend, graph, kv, rows, 1, error);
  facet_session_unwatch (backend);
  done = plan && time_runs (backend, plan, rows, limit, seconds, session->watch->cancel, error);
  if (plan)
    backend->klass->plan_free (plan);
  if (kv)
    backend->klass->kv_free (kv);
  return done;
}

/* What makes a difference in speed. */
static char *
shape_of (FacetSession *session)
{
  const FacetModelInfo *info = session->model->info;

  return g_strdup_printf ("%s %ux%u %s %" G_GUINT64_FORMAT " cache %d", info->architecture, info->width, info->layers, info->quantization,
                          info->parameters, session->kv_type);
}

static gboolean
race (FacetSession *session, FacetRacePhase phase, const char *shape, gboolean *cpu_wins, GError **error)
{
  FacetBackend *device = facet_pair_device (session->model->backend), *cpu = facet_pair_processor (session->model->backend);
  int rows = phase == FACET_RACE_DECODE ? 1 : MIN (PREFILL_ROWS, session->max_step);
  g_autoptr (FacetGraph) graph = NULL;
  double on_device, on_cpu;

  if (facet_race_recall (device, cpu, shape, phase, cpu_wins))
    return TRUE;
  graph = session->model->decoder->build (session->model->decoder, FACET_BUILD_NORMAL);
  if (!time_backend (session, device, graph, rows, INFINITY, &on_device, error)
      || !time_backend (session, cpu, graph, rows, on_device, &on_cpu, error))
    return FALSE;
  *cpu_wins = facet_race_remember (device, cpu, shape, phase, on_device, on_cpu);
  return TRUE;
}

gboolean
facet_session_race (FacetSession *session, gboolean *changed, GError **error)
{
  FacetBackend *pair = session->model->backend;
  g_autofree char *shape = NULL;
  gboolean decode, prefill;
  int layers;

  *changed = FALSE;
  /* A device that holds only a part of the model is not left to itself. */
  if (!facet_backend_is_pair (pair) || facet_pair_split (pair, &layers) > 0 || !facet_race_is_open (facet_pair_device (pair)))
    return TRUE;
  shape = shape_of (session);
  if (!race (session, FACET_RACE_DECODE, shape, &decode, error) || !race (session, FACET_RACE_PREFILL, shape, &prefill, error))
    return FALSE;
  *changed = facet_pair_set_phases (pair, decode, prefill);
  return TRUE;
}
