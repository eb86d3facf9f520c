/* facet-engine-worker.h - the engine thread behind a queue of jobs
 *
 * The thread alone calls the backend. Jobs are worked off in order; what comes
 * of them goes into the channel, last of all one of LOADED, COUNTED, DONE and
 * FAILED.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include "facet-engine-service.h"
#include "facet-event-channel.h"

G_BEGIN_DECLS

typedef enum {
  FACET_JOB_LOAD,
  FACET_JOB_REPLY,
  FACET_JOB_COUNT,
  FACET_JOB_QUIT,
} FacetJobKind;

/* The upper half is read by both threads and immutable but for the cancel
 * flag; the lower half belongs to the main thread. */
typedef struct {
  gatomicrefcount refs;
  FacetJobKind    kind;
  guint64         id;
  FacetLoadSpec  *spec;    /* LOAD */
  FacetRequest   *request; /* REPLY, COUNT */
  FacetCancel     cancel;

  FacetReplyEvents events;
  FacetCountFunc   count_func;
  gpointer         user_data;
} FacetJob;

/* Takes @spec and @request, which may be NULL. */
FacetJob *facet_job_new   (FacetJobKind kind, guint64 id, FacetLoadSpec *spec, FacetRequest *request);
void      facet_job_unref (FacetJob *job);

typedef struct FacetEngineWorker FacetEngineWorker;

/* @channel outlives the worker. */
FacetEngineWorker *facet_engine_worker_new  (const FacetEngineBackend *backend, gpointer config, FacetEventChannel *channel);

/* Keeps a reference of @job until it was worked off. */
void               facet_engine_worker_push (FacetEngineWorker *self, FacetJob *job);

/* Waits for the jobs that were pushed, then for the thread. */
void               facet_engine_worker_free (FacetEngineWorker *self);

G_END_DECLS
