/* spm-shim.h - libsentencepiece behind a C interface
 *
 * The only C++ of the project. Thread-safety: immutable after opening.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct FacetSpm FacetSpm;

/* @proto: a serialised sentencepiece.ModelProto. On failure NULL, and
 * @message (transfer full) says why. */
FacetSpm *facet_spm_new    (const guint8 *proto, gsize length, char **message);
void      facet_spm_free   (FacetSpm *spm);

/* Appends gint32 ids. @text must be valid UTF-8. */
void      facet_spm_encode (FacetSpm *spm, const char *text, gsize length, GArray *ids);

G_END_DECLS
