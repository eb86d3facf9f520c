/* gemma3-kit.h - the tiny Gemma 3 of the reference kit through the public interface
 *
 * Any fault aborts the test.
 */
#pragma once

#include "facet.h"
#include "npz.h"

#define GEMMA3_VOCAB 833

/* @text: a file of models/gemma3-tiny; @projector: one of models. */
FacetModel   *gemma3_model   (const char *text, const char *projector, gboolean exact);
/* @chunk: rows a step (0: as many as it takes). */
FacetSession *gemma3_session (FacetModel *model, int chunk);
/* expected/gemma3/@name.npz. */
Npz          *gemma3_values  (const char *name);

/* The rows of expected/gemma3/@name.npz, opened as @npz, with @pictures of the
 * kit's inputs in place of its placeholders, in that order; then @n_more ids. */
FacetPrompt  *gemma3_prompt  (Npz *npz, const char *const *pictures, const gint32 *more, int n_more);
/* Returns: (transfer full): float32 [1 or rows, GEMMA3_VOCAB] of the last row
 * or of @all. */
GArray       *gemma3_logits  (FacetSession *session, FacetPrompt *prompt, gboolean all);
