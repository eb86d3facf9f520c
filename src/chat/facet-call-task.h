/* facet-call-task.h - a call of a tool, run in a thread of its own
 *
 * Thread-safety: main thread only; the callback comes there.
 */
#pragma once

#include "facet-toolbox.h"

G_BEGIN_DECLS

typedef struct FacetCallTask FacetCallTask;

/* Exactly one of @result and @error is set. The task is gone afterwards. */
typedef void (*FacetCallDone) (const char *result, const GError *error, gpointer user_data);

FacetCallTask *facet_call_task_start (FacetToolbox *toolbox,
                                      const char   *tool,
                                      const char   *arguments,
                                      FacetCallDone done,
                                      gpointer      user_data);

/* Ends the call early; @done is not called. */
void           facet_call_task_drop  (FacetCallTask *task);

/* Waits until the calls that were dropped have ended, some seconds at most:
 * no command outlives the program. Their threads react within a tenth of a
 * second. */
void           facet_call_task_wait_all (void);

G_END_DECLS
