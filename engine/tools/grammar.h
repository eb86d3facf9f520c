/* grammar.h - calls of tools, byte by byte
 *
 * A machine that reads one call as it is being written and refuses whatever
 * could not be continued to a call that fits its tool's schema. It is both
 * the parser and what the sampler is held to: while a call is open, only
 * tokens whose bytes it takes may be drawn. There is always a way to the end,
 * and facet_grammar_next() knows the shortest, so that a call can be closed
 * in time whatever the model would go on to write.
 *
 *   JSON    {"function_name": "NAME", "parameters": {"key": value, ...}}
 *   LINES   FUNCTION_CALL: NAME(key=value, ...)
 *   FAMILY  call:NAME{key:value,...} and the symbol END, where strings stand
 *           between symbols QUOTE and know no escapes (Gemma 4)
 *
 * Values are JSON's; LINES takes Python's True, False and None, too. Blanks
 * may stand where JSON allows them, at most a line end and 24 others on end
 * (LINES: one, FAMILY: none). Bounds: 32 KiB a call, 24 levels, 64 members, 256 elements, numbers
 * of 18 digits, names of at most 80.
 *
 * Thread-safety: a plain value; copy it to look ahead.
 */
#pragma once

#include <string.h>

#include "facet.h"
#include "tools/schema.h"

/* A symbol is a byte or one of these. */
#define FACET_SYMBOL_QUOTE 256
#define FACET_SYMBOL_END   257

#define FACET_GRAMMAR_MAX_LEVELS 24
#define FACET_GRAMMAR_MAX_BYTES  32768

/* Tools by name, and how they are called. */
typedef struct {
  GPtrArray    *names; /* char *, sorted by bytes; borrowed from the tools */
  GPtrArray    *tools; /* FacetTool, by the same index; referenced */
  guint        *costs; /* symbols of the shortest call of each */
  FacetCallForm form;
} FacetToolSet;

/* INVALID if there are none or two have one name. */
gboolean facet_tool_set_init  (FacetToolSet *set, GPtrArray *tools, FacetCallForm form, GError **error);
void     facet_tool_set_clear (FacetToolSet *set);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetToolSet, facet_tool_set_clear)

typedef enum {
  FACET_FRAME_CALL,
  FACET_FRAME_VALUE,
  FACET_FRAME_STRING,
  FACET_FRAME_CHOICE,
  FACET_FRAME_NUMBER,
  FACET_FRAME_WORD,
  FACET_FRAME_OBJECT,
  FACET_FRAME_ARRAY,
} FacetFrameKind;

/* Phases of strings; HEX and the three after it: digits of an escape. */
enum { FACET_STRING_PLAIN, FACET_STRING_ESCAPE, FACET_STRING_HEX };

/* One level; what the fields mean is the kind's own business. */
typedef struct {
  const FacetSchema *schema;
  guint64            used;    /* OBJECT: properties that are there */
  guint16            lo, hi;  /* names or choices that what was read may become */
  guint16            at;      /* how much of one was read; CALL: of the frame */
  guint16            count;   /* members, elements, digits; CALL: read of the name */
  guint16            code;    /* STRING: of an escape; OBJECT: index of the member; WORD: which */
  guint8             kind;
  guint8             phase;
  guint8             top;     /* the arguments themselves */
  guint8             need, least, most; /* STRING: continuation bytes to come, and the next one's range */
} FacetFrame;

/* Blanks between what counts: none, a single one, or those of a new line. */
typedef enum { FACET_RUN_NONE, FACET_RUN_ONE, FACET_RUN_LINE, FACET_RUN_SPACES, FACET_RUN_TABS } FacetRunOfBlanks;

typedef struct {
  const FacetToolSet *set;
  guint               n;      /* levels that are open */
  guint               bytes;
  guint               blanks; /* on end */
  FacetRunOfBlanks    run;    /* likewise */
  guint               tool;   /* index in the set, once the name was read */
  gboolean            done;
  gboolean            hurry;  /* take nothing but facet_grammar_next() */
  FacetFrame          frames[FACET_GRAMMAR_MAX_LEVELS];
} FacetGrammar;

/* For looking ahead often: without the levels that are not open. */
static inline void
facet_grammar_copy (FacetGrammar *to, const FacetGrammar *from)
{
  memcpy (to, from, G_STRUCT_OFFSET (FacetGrammar, frames) + from->n * sizeof (FacetFrame));
}

void     facet_grammar_init (FacetGrammar *grammar, const FacetToolSet *set);
/* FALSE: refused, and the machine is of no more use. Appends the arguments
 * as JSON to @json (NULL: nowhere). */
gboolean facet_grammar_take (FacetGrammar *grammar, int symbol, GString *json);
/* The next symbol on the shortest way to the end. */
int      facet_grammar_next (const FacetGrammar *grammar);
/* Symbols on that way. */
guint    facet_grammar_rest (const FacetGrammar *grammar);
/* What would be taken, for messages. Returns: (transfer full). */
char    *facet_grammar_expected (const FacetGrammar *grammar);
