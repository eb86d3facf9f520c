#include "session/session-private.h"

GArray *
facet_session_count_work (FacetSession *session, int rows, int position, GError **error)
{
  FacetStep step = { .n = rows, .position = position, .outputs = (const gint32[]) { rows - 1 }, .n_outputs = 1, .only_best = TRUE };
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (FacetKernelCount));
  FacetRun *run;

  if (rows < 1 || rows > session->max_step || position < 0 || position > session->context - rows) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "a step of %d tokens behind %d: steps have at most %d, the context %d", rows, position,
                 session->max_step, session->context);
    return NULL;
  }
  run = facet_session_get_run (session, rows == 1 ? FACET_RUN_DECODE : FACET_RUN_PREFILL, error);
  if (!run)
    return NULL;
  if (session->backend->klass->count)
    session->backend->klass->count (run->plan, &step, counts);
  if (counts->len == 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: no graphics device computes it whose work could be counted", session->model->info->path);
    return NULL;
  }
  return g_steal_pointer (&counts);
}
