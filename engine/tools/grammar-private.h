/* grammar-private.h - what the sources of grammar.h share
 *
 * grammar.c reads calls, values, objects and arrays, grammar-scalars.c what
 * holds no other value, grammar-end.c knows the way to the end.
 */
#pragma once

#include "tools/grammar.h"

/* Phases of objects (START: after the opening bracket). */
enum { FACET_OBJECT_START, FACET_OBJECT_COMMA, FACET_OBJECT_NAME, FACET_OBJECT_COLON, FACET_OBJECT_NEXT };

extern const char *const facet_grammar_scripts[FACET_CALLS_LINES + 1];

typedef struct {
  const char *text, *json;
  FacetType   type;
  gboolean    python; /* only in LINES */
} FacetGrammarWord;

extern const FacetGrammarWord facet_grammar_words[6];

/* Whether the members of this object have quotes around their names. */
gboolean facet_grammar_quotes_names (const FacetGrammar *grammar, const FacetFrame *frame);
/* The first property that is missing and required, -1: none. */
int      facet_grammar_missing (const FacetFrame *frame);
/* Whether names[lo] has been read to its end. */
gboolean facet_grammar_exact (const GPtrArray *names, guint lo, guint hi, guint at);
/* Whether a number may end here. */
gboolean facet_grammar_number_ends (const FacetFrame *frame);
/* Leaves the names that go on with @symbol at @at; FALSE if there are none. */
gboolean facet_grammar_narrow (const GPtrArray *names, FacetFrame *frame, guint at, int symbol);

/* ---- steps of the machine ---- */

typedef enum {
  REFUSED,
  TAKEN,
  AGAIN, /* the level above has to look at the symbol */
} Outcome;

static inline FacetFrame *
top_of (FacetGrammar *grammar)
{
  return &grammar->frames[grammar->n - 1];
}

static inline void
emit (GString *json, char byte)
{
  if (json != NULL)
    g_string_append_c (json, byte);
}

static inline Outcome
pop (FacetGrammar *grammar, Outcome outcome)
{
  grammar->n--;
  return outcome;
}

static inline int
quote_of (const FacetGrammar *grammar)
{
  return grammar->set->form == FACET_CALLS_FAMILY ? FACET_SYMBOL_QUOTE : '"';
}

static inline Outcome
become (FacetFrame *frame, FacetFrameKind kind, Outcome outcome)
{
  frame->kind = kind;
  frame->phase = 0;
  frame->lo = 0;
  frame->hi = frame->schema->choices != NULL ? frame->schema->choices->len : 0;
  return outcome;
}

/* What begins with @symbol. */
Outcome facet_grammar_start_word   (const FacetGrammar *grammar, FacetFrame *frame, int symbol, GString *json);
Outcome facet_grammar_start_number (FacetFrame *frame, int symbol, GString *json);
/* The next symbol of what is being read. */
Outcome facet_grammar_step_choice  (FacetGrammar *grammar, int symbol, GString *json);
Outcome facet_grammar_step_word    (FacetGrammar *grammar, int symbol);
Outcome facet_grammar_step_number  (FacetGrammar *grammar, int symbol, GString *json);
Outcome facet_grammar_step_string  (FacetGrammar *grammar, int symbol, GString *json);
