/* facet-summariser.h - texts of any length, summarised
 *
 * A text that fits the context is put to the model as it is. A longer one is
 * cut at ends of paragraphs, sentences or words into parts that fit; the model
 * notes the main points of each, in at most a quarter of the part's tokens,
 * and the notes take the text's place, as often as need be.
 *
 * Knows nothing of GTK: both programs share it. Thread-safety: all of a call
 * happens in the calling thread.
 */
#pragma once

#include "facet-transcriber.h"

G_BEGIN_DECLS

typedef struct {
  const char         *before, *after; /* the words around the text: what is asked for */
  FacetSampling       sampling;
  int                 max_tokens;     /* of the summary; 0: what the context leaves */
  int                 context;        /* tokens that a prompt and its answer have room for */
  FacetTextFunc       on_text;        /* of the summary as it comes; NULL: none */
  FacetProgress       on_progress;    /* NULL: none */
  gpointer            user_data;
  FacetCancel        *cancel;
} FacetSummariseParams;

typedef struct {
  char           *text;        /* "" if it was stopped before */
  guint           parts;       /* that notes were made of; 0: the text fitted */
  FacetStopReason stop_reason; /* of the summary; CANCELLED: of any answer */
  FacetStats      stats;       /* of all prompts */
} FacetSummary;

void     facet_summary_clear (FacetSummary *summary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetSummary, facet_summary_clear)

/* @text: UTF-8, not blank. CONTEXT_FULL if the words around it leave no room.
 * Cancelling is no error. */
gboolean facet_summarise     (const FacetListener        *listener,
                              const char                 *text,
                              const FacetSummariseParams *params,
                              FacetSummary               *summary,
                              GError                    **error);

G_END_DECLS
