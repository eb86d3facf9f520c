/* When a device fails in the middle of an answer: the rows so far are computed
 * again, on the device opened anew or, the second time, on the CPU. */
#include "session/session-private.h"

#include "backend/choose.h"

static void
drop (FacetSession *session)
{
  facet_session_drop_runs (session);
  if (session->kv)
    session->backend->klass->kv_free (session->kv);
  session->kv = NULL;
  facet_timeline_cut (&session->held, 0);
  session->written = 0;
}

static gboolean
make_cache (FacetSession *session, GError **error)
{
  FacetDecoder *decoder = session->model->decoder;

  session->backend = session->model->backend;
  session->kv = session->backend->klass->kv_new (session->backend, decoder->kv_layers, decoder->n_kv_layers, session->context,
                                                 session->max_step, session->kv_type, error);
  return session->kv != NULL;
}

/* Whether another backend may do what @error says this one cannot. */
static gboolean
another_may (FacetSession *session, const GError *error)
{
  return error->domain == FACET_ERROR && !facet_backend_is_cpu (session->backend)
         && (error->code == FACET_ERROR_DEVICE || error->code == FACET_ERROR_NO_MEMORY || error->code == FACET_ERROR_UNSUPPORTED);
}

gboolean
facet_session_take_backend (FacetSession *session, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (session->kv && session->backend == session->model->backend)
    return TRUE;
  if (session->backend)
    drop (session);
  if (make_cache (session, &local))
    return TRUE;
  if (another_may (session, local)) {
    facet_model_replace_backend (session->model, local);
    return make_cache (session, error);
  }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
facet_session_recover (FacetSession *session, GError **failure, GError **error)
{
  if (!another_may (session, *failure)) {
    g_propagate_error (error, g_steal_pointer (failure));
    return FALSE;
  }
  drop (session);
  /* Another session may have been first. */
  if (session->backend == session->model->backend)
    facet_model_replace_backend (session->model, *failure);
  g_clear_error (failure);
  return facet_session_take_backend (session, error);
}
