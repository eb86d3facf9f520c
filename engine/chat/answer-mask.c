/* Which tokens may come next. */
#include "chat/answer-private.h"

#include <math.h>
#include <string.h>

gboolean
facet_answer_is_bound (const FacetAnswer *answer)
{
  return answer->part == FACET_ANSWER_CALL || (answer->required && answer->calls->len == 0 && answer->part == FACET_ANSWER_TEXT);
}

/* In Gemma 4's form a call begins with a token of its own, perhaps after thoughts. */
static gboolean
must_open (const FacetAnswer *answer)
{
  return answer->part == FACET_ANSWER_TEXT && answer->tools.form == FACET_CALLS_FAMILY;
}

void
facet_answer_hurry (FacetAnswer *answer)
{
  if (answer->part != FACET_ANSWER_CALL && !must_open (answer))
    facet_answer_open_call (answer);
  answer->grammar.hurry = TRUE;
}

/* The call that is open, or the one that must begin. */
static FacetGrammar
current (const FacetAnswer *answer)
{
  FacetGrammar grammar = answer->grammar;

  if (answer->part != FACET_ANSWER_CALL)
    facet_grammar_init (&grammar, &answer->tools);
  return grammar;
}

static gboolean
opens (const FacetAnswer *answer, gint32 id)
{
  return id == answer->marks.call || (id == answer->marks.thought && answer->thinking && answer->thoughts->len == 0);
}

gboolean
facet_answer_is_late (const FacetAnswer *answer, guint left)
{
  FacetGrammar grammar = current (answer);

  return facet_grammar_rest (&grammar) > left;
}

/* Inside a string every harmless token goes on; this saves most of the work. */
static gboolean
in_plain_string (const FacetGrammar *grammar)
{
  const FacetFrame *frame = &grammar->frames[grammar->n - 1];

  return frame->kind == FACET_FRAME_STRING && frame->phase == FACET_STRING_PLAIN && frame->need == 0 && !grammar->hurry
         && grammar->bytes + 256 < FACET_GRAMMAR_MAX_BYTES;
}

static gboolean
fits (FacetAnswer *answer, const FacetGrammar *grammar, gint32 id)
{
  FacetGrammar copy;

  facet_grammar_copy (&copy, grammar);
  return facet_answer_feed (answer, &copy, id, NULL) >= 0;
}

gboolean
facet_answer_mask (FacetAnswer *answer, float *logits, int n, GError **error)
{
  FacetGrammar grammar = current (answer);
  gboolean plain = in_plain_string (&grammar), first[256];
  int left = 0;

  for (int byte = 0; byte < 256; byte++) {
    FacetGrammar copy;

    facet_grammar_copy (&copy, &grammar);
    first[byte] = facet_grammar_take (&copy, byte, NULL);
  }
  for (gint32 id = 0; id < n; id++) {
    gsize length;
    const char *bytes = facet_tokenizer_bytes (answer->tokenizer, id, &length);
    gboolean fine;

    if (must_open (answer))
      fine = opens (answer, id);
    else if (length == 0)
      fine = fits (answer, &grammar, id);
    else if (plain && length <= 256 && facet_tokenizer_is_harmless (answer->tokenizer, id))
      fine = TRUE;
    else
      fine = first[(guchar) bytes[0]] && fits (answer, &grammar, id);
    if (!fine)
      logits[id] = -INFINITY;
    left += logits[id] > -INFINITY;
  }
  if (left == 0)
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "no token of the vocabulary can go on with the call");
  return left > 0;
}

/* Text that becomes a call with this token must become one that is right. */
static gboolean
text_allows (FacetAnswer *answer, gint32 id, guint left)
{
  gsize length, at;
  const char *bytes;
  g_autofree char *whole = NULL;
  FacetGrammar grammar;

  if (answer->tools.names == NULL)
    return id != answer->marks.call;
  if (answer->required && answer->calls->len == 0 && facet_tokenizer_is_end (answer->tokenizer, id))
    return FALSE;
  if (answer->tools.form == FACET_CALLS_FAMILY) {
    facet_grammar_init (&grammar, &answer->tools);
    return id != answer->marks.call || facet_grammar_rest (&grammar) < left;
  }
  if (answer->part == FACET_ANSWER_THOUGHT || facet_tokenizer_is_special (answer->tokenizer, id))
    return id != answer->marks.call;
  bytes = facet_tokenizer_bytes (answer->tokenizer, id, &length);
  at = facet_answer_call_in (answer, bytes, length, &whole);
  if (whole == NULL)
    return TRUE;
  facet_grammar_init (&grammar, &answer->tools);
  for (; whole[at] != '\0' && !grammar.done; at++)
    if (!facet_grammar_take (&grammar, (guchar) whole[at], NULL))
      return FALSE;
  return grammar.done || facet_grammar_rest (&grammar) < left;
}

gboolean
facet_answer_allows (FacetAnswer *answer, gint32 id, guint left)
{
  FacetGrammar grammar;

  if (!facet_answer_is_bound (answer))
    return text_allows (answer, id, left);
  if (must_open (answer))
    return opens (answer, id);
  grammar = current (answer);
  return facet_answer_feed (answer, &grammar, id, NULL) >= 0 && (grammar.done || grammar.hurry || facet_grammar_rest (&grammar) < left);
}
