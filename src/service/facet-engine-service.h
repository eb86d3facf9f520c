/* facet-engine-service.h - the engine thread as an object of the main thread
 *
 * One thread for the life of the service owns model and session. Jobs go in
 * through a queue and are worked off in order; their events come back on the
 * main thread, at most once per frame.
 *
 * Every job has an id that is never used twice. Events of a job that was
 * forgotten, or whose service is gone, are dropped.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <glib-object.h>

#include "facet-engine-backend.h"

G_BEGIN_DECLS

typedef enum {
  FACET_ENGINE_EMPTY,     /* nothing loaded */
  FACET_ENGINE_LOADING,
  FACET_ENGINE_READY,
  FACET_ENGINE_ANSWERING,
} FacetEngineState;

/* Signal "notice" (int, a FacetNotice): what happened to the backend that the
 * person should know of, once. */
#define FACET_TYPE_ENGINE_SERVICE (facet_engine_service_get_type ())
G_DECLARE_FINAL_TYPE (FacetEngineService, facet_engine_service, FACET, ENGINE_SERVICE, GObject)

/* @config is handed to the backend's create(). */
FacetEngineService *facet_engine_service_new        (const FacetEngineBackend *backend, gpointer config);

/* Property "state" (int, a FacetEngineState). */
FacetEngineState    facet_engine_service_get_state  (FacetEngineService *self);

/* What is loaded, NULL while EMPTY or LOADING. Property "loaded" notifies. */
const FacetLoaded  *facet_engine_service_get_loaded (FacetEngineService *self);

/* Loads in place of what is loaded. The result arrives as signal "loaded"
 * (no argument) or "load-failed" (const GError *), progress as signal
 * "load-progress" (double: 0..1, -1 when unknown). A load that is asked for
 * while another runs cancels that one. A model whose file changed under it is
 * loaded again by itself, after the job that found out has failed. */
void                facet_engine_service_load       (FacetEngineService *self, const FacetLoadSpec *spec);

/* Callbacks of a reply; any may be NULL. @done comes last and exactly once
 * unless the job was forgotten: @summary is NULL exactly when @error is set. */
typedef struct {
  void (*text)     (const char *text, gsize length, gpointer user_data);
  void (*thought)  (const char *text, gsize length, gpointer user_data); /* never part of the text */
  void (*progress) (FacetPhase phase, guint64 done, guint64 total, gpointer user_data);
  void (*done)     (const FacetReplySummary *summary, const GError *error, gpointer user_data);
} FacetReplyEvents;

guint64 facet_engine_service_reply (FacetEngineService     *self,
                                    FacetRequest           *request,
                                    const FacetReplyEvents *events,
                                    gpointer                user_data);

/* @tokens is -1 exactly when @error is set. */
typedef void (*FacetCountFunc) (int tokens, int cached, const GError *error, gpointer user_data);

guint64 facet_engine_service_count  (FacetEngineService *self,
                                     FacetRequest       *request,
                                     FacetCountFunc      func,
                                     gpointer            user_data);

/* Asks the job to end early. A reply keeps its text so far. */
void    facet_engine_service_stop   (FacetEngineService *self, guint64 job);

/* Stops the job and drops its events from now on. */
void    facet_engine_service_forget (FacetEngineService *self, guint64 job);

G_END_DECLS
