/* When a device fails in the middle of an answer: the rows so far are computed
 * again, on the device opened anew or, the second time, on the CPU. Where its
 * memory does not suffice, the CPU takes more of the layers, at last all. */
#include "session/session-private.h"

#include "backend/choose.h"
#include "backend/pair.h"

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
  int layers, before = facet_model_split (session->model, &layers);

  session->backend = session->model->backend;
  session->kv = session->backend->klass->kv_new (session->backend, decoder->kv_layers, decoder->n_kv_layers, session->context,
                                                 session->max_step, session->kv_type, error);
  if (session->kv && facet_model_split (session->model, &layers) > before)
    session->model->notice = FACET_NOTICE_SPLIT;
  return session->kv != NULL;
}

/* Whether another backend may do what @error says this one cannot. */
static gboolean
another_may (FacetSession *session, const GError *error)
{
  return error->domain == FACET_ERROR && !facet_backend_is_cpu (session->backend)
         && (error->code == FACET_ERROR_DEVICE || error->code == FACET_ERROR_NO_MEMORY || error->code == FACET_ERROR_UNSUPPORTED);
}

/* What is tried next after @why: fewer layers on the device, or another backend. */
static void
step_back (FacetSession *session, const GError *why)
{
  FacetModel *model = session->model;

  if (why->code != FACET_ERROR_NO_MEMORY || !facet_backend_is_pair (model->backend) || !facet_pair_shrink (model->backend)) {
    facet_model_replace_backend (model, why);
    return;
  }
  g_message ("%s: %s; fewer layers are tried", model->backend->description, why->message);
  if (g_atomic_int_get (&model->sessions) <= 1)
    model->backend->klass->forget (model->backend);
}

gboolean
facet_session_take_backend (FacetSession *session, GError **error)
{
  if (session->kv && session->backend == session->model->backend)
    return TRUE;
  if (session->backend)
    drop (session);
  for (;;) {
    g_autoptr (GError) local = NULL;

    if (make_cache (session, &local))
      return TRUE;
    if (!another_may (session, local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    step_back (session, local);
  }
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
    step_back (session, *failure);
  g_clear_error (failure);
  return facet_session_take_backend (session, error);
}

/* ---- before the first answer ---- */

/* Two plans are made, the first of which brings the weights. */
#define FIRST_SHARE 3

static void
report (guint64 done, guint64 total, gpointer data)
{
  FacetSession *session = data;
  const FacetSessionParams *watch = session->watch;
  guint64 before = session->runs[FACET_RUN_DECODE].plan ? FIRST_SHARE * total : 0, weight = before ? 1 : FIRST_SHARE;

  watch->progress (FACET_PHASE_LOAD, before + weight * done, (FIRST_SHARE + 1) * total, watch->user_data);
}

void
facet_session_watch (FacetSession *session, FacetBackend *backend)
{
  backend->cancel = session->watch->cancel;
  backend->progress = session->watch->progress ? report : NULL;
  backend->progress_data = session;
}

void
facet_session_unwatch (FacetBackend *backend)
{
  backend->cancel = NULL;
  backend->progress = NULL;
  backend->progress_data = NULL;
}

static gboolean
make_plans (FacetSession *session, GError **error)
{
  FacetBackend *backend = session->backend;
  gboolean done;

  if (facet_backend_is_cpu (backend))
    return TRUE;
  facet_session_watch (session, backend);
  done = facet_session_get_run (session, FACET_RUN_DECODE, error) && facet_session_get_run (session, FACET_RUN_PREFILL, error);
  facet_session_unwatch (backend);
  return done;
}

/* The cache is made for what the race says. */
static gboolean
take_faster (FacetSession *session, GError **error)
{
  gboolean changed;

  if (!facet_session_take_backend (session, error) || !facet_session_race (session, &changed, error))
    return FALSE;
  if (changed)
    drop (session);
  return facet_session_take_backend (session, error);
}

gboolean
facet_session_prepare (FacetSession *session, GError **error)
{
  GError *failure = NULL;
  gboolean done;

  while (!(done = take_faster (session, &failure) && make_plans (session, &failure))
         && facet_session_recover (session, &failure, error))
    ;
  if (failure)
    g_propagate_error (error, failure);
  return done;
}
