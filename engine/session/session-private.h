/* session-private.h - what the parts of a session share */
#pragma once

#include "session/model.h"
#include "session/timeline.h"

/* A graph and its plan. */
typedef struct {
  FacetGraph *graph;
  FacetPlan  *plan;
} FacetRun;

typedef enum {
  FACET_RUN_DECODE,  /* one row */
  FACET_RUN_PREFILL, /* max_step rows, logits of one */
  FACET_RUN_ALL,     /* all_step rows, logits of all */
  FACET_N_RUNS,
} FacetRunKind;

struct FacetSession {
  FacetModel    *model;
  FacetBackend  *backend;  /* the model's when the cache was made; plans and cache belong to it */
  FacetKvType    kv_type;
  int            context;
  int            max_step, all_step;
  FacetKv       *kv;
  FacetRun       runs[FACET_N_RUNS];
  FacetTimeline  held;     /* rows in the cache */
  int            written;  /* highest row ever written since the last reset, + 1 */
  float         *logits;   /* [vocab] of the last row computed, once they are read */
  FacetRun      *away;     /* whose result they still are, on a device; NULL: they are read */
  FacetBest      best[FACET_N_BEST]; /* if away: the largest */
  int            n_best;
  const FacetSessionParams *watch; /* while the session is made: who is told and who may cancel */
  FacetLayerFunc on_layer;
  gpointer       layer_data;
};

void     facet_session_drop_runs    (FacetSession *session);
/* The plan of that kind, compiled when first asked for. */
FacetRun *facet_session_get_run     (FacetSession *session, FacetRunKind kind, GError **error);
/* Makes a cache on the model's backend, if the session has none there. */
gboolean facet_session_take_backend (FacetSession *session, GError **error);
/* The cache, and on a device the plans that every answer needs. */
gboolean facet_session_prepare      (FacetSession *session, GError **error);
/* Whoever makes the session hears of what @backend compiles between the two, and may cancel it. */
void     facet_session_watch        (FacetSession *session, FacetBackend *backend);
void     facet_session_unwatch      (FacetBackend *backend);
/* Where device and processor share memory: who computes what from now on.
 * @changed: not what the present cache was made for. */
gboolean facet_session_race         (FacetSession *session, gboolean *changed, GError **error);
/* After @failure of a run: moves to another backend, with an empty cache; or
 * sets @error, which may be @failure itself. Clears @failure. */
gboolean facet_session_recover      (FacetSession *session, GError **failure, GError **error);

/* Called with float32 [n, vocab] of rows first .. first + n - 1. */
typedef void (*FacetRowsFunc) (int first, int n, const float *logits, gpointer user_data);

/* Renders @prompt into rows; CONTEXT_FULL if it does not leave room for one
 * more. */
gboolean facet_session_lay_out (FacetSession *session, FacetPrompt *prompt, FacetTimeline *timeline, FacetRendered *rendered, GError **error);
/* Rows of @timeline that need not be computed again; at least one remains. */
int      facet_session_reusable (FacetSession *session, const FacetTimeline *timeline, gboolean all);
/* Computes what is missing and the logits of the last row. With @on_rows, every
 * row is computed and handed over. */
gboolean facet_session_sync (FacetSession        *session,
                             const FacetTimeline *timeline,
                             FacetRowsFunc        on_rows,
                             gpointer             rows_data,
                             FacetProgress        on_progress,
                             gpointer             progress_data,
                             FacetCancel         *cancel,
                             GError             **error);
/* Appends one token and computes its logits. @whole: all of them are wanted in any
 * case. */
gboolean facet_session_step (FacetSession *session, gint32 id, gboolean whole, FacetCancel *cancel, GError **error);
/* Brings the last row's logits to session->logits if they are away. */
gboolean facet_session_read_logits (FacetSession *session, FacetCancel *cancel, GError **error);
