#define G_LOG_DOMAIN "facet"

#include "facet-engine-service.h"

#include "facet-event-channel.h"

typedef enum {
  JOB_LOAD,
  JOB_REPLY,
  JOB_COUNT,
  JOB_QUIT,
} JobKind;

/* The upper half is read by both threads and immutable but for the cancel
 * flag; the lower half belongs to the main thread. */
typedef struct {
  gatomicrefcount refs;
  JobKind         kind;
  guint64         id;
  FacetLoadSpec  *spec;
  FacetRequest   *request;
  FacetCancel     cancel;

  FacetReplyEvents events;
  FacetCountFunc   count_func;
  gpointer         user_data;
} Job;

struct _FacetEngineService {
  GObject parent_instance;

  FacetEngineState state;
  gboolean         has_loaded;
  FacetLoaded      loaded;
  guint64          last_id;
  guint64          load_job;
  guint            n_replies;
  GHashTable      *jobs; /* id -> Job, those that still want events */

  GThread           *thread;
  GAsyncQueue       *queue;
  FacetEventChannel *channel;

  /* only the engine thread */
  const FacetEngineBackend *backend;
  gpointer                  config;
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
job_unref (gpointer data)
{
  Job *job = data;

  if (!g_atomic_ref_count_dec (&job->refs))
    return;

  g_clear_pointer (&job->spec, facet_load_spec_free);
  g_clear_pointer (&job->request, facet_request_unref);
  g_free (job);
}

/* ---- the engine thread -------------------------------------------------- */

typedef struct {
  FacetEventChannel *channel;
  guint64            id;
} Sender;

static void
send_progress (FacetPhase phase, guint64 done, guint64 total, gpointer user_data)
{
  Sender *sender = user_data;
  FacetEvent *event = facet_event_new (FACET_EVENT_PROGRESS, sender->id);

  event->phase = phase;
  event->done = done;
  event->total = total;
  facet_event_channel_post (sender->channel, event);
}

static void
send_words (Sender *sender, FacetEventKind kind, const char *text, gsize length)
{
  FacetEvent *event = facet_event_new (kind, sender->id);

  event->text = g_string_new_len (text, length);
  facet_event_channel_post (sender->channel, event);
}

static void
send_text (const char *text, gsize length, gpointer user_data)
{
  send_words (user_data, FACET_EVENT_TEXT, text, length);
}

static void
send_thought (const char *text, gsize length, gpointer user_data)
{
  send_words (user_data, FACET_EVENT_THOUGHT, text, length);
}

/* Before the job's last event, which forgets it. */
static void
send_notice (FacetEngineService *self, gpointer engine, Sender *sender)
{
  FacetNotice notice = self->backend->take_notice (engine);
  FacetEvent *event;

  if (notice == FACET_NOTICE_NONE)
    return;
  event = facet_event_new (FACET_EVENT_NOTICE, sender->id);
  event->notice = notice;
  facet_event_channel_post (sender->channel, event);
}

static FacetEvent *
run_load (FacetEngineService *self, gpointer engine, Job *job, Sender *sender, GError **error)
{
  FacetLoaded loaded = { 0 };
  FacetEvent *event;

  if (!self->backend->load (engine, job->spec, &job->cancel, send_progress, sender, &loaded, error)) {
    facet_loaded_clear (&loaded);
    return NULL;
  }
  event = facet_event_new (FACET_EVENT_LOADED, job->id);
  event->loaded = loaded;
  return event;
}

static FacetEvent *
run_reply (FacetEngineService *self, gpointer engine, Job *job, Sender *sender, GError **error)
{
  FacetReplyParams params = {
    .sampling = job->request->sampling,
    .max_tokens = job->request->max_tokens,
    .on_text = send_text,
    .on_thought = send_thought,
    .on_progress = send_progress,
    .user_data = sender,
    .cancel = &job->cancel,
  };
  g_auto (FacetReplySummary) summary = { 0 };
  FacetEvent *event;

  if (!self->backend->reply (engine, job->request, &params, &summary, error))
    return NULL;
  event = facet_event_new (FACET_EVENT_DONE, job->id);
  event->summary = summary;
  summary.calls = NULL;
  return event;
}

static FacetEvent *
run_count (FacetEngineService *self, gpointer engine, Job *job, GError **error)
{
  int cached = 0;
  int tokens = self->backend->count (engine, job->request, &cached, error);
  FacetEvent *event;

  if (tokens < 0)
    return NULL;
  event = facet_event_new (FACET_EVENT_COUNTED, job->id);
  event->tokens = tokens;
  event->cached = cached;
  return event;
}

static void
run_job (FacetEngineService *self, gpointer engine, Job *job)
{
  Sender sender = { self->channel, job->id };
  g_autoptr (GError) error = NULL;
  FacetEvent *event = NULL;

  if (facet_is_cancelled (&job->cancel)) {
    g_set_error_literal (&error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled before it began");
  } else {
    switch (job->kind) {
    case JOB_LOAD:
      event = run_load (self, engine, job, &sender, &error);
      break;
    case JOB_REPLY:
      event = run_reply (self, engine, job, &sender, &error);
      break;
    case JOB_COUNT:
      event = run_count (self, engine, job, &error);
      break;
    case JOB_QUIT:
    default:
      g_assert_not_reached ();
    }
    send_notice (self, engine, &sender);
  }

  if (event == NULL) {
    event = facet_event_new (FACET_EVENT_FAILED, job->id);
    event->error = g_steal_pointer (&error);
  }
  facet_event_channel_post (self->channel, event);
}

/* The service joins this thread before it goes, so self outlives the thread. */
static gpointer
engine_thread (gpointer data)
{
  FacetEngineService *self = data;
  gpointer engine = self->backend->create (self->config);
  gboolean quit = FALSE;

  while (!quit) {
    Job *job = g_async_queue_pop (self->queue);

    quit = job->kind == JOB_QUIT;
    if (!quit)
      run_job (self, engine, job);
    job_unref (job);
  }
  self->backend->destroy (engine);
  return NULL;
}

/* ---- the main thread ---------------------------------------------------- */

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

static Job *
push_job (FacetEngineService *self, JobKind kind, FacetLoadSpec *spec, FacetRequest *request)
{
  Job *job = g_new0 (Job, 1);

  g_atomic_ref_count_init (&job->refs);
  job->kind = kind;
  job->id = ++self->last_id;
  job->spec = spec;
  job->request = request;
  g_hash_table_insert (self->jobs, &job->id, job);
  g_atomic_ref_count_inc (&job->refs);
  g_async_queue_push (self->queue, job);
  return job;
}

static void
finish_load (FacetEngineService *self, Job *job, FacetEvent *event)
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
finish_reply (FacetEngineService *self, Job *job, FacetEvent *event)
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

static void
finish_job (FacetEngineService *self, Job *job, FacetEvent *event)
{
  g_hash_table_steal (self->jobs, &job->id);

  switch (job->kind) {
  case JOB_LOAD:
    finish_load (self, job, event);
    break;
  case JOB_REPLY:
    self->n_replies--;
    update_state (self);
    finish_reply (self, job, event);
    break;
  case JOB_COUNT:
    if (job->count_func != NULL)
      job->count_func (event->error != NULL ? -1 : event->tokens, event->cached, event->error, job->user_data);
    break;
  case JOB_QUIT:
  default:
    break;
  }
  job_unref (job);
}

static void
deliver_event (FacetEvent *event, gpointer user_data)
{
  FacetEngineService *self = user_data;
  Job *job = g_hash_table_lookup (self->jobs, &event->job);

  if (job == NULL)
    return;

  g_object_ref (self);
  switch (event->kind) {
  case FACET_EVENT_PROGRESS:
    if (job->kind == JOB_LOAD && job->id == self->load_job)
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

  self->backend = backend;
  self->config = config;
  self->thread = g_thread_new ("facet-engine", engine_thread, self);
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

/* Replies end first: the job queue would make a load wait for them. */
static void
stop_all (FacetEngineService *self)
{
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    facet_cancel (&((Job *) job)->cancel);
}

void
facet_engine_service_load (FacetEngineService *self, const FacetLoadSpec *spec)
{
  g_return_if_fail (FACET_IS_ENGINE_SERVICE (self));
  g_return_if_fail (spec != NULL && spec->path != NULL);

  stop_all (self);
  clear_loaded (self);
  self->load_job = push_job (self, JOB_LOAD, facet_load_spec_copy (spec), NULL)->id;
  update_state (self);
}

guint64
facet_engine_service_reply (FacetEngineService     *self,
                            FacetRequest           *request,
                            const FacetReplyEvents *events,
                            gpointer                user_data)
{
  Job *job;

  g_return_val_if_fail (FACET_IS_ENGINE_SERVICE (self), 0);
  g_return_val_if_fail (request != NULL && events != NULL, 0);

  job = push_job (self, JOB_REPLY, NULL, facet_request_ref (request));
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
  Job *job;

  g_return_val_if_fail (FACET_IS_ENGINE_SERVICE (self), 0);
  g_return_val_if_fail (request != NULL, 0);

  job = push_job (self, JOB_COUNT, NULL, facet_request_ref (request));
  job->count_func = func;
  job->user_data = user_data;
  return job->id;
}

void
facet_engine_service_stop (FacetEngineService *self, guint64 id)
{
  Job *job;

  g_return_if_fail (FACET_IS_ENGINE_SERVICE (self));
  job = g_hash_table_lookup (self->jobs, &id);
  if (job != NULL)
    facet_cancel (&job->cancel);
}

void
facet_engine_service_forget (FacetEngineService *self, guint64 id)
{
  Job *job;

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

  if (self->thread != NULL) {
    stop_all (self);
    push_job (self, JOB_QUIT, NULL, NULL);
    g_thread_join (g_steal_pointer (&self->thread));
  }
  g_clear_pointer (&self->channel, facet_event_channel_close);
  g_hash_table_remove_all (self->jobs);

  G_OBJECT_CLASS (facet_engine_service_parent_class)->dispose (object);
}

static void
facet_engine_service_finalize (GObject *object)
{
  FacetEngineService *self = FACET_ENGINE_SERVICE (object);

  g_hash_table_unref (self->jobs);
  g_async_queue_unref (self->queue);
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
  self->jobs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, job_unref);
  self->queue = g_async_queue_new ();
  self->channel = facet_event_channel_new (deliver_event, self);
}
