/* Device against processor, once for each encoder and size of input. */
#include "models/encoder.h"

#include <math.h>

#include "backend/race.h"

/* Progress goes on to whoever had asked for it. */
typedef struct {
  FacetStopwatch watch;
  FacetProgress  progress;
  gpointer       data;
} Timed;

static void
look (FacetPhase phase, guint64 done, guint64 total, gpointer data)
{
  Timed *timed = data;

  facet_stopwatch_look (&timed->watch);
  if (timed->progress)
    timed->progress (phase, done, total, timed->data);
}

/* NULL without an error: it took longer than @limit. */
static float *
run_timed (FacetEncoder *encoder, FacetBackend *backend, const FacetEncoderInput *input, double limit, double *seconds, FacetCancel *cancel,
           GError **error)
{
  Timed timed = { .progress = encoder->progress, .data = encoder->progress_data };
  g_autoptr (GError) local = NULL;
  float *soft;

  encoder->progress = look;
  encoder->progress_data = &timed;
  facet_stopwatch_start (&timed.watch, limit, cancel);
  soft = facet_encoder_run (encoder, backend, input, NULL, NULL, &timed.watch.cancel, &local);
  *seconds = soft ? facet_stopwatch_read (&timed.watch) : INFINITY;
  encoder->progress = timed.progress;
  encoder->progress_data = timed.data;
  if (local && (!g_error_matches (local, FACET_ERROR, FACET_ERROR_CANCELLED) || facet_is_cancelled (cancel)))
    g_propagate_error (error, g_steal_pointer (&local));
  return soft;
}

float *
facet_encoder_run_faster (FacetEncoder *encoder, FacetBackend *device, FacetBackend *cpu, const FacetEncoderInput *input,
                          FacetCancel *cancel, GError **error)
{
  g_autofree char *shape = g_strdup_printf ("%s %d for %d", encoder->klass->type, encoder->width, input->n_tokens);
  g_autoptr (GError) failure = NULL;
  g_autofree float *soft = NULL, *other = NULL, *again = NULL;
  double on_device, on_cpu;
  gboolean cpu_wins;

  if (facet_race_recall (device, cpu, shape, FACET_RACE_ENCODE, &cpu_wins))
    return facet_encoder_run (encoder, cpu_wins ? cpu : device, input, NULL, NULL, cancel, error);
  soft = run_timed (encoder, device, input, INFINITY, &on_device, cancel, error);
  if (!soft)
    return NULL;
  other = run_timed (encoder, cpu, input, on_device, &on_cpu, cancel, &failure);
  /* The first run on a device brings weights and builds programs. */
  if (other)
    again = run_timed (encoder, device, input, INFINITY, &on_device, cancel, &failure);
  if (failure) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  facet_race_remember (device, cpu, shape, FACET_RACE_ENCODE, on_device, on_cpu);
  return g_steal_pointer (&soft);
}
