/* answer-private.h - what the sources of answers share */
#pragma once

#include "chat/answer.h"
#include "tools/call.h"

typedef enum {
  FACET_ANSWER_TEXT,
  FACET_ANSWER_THOUGHT,
  FACET_ANSWER_CALL,
} FacetAnswerPart;

/* Tokens with a meaning of their own; -1 where the vocabulary lacks one. */
typedef struct {
  gint32 thought, thought_end, call, call_end, quote;
} FacetAnswerMarks;

struct FacetAnswer {
  FacetTokenizer         *tokenizer;
  const FacetReplyParams *params;
  const FacetRendered    *rendered;
  FacetAnswerMarks        marks;
  gboolean                thinking;
  gboolean                required; /* the answer is a call */
  FacetToolSet            tools;    /* names NULL: none are offered */

  FacetAnswerPart         part;
  GString                *pending;  /* held back; of text or thoughts */
  gboolean                at_line;  /* what is pending starts a line */
  gboolean                named;    /* the channel's name is over */
  gboolean                in_fence; /* the last call stood in a code fence that is not closed */
  GString                *text, *thoughts;
  GPtrArray              *calls;    /* FacetCall */
  FacetGrammar            grammar;  /* of the open call */
  GString                *arguments;
};

/* What begins at the start of a line. */
typedef enum {
  FACET_START_NONE,
  FACET_START_MAYBE, /* cannot be told yet */
  FACET_START_CALL,
} FacetStart;

/* @begin: where the call itself begins, @fence: whether a code fence is opened before. */
FacetStart facet_answer_match_start (FacetCallForm form, const char *text, gsize length, gsize *begin, gboolean *fence);

void       facet_answer_open_call (FacetAnswer *answer);
/* Feeds the bytes of a token to an open call, up to the call's end; -1 if
 * they are refused, else how many were taken. */
gssize     facet_answer_feed (FacetAnswer *answer, FacetGrammar *grammar, gint32 id, GString *json);
/* If the text became a call with these bytes, sets @whole (transfer full) to
 * what would then be pending and returns where the call begins in it. */
gsize      facet_answer_call_in (FacetAnswer *answer, const char *bytes, gsize length, char **whole);
