/* timeline.h - a prompt as rows: token ids and spans of soft tokens
 *
 * One row a token or soft token. Two timelines agree in a row if both hold
 * the same id there, or the same row of the same picture or sound (by content
 * hash).
 */
#pragma once

#include "chat/prompt.h"
#include "facet.h"

/* The rows of a picture see each other and belong into one step; those of a
 * sound see only what came before, like text. */
typedef struct {
  int        start, n; /* rows; of a timeline that was cut, the last ones may be missing */
  FacetMedia media;
} FacetSpan;

typedef struct {
  GArray *ids;   /* gint32, FACET_ID_MEDIA in every soft row */
  GArray *spans; /* FacetSpan, in order */
} FacetTimeline;

void facet_timeline_init  (FacetTimeline *timeline);
void facet_timeline_clear (FacetTimeline *timeline);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetTimeline, facet_timeline_clear)

/* Rows of @rendered; NO_ENCODER if @projector (NULL: none) cannot see or hear
 * what is in it, INVALID for a sound too long to be encoded. Where the family
 * gives every sound the same number of rows, the last id of the vocabulary of
 * @vocab fills what the sound does not, unless @rendered has media bare. */
gboolean facet_timeline_fill (FacetTimeline       *timeline,
                              const FacetRendered *rendered,
                              FacetProjector      *projector,
                              int                  vocab,
                              GError             **error);
/* Drops rows from @length on. */
void     facet_timeline_cut  (FacetTimeline *timeline, int length);
/* Appends rows from..to-1 of @other. */
void     facet_timeline_copy (FacetTimeline *timeline, const FacetTimeline *other, int from, int to);
/* Rows that both begin with. */
int      facet_timeline_common (const FacetTimeline *a, const FacetTimeline *b);
/* Parts of pictures shown beside the whole, and the rows they take. */
int      facet_timeline_crops (const FacetTimeline *timeline, int *rows);
/* The span that row @row belongs to, or NULL. */
const FacetSpan *facet_timeline_span (const FacetTimeline *timeline, int row);
