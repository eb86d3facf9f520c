/* facet-error-text.h - the engine's errors as sentences for people */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

/* Returns: (transfer none): a translated sentence that says what happened and
 * what can be done. The error's own message is for the log. */
const char *facet_error_text  (const GError *error);

/* The same for what happened to the backend; NULL for NONE. */
const char *facet_notice_text (FacetNotice notice);

G_END_DECLS
