#define G_LOG_DOMAIN "facet"

#include "facet-engine-worker.h"

struct FacetEngineWorker {
  GThread           *thread;
  GAsyncQueue       *queue;
  FacetEventChannel *channel;

  /* only the engine thread */
  const FacetEngineBackend *backend;
  gpointer                  config;
};

FacetJob *
facet_job_new (FacetJobKind kind, guint64 id, FacetLoadSpec *spec, FacetRequest *request)
{
  FacetJob *job = g_new0 (FacetJob, 1);

  g_atomic_ref_count_init (&job->refs);
  job->kind = kind;
  job->id = id;
  job->spec = spec;
  job->request = request;
  return job;
}

void
facet_job_unref (FacetJob *job)
{
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
send_notice (FacetEngineWorker *self, gpointer engine, Sender *sender)
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
run_load (FacetEngineWorker *self, gpointer engine, FacetJob *job, Sender *sender, GError **error)
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
run_reply (FacetEngineWorker *self, gpointer engine, FacetJob *job, Sender *sender, GError **error)
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
run_count (FacetEngineWorker *self, gpointer engine, FacetJob *job, GError **error)
{
  int cached = 0;
  int tokens = self->backend->count (engine, job->request, &job->cancel, &cached, error);
  FacetEvent *event;

  if (tokens < 0)
    return NULL;
  event = facet_event_new (FACET_EVENT_COUNTED, job->id);
  event->tokens = tokens;
  event->cached = cached;
  return event;
}

static void
run_job (FacetEngineWorker *self, gpointer engine, FacetJob *job)
{
  Sender sender = { self->channel, job->id };
  g_autoptr (GError) error = NULL;
  FacetEvent *event = NULL;

  if (facet_is_cancelled (&job->cancel)) {
    g_set_error_literal (&error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled before it began");
  } else {
    switch (job->kind) {
    case FACET_JOB_LOAD:
      event = run_load (self, engine, job, &sender, &error);
      break;
    case FACET_JOB_REPLY:
      event = run_reply (self, engine, job, &sender, &error);
      break;
    case FACET_JOB_COUNT:
      event = run_count (self, engine, job, &error);
      break;
    case FACET_JOB_QUIT:
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

/* The worker is freed after this thread was joined. */
static gpointer
engine_thread (gpointer data)
{
  FacetEngineWorker *self = data;
  gpointer engine = self->backend->create (self->config);
  gboolean quit = FALSE;

  while (!quit) {
    FacetJob *job = g_async_queue_pop (self->queue);

    quit = job->kind == FACET_JOB_QUIT;
    if (!quit)
      run_job (self, engine, job);
    facet_job_unref (job);
  }
  self->backend->destroy (engine);
  return NULL;
}

/* ---- the main thread ---------------------------------------------------- */

FacetEngineWorker *
facet_engine_worker_new (const FacetEngineBackend *backend, gpointer config, FacetEventChannel *channel)
{
  FacetEngineWorker *self = g_new0 (FacetEngineWorker, 1);

  self->backend = backend;
  self->config = config;
  self->channel = channel;
  self->queue = g_async_queue_new ();
  self->thread = g_thread_new ("facet-engine", engine_thread, self);
  return self;
}

void
facet_engine_worker_push (FacetEngineWorker *self, FacetJob *job)
{
  g_atomic_ref_count_inc (&job->refs);
  g_async_queue_push (self->queue, job);
}

void
facet_engine_worker_free (FacetEngineWorker *self)
{
  g_async_queue_push (self->queue, facet_job_new (FACET_JOB_QUIT, 0, NULL, NULL));
  g_thread_join (self->thread);
  g_async_queue_unref (self->queue);
  g_free (self);
}
