/* answer.h - an answer as its tokens come
 *
 * Tells thoughts, text and calls of tools apart and holds text back until it
 * is whole UTF-8 and no stop string or start of a call any more.
 *
 * Thoughts: what stands between Gemma 4's <|channel> and <channel|>, without
 * the channel's name. They are not part of the text.
 *
 * Calls: only if tools are offered. In Gemma 4's form they stand between its
 * own tokens. In the others one begins with {"function_name" or
 * FUNCTION_CALL: at the start of a line, perhaps in a code fence; after a
 * call nothing but calls may follow, anything else ends the answer. While a
 * call is open, facet_answer_mask() leaves only tokens that keep it well
 * formed.
 *
 * Belongs to one thread.
 */
#pragma once

#include "chat/prompt.h"

typedef struct FacetAnswer FacetAnswer;

/* All outlive the answer. INVALID if two tools have one name. */
FacetAnswer *facet_answer_new  (FacetTokenizer         *tokenizer,
                                const FacetPrompt      *prompt,
                                const FacetRendered    *rendered,
                                const FacetReplyParams *params,
                                GError                **error);
void         facet_answer_free (FacetAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetAnswer, facet_answer_free)

/* Whether a call has begun and not ended, or must begin now. */
gboolean     facet_answer_is_bound (const FacetAnswer *answer);
/* Puts -infinity to the logits of tokens that would not go on with the call.
 * UNSUPPORTED if none is left. */
gboolean     facet_answer_mask     (FacetAnswer *answer, float *logits, int n, GError **error);
/* Whether @id may come next and an open call could then still be closed
 * within @left tokens, counted from @id on. */
gboolean     facet_answer_allows   (FacetAnswer *answer, gint32 id, guint left);
/* Whether the call cannot be closed any more within @left tokens. */
gboolean     facet_answer_is_late   (const FacetAnswer *answer, guint left);
/* From now on only the shortest way to the end of the call is open. */
void         facet_answer_hurry    (FacetAnswer *answer);

/* TRUE: the answer is over. */
gboolean     facet_answer_take     (FacetAnswer *answer, gint32 id);
/* Lets go of what was held back. */
void         facet_answer_end      (FacetAnswer *answer);

/* Moves text, thoughts and calls to @reply. */
void         facet_answer_finish   (FacetAnswer *answer, FacetReply *reply);
