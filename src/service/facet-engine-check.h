/* facet-engine-check.h - pictures judged by policies, for the engine thread
 *
 * A safety model is asked about each picture of the request's last turn and
 * each of its policies; every verdict is a line of the answer, a sentence in
 * the person's language with the probability that the policy is violated.
 *
 * Thread-safety: the engine thread only.
 */
#pragma once

#include "facet-engine-work.h"

G_BEGIN_DECLS

/* Stopping is no error: the verdicts so far stand. UNSUPPORTED: not a safety
 * model; INVALID: no picture or no policy. */
gboolean facet_engine_check (const FacetEngineWork *work, GError **error);

/* Tokens of all the prompts that a check consists of; @work without params and
 * summary. Returns -1 with @error set on failure. */
int      facet_engine_check_count (const FacetEngineWork *work, FacetCancel *cancel, GError **error);

/* A plain sentence on @title, such as “Violence and gore: unlikely (3 %)”.
 * @probability: of a violation. Returns: (transfer full) */
char    *facet_verdict_text (const char *title, double probability);

G_END_DECLS
