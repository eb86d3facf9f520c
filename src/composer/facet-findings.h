/* facet-findings.h - what a file turns out to be
 *
 * Thread-safety: safe; a value of one thread at a time.
 */
#pragma once

#include "facet.h"
#include "store/facet-store.h"

G_BEGIN_DECLS

#define FACET_FINDINGS_PEAKS 240

typedef struct {
  FacetAttachmentKind kind;
  GBytes             *bytes;     /* as they will be stored */
  char               *mime;
  char               *details;   /* "640 × 480 · 1.2 MB" */
  FacetImage         *thumbnail; /* of a picture */
  double              seconds;   /* of a sound */
  float              *peaks;     /* of a sound: [FACET_FINDINGS_PEAKS] */
} FacetFindings;

/* Tells by the content what @bytes are and decodes them; takes as long as that
 * takes. Errors are translated sentences.
 * Returns: (transfer full) */
FacetFindings *facet_findings_new  (GBytes *bytes, GError **error);
void           facet_findings_free (FacetFindings *findings);

G_END_DECLS
