#define G_LOG_DOMAIN "facet"

#include "facet-engine-service.h"

#include "facet-engine-worker.h"

struct _FacetEngineService {
  GObject parent_instance;

  FacetEngineState state;
  gboolean         has_loaded;
  FacetLoaded      loaded;
  FacetLoadSpec   *spec; /* what was asked for last; NULL: nothing yet */
  guint64          last_id;
  guint64          load_job;
  guint            n_replies;
  GHashTable      *jobs; /* id -> FacetJob, those that still want events */

  FacetEventChannel *channel;
  FacetEngineWorker *worker;
};

enum {
  PROP_STATE = 1,
  PROP_LOADED,
  N_PROPS
};

enum {
  SIGNAL_LOADED,
  SIGNAL_LOAD_FAILED,
  SIGNAL_LOAD_PROGRESS,
  SIGNAL_NOTICE,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FacetEngineService, facet_engine_service, G_TYPE_OBJECT)

static void
set_state (FacetEngineService *self, FacetEngineState state)
{
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

static void
update_state (FacetEngineService *self)
{
  if (self->load_job != 0)
    set_state (self, FACET_ENGINE_LOADING);
  else if (!self->has_loaded)
    set_state (self, FACET_ENGINE_EMPTY);
  else
    set_state (self, self->n_replies > 0 ? FACET_ENGINE_ANSWERING : FACET_ENGINE_READY);
}

static void
clear_loaded (FacetEngineService *self)
{
  if (!self->has_loaded)
    return;
  facet_loaded_clear (&self->loaded);
  self->has_loaded = FALSE;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LOADED]);
}

static FacetJob *
push_job (FacetEngineService *self, FacetJobKind kind, FacetLoadSpec *spec, FacetRequest *request)
{
  FacetJob *job = facet_job_new (kind, ++self->last_id, spec, request);

  g_hash_table_insert (self->jobs, &job->id, job);
  facet_engine_worker_push (self->worker, job);
  return job;
}

static void
finish_load (FacetEngineService *self, FacetJob *job, FacetEvent *event)
{
  if (job->id != self->load_job)
    return; /* a later load took its place */

  self->load_job = 0;
  if (event->kind == FACET_EVENT_LOADED) {
    self->loaded = event->loaded;
    event->loaded = (FacetLoaded) { 0 };
    self->has_loaded = TRUE;
    update_state (self);
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LOADED]);
    g_signal_emit (self, signals[SIGNAL_LOADED], 0);
  } else {
    update_state (self);
    g_signal_emit (self, signals[SIGNAL_LOAD_FAILED], 0, event->error);
  }
}

static void
finish_reply (FacetEngineService *self, FacetJob *job, FacetEvent *event)
{
  FacetReplySummary empty = { .stop_reason = FACET_STOP_CANCELLED };
  gboolean stopped = g_error_matches (event->error, FACET_ERROR, FACET_ERROR_CANCELLED);

  if (job->events.done == NULL)
    return;
  /* stopped while it waited its turn: an empty answer, no failure */
  if (stopped)
    job->events.done (&empty, NULL, job->user_data);
  else
    job->events.done (event->error != NULL ? NULL : &event->summary, event->error, job->user_data);
}

/* Replies end first: the job queue would make a load wait for them. */
static void
stop_all (FacetEngineService *self)
{
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    facet_cancel (&((FacetJob *) job)->cancel);
}

static void
reload (FacetEngineService *self)
{
  stop_all (self);
  clear_loaded (self);
  self->load_job = push_job (self, FACET_JOB_LOAD, facet_load_spec_copy (self->spec), NULL)->id;
  update_state (self);
}

static void
finish_job (FacetEngineService *self, FacetJob *job, FacetEvent *event)
{
  g_hash_table_steal (self->jobs, &job->id);

  switch (job->kind) {
  case FACET_JOB_LOAD:
    finish_load (self, job, event);
    break;
  case FACET_JOB_REPLY:
    self->n_replies--;
    update_state (self);
    finish_reply (self, job, event);
    break;
  case FACET_JOB_COUNT:
    if (job->count_func != NULL)
      job->count_func (event->error != NULL ? -1 : event->tokens, event->cached, event->error, job->user_data);
    break;
  case FACET_JOB_QUIT:
  default:
    break;
  }
  if (job->kind != FACET_JOB_LOAD && self->load_job == 0 && g_error_matches (event->error, FACET_ERROR, FACET_ERROR_CHANGED))
    reload (self);
  facet_job_unref (job);
}

static void
deliver_event (FacetEvent *event, gpointer user_data)
{
  FacetEngineService *self = user_data;
  FacetJob *job = g_hash_table_lookup (self->jobs, &event->job);

  if (job == NULL)
    return;

  g_object_ref (self);
  switch (event->kind) {
  case FACET_EVENT_PROGRESS:
    if (job->kind == FACET_JOB_LOAD && job->id == self->load_job)
      g_signal_emit (self, signals[SIGNAL_LOAD_PROGRESS], 0,
                     event->total > 0 ? (double) event->done / (double) event->total : -1.0);
    else if (job->events.progress != NULL)
      job->events.progress (event->phase, event->done, event->total, job->user_data);
    break;
  case FACET_EVENT_TEXT:
    if (job->events.text != NULL)
      job->events.text (event->text->str, event->text->len, job->user_data);
    break;
  case FACET_EVENT_THOUGHT:
    if (job->events.thought != NULL)
      job->events.thought (event->text->str, event->text->len, job->user_data);
    break;
  case FACET_EVENT_NOTICE:
    g_signal_emit (self, signals[SIGNAL_NOTICE], 0, (int) event->notice);
    break;
  case FACET_EVENT_LOADED:
  case FACET_EVENT_COUNTED:
  case FACET_EVENT_DONE:
  case FACET_EVENT_FAILED:
  default:
    finish_job (self, job, event);
    break;
  }
  g_object_unref (self);
}

