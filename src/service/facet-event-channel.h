/* facet-event-channel.h - events from the engine thread to the main thread
 *
 * One queue and one persistent GSource. The source becomes ready at most once
 * per frame, however many tokens arrive in between; text of one job that
 * arrives within a frame is delivered in one piece.
 *
 * Thread-safety: post may be called from any thread; new and close belong to
 * the thread that owns the default main context, where events are delivered.
 */
#pragma once

#include "facet-engine-backend.h"

G_BEGIN_DECLS

typedef enum {
  FACET_EVENT_LOADED,
  FACET_EVENT_PROGRESS,
  FACET_EVENT_TEXT,
  FACET_EVENT_THOUGHT,
  FACET_EVENT_NOTICE,
  FACET_EVENT_COUNTED,
  FACET_EVENT_DONE,
  FACET_EVENT_FAILED,
} FacetEventKind;

typedef struct {
  FacetEventKind    kind;
  guint64           job;
  FacetLoaded       loaded;  /* LOADED */
  FacetPhase        phase;   /* PROGRESS */
  guint64           done;
  guint64           total;
  GString          *text;    /* TEXT, THOUGHT */
  FacetNotice       notice;  /* NOTICE */
  int               tokens;  /* COUNTED */
  int               cached;
  FacetReplySummary summary; /* DONE */
  GError           *error;   /* FAILED */
} FacetEvent;

FacetEvent *facet_event_new  (FacetEventKind kind, guint64 job);
void        facet_event_free (FacetEvent *event);

typedef struct FacetEventChannel FacetEventChannel;

/* @event is owned by the channel and lives until the function returns. */
typedef void (*FacetEventFunc) (FacetEvent *event, gpointer user_data);

FacetEventChannel *facet_event_channel_new   (FacetEventFunc func, gpointer user_data);

/* Nothing is delivered any more; the posting thread must have ended. */
void               facet_event_channel_close (FacetEventChannel *channel);

/* Takes @event. */
void               facet_event_channel_post  (FacetEventChannel *channel, FacetEvent *event);

G_END_DECLS
