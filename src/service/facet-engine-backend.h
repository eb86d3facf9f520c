/* facet-engine-backend.h - the few calls that the service makes of an engine
 *
 * facet_engine_backend_native answers them with the engine itself; the UI
 * tests answer them from a script.
 *
 * Thread-safety: every function is called in the service's engine thread, one
 * at a time, create() first and destroy() last.
 */
#pragma once

#include "facet-request.h"

G_BEGIN_DECLS

/* What to load. Plain copies, owned. */
typedef struct {
  char            *path;
  char            *projector; /* NULL: none */
  FacetBackendKind backend;
  char            *device;    /* id of a graphics device (facet-machine.h); "" or NULL: the engine's choice */
  int              threads;   /* 0: the engine's choice */
  int              context;   /* tokens; 0: the engine's choice */
  FacetKvType      kv_type;
} FacetLoadSpec;

FacetLoadSpec *facet_load_spec_copy (const FacetLoadSpec *spec);
void           facet_load_spec_free (FacetLoadSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetLoadSpec, facet_load_spec_free)

/* What was loaded. Strings are owned. */
typedef struct {
  char    *path;
  char    *name;
  char    *quantization;
  char    *backend; /* e.g. "cpu (avx512)" */
  char    *missing_device; /* the graphics device that was asked for but is not there; NULL: none */
  guint64  parameters;
  int      context; /* tokens */
  int      most_context; /* what the model was made for */
  gboolean sees;
  gboolean hears;
  gboolean thinks; /* before it answers, if a request wants that */
  gboolean judges; /* pictures by policies, and does nothing else: a safety model */
} FacetLoaded;

void facet_loaded_clear (FacetLoaded *loaded);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetLoaded, facet_loaded_clear)

/* How a reply ended. Its text came through on_text, its thoughts through
 * on_thought. */
typedef struct {
  FacetStopReason stop_reason;
  FacetStats      stats;
  GPtrArray      *calls; /* FacetCall, to be answered before the model goes on; NULL or empty: none */
} FacetReplySummary;

void facet_reply_summary_clear (FacetReplySummary *summary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetReplySummary, facet_reply_summary_clear)

typedef struct {
  gpointer (*create)  (gpointer config);
  void     (*destroy) (gpointer self);

  /* Fills @loaded. What was loaded before is gone, also on failure. */
  gboolean (*load)    (gpointer             self,
                       const FacetLoadSpec *spec,
                       FacetCancel         *cancel,
                       FacetProgress        progress,
                       gpointer             user_data,
                       FacetLoaded         *loaded,
                       GError             **error);

  /* Tokens of @request, -1 on error. */
  int      (*count)   (gpointer self, const FacetRequest *request, FacetCancel *cancel, int *cached, GError **error);

  /* As facet_session_reply(); @params carries callbacks and cancel, the
   * request the rest. */
  gboolean (*reply)   (gpointer                self,
                       const FacetRequest     *request,
                       const FacetReplyParams *params,
                       FacetReplySummary      *summary,
                       GError                **error);

  /* As facet_model_take_notice(); asked after each of the above. */
  FacetNotice (*take_notice) (gpointer self);
} FacetEngineBackend;

extern const FacetEngineBackend facet_engine_backend_native;

G_END_DECLS