FacetEngineService *
facet_engine_service_new (const FacetEngineBackend *backend, gpointer config)
{
  FacetEngineService *self = g_object_new (FACET_TYPE_ENGINE_SERVICE, NULL);

  self->worker = facet_engine_worker_new (backend, config, self->channel);
  return self;
}

FacetEngineState
facet_engine_service_get_state (FacetEngineService *self)
{
  g_return_val_if_fail (FACET_IS_ENGINE_SERVICE (self), FACET_ENGINE_EMPTY);
  return self->state;
}

const FacetLoaded *
facet_engine_service_get_loaded (FacetEngineService *self)
{
  g_return_val_if_fail (FACET_IS_ENGINE_SERVICE (self), NULL);
  return self->has_loaded ? &self->loaded : NULL;
}

void
facet_engine_service_load (FacetEngineService *self, const FacetLoadSpec *spec)
{
  g_return_if_fail (FACET_IS_ENGINE_SERVICE (self));
  g_return_if_fail (spec != NULL && spec->path != NULL);

  g_clear_pointer (&self->spec, facet_load_spec_free);
  self->spec = facet_load_spec_copy (spec);
  reload (self);
}

guint64
facet_engine_service_reply (FacetEngineService     *self,
                            FacetRequest           *request,
                            const FacetReplyEvents *events,
                            gpointer                user_data)
{
  FacetJob *job;

  g_return_val_if_fail (FACET_IS_ENGINE_SERVICE (self), 0);
  g_return_val_if_fail (request != NULL && events != NULL, 0);

  job = push_job (self, FACET_JOB_REPLY, NULL, facet_request_ref (request));
  job->events = *events;
  job->user_data = user_data;
  self->n_replies++;
  update_state (self);
  return job->id;
}

guint64
facet_engine_service_count (FacetEngineService *self,
                            FacetRequest       *request,
                            FacetCountFunc      func,
                            gpointer            user_data)
{
  FacetJob *job;

  g_return_val_if_fail (FACET_IS_ENGINE_SERVICE (self), 0);
  g_return_val_if_fail (request != NULL, 0);

  job = push_job (self, FACET_JOB_COUNT, NULL, facet_request_ref (request));
  job->count_func = func;
  job->user_data = user_data;
  return job->id;
}

void
facet_engine_service_stop (FacetEngineService *self, guint64 id)
{
  FacetJob *job;

  g_return_if_fail (FACET_IS_ENGINE_SERVICE (self));
  job = g_hash_table_lookup (self->jobs, &id);
  if (job != NULL)
    facet_cancel (&job->cancel);
}

void
facet_engine_service_forget (FacetEngineService *self, guint64 id)
{
  FacetJob *job;

  g_return_if_fail (FACET_IS_ENGINE_SERVICE (self));
  job = g_hash_table_lookup (self->jobs, &id);
  if (job == NULL)
    return;

  /* the job itself stays until its end is known: the state depends on it */
  facet_cancel (&job->cancel);
  job->events = (FacetReplyEvents) { 0 };
  job->count_func = NULL;
  job->user_data = NULL;
}

static void
facet_engine_service_dispose (GObject *object)
{
  FacetEngineService *self = FACET_ENGINE_SERVICE (object);

  stop_all (self);
  g_clear_pointer (&self->worker, facet_engine_worker_free);
  g_clear_pointer (&self->channel, facet_event_channel_close);
  g_hash_table_remove_all (self->jobs);

  G_OBJECT_CLASS (facet_engine_service_parent_class)->dispose (object);
}

static void
facet_engine_service_finalize (GObject *object)
{
  FacetEngineService *self = FACET_ENGINE_SERVICE (object);

  g_hash_table_unref (self->jobs);
  g_clear_pointer (&self->spec, facet_load_spec_free);
  facet_loaded_clear (&self->loaded);

  G_OBJECT_CLASS (facet_engine_service_parent_class)->finalize (object);
}

static void
facet_engine_service_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetEngineService *self = FACET_ENGINE_SERVICE (object);

  switch (id) {
  case PROP_STATE:
    g_value_set_int (value, self->state);
    break;
  case PROP_LOADED:
    g_value_set_boolean (value, self->has_loaded);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_engine_service_class_init (FacetEngineServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = facet_engine_service_dispose;
  object_class->finalize = facet_engine_service_finalize;
  object_class->get_property = facet_engine_service_get_property;

  props[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, FACET_ENGINE_EMPTY, FACET_ENGINE_ANSWERING,
                                        FACET_ENGINE_EMPTY, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_LOADED] = g_param_spec_boolean ("loaded", NULL, NULL, FALSE,
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[SIGNAL_LOADED] = g_signal_new ("loaded", FACET_TYPE_ENGINE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_LOAD_FAILED] = g_signal_new ("load-failed", FACET_TYPE_ENGINE_SERVICE, G_SIGNAL_RUN_LAST, 0,
                                              NULL, NULL, NULL, G_TYPE_NONE, 1,
                                              G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
  signals[SIGNAL_LOAD_PROGRESS] = g_signal_new ("load-progress", FACET_TYPE_ENGINE_SERVICE, G_SIGNAL_RUN_LAST, 0,
                                                NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_DOUBLE);
  signals[SIGNAL_NOTICE] = g_signal_new ("notice", FACET_TYPE_ENGINE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
facet_engine_service_init (FacetEngineService *self)
{
  self->jobs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) facet_job_unref);
  self->channel = facet_event_channel_new (deliver_event, self);
}
