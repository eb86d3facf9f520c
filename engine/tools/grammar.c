/* Calls, values, objects and arrays. */
#include "tools/grammar-private.h"

#include <string.h>

#include "tools/tool.h"

#define MAX_BLANKS   24
#define MAX_MEMBERS  64
#define MAX_ELEMENTS 256
#define MAX_NAME     80

/* "~": blanks, "@": the tool's name, "$": its arguments, "!": END. */
const char *const facet_grammar_scripts[] = {
  "call:@$!",
  "~{~\"function_name\"~:~\"@\"~,~\"parameters\"~:~$~}",
  "~FUNCTION_CALL:~@$",
};

static Outcome
push_value (FacetGrammar *grammar, const FacetSchema *schema, gboolean top, Outcome outcome)
{
  grammar->frames[grammar->n++] = (FacetFrame){ .kind = FACET_FRAME_VALUE, .schema = schema, .top = top };
  return outcome;
}

/* One blank, or the end of a line and an indentation: a model that is unsure
 * would else write blanks instead of what comes next. */
static gboolean
takes_blank (const FacetGrammar *grammar, int symbol)
{
  switch (grammar->run) {
  case FACET_RUN_NONE:
    return symbol == '\n' || symbol == ' ';
  case FACET_RUN_LINE:
    return symbol == ' ' || symbol == '\t';
  case FACET_RUN_SPACES:
    return symbol == ' ' && grammar->blanks < MAX_BLANKS;
  case FACET_RUN_TABS:
    return symbol == '\t' && grammar->blanks < MAX_BLANKS;
  case FACET_RUN_ONE:
    break;
  }
  return FALSE;
}

static FacetRunOfBlanks
longer_run (FacetRunOfBlanks run, int symbol)
{
  if (symbol == '\n')
    return FACET_RUN_LINE;
  if (run == FACET_RUN_LINE)
    return symbol == ' ' ? FACET_RUN_SPACES : FACET_RUN_TABS;
  return run == FACET_RUN_NONE ? FACET_RUN_ONE : run;
}

static gboolean
is_blank (const FacetGrammar *grammar, int symbol)
{
  switch (grammar->set->form) {
  case FACET_CALLS_JSON:
    return takes_blank (grammar, symbol);
  case FACET_CALLS_LINES:
    return symbol == ' ' && grammar->run == FACET_RUN_NONE;
  case FACET_CALLS_FAMILY:
    break;
  }
  return FALSE;
}

static gboolean
in_parentheses (const FacetGrammar *grammar, const FacetFrame *frame)
{
  return frame->top && grammar->set->form == FACET_CALLS_LINES;
}

gboolean
facet_grammar_quotes_names (const FacetGrammar *grammar, const FacetFrame *frame)
{
  return grammar->set->form != FACET_CALLS_FAMILY && !in_parentheses (grammar, frame);
}

/* ---- names and choices ---- */

static gboolean
is_used (const FacetFrame *frame, guint index)
{
  return (frame->used >> index & 1) != 0;
}

static gboolean
any_unused (const FacetFrame *frame)
{
  for (guint i = frame->lo; i < frame->hi; i++)
    if (!is_used (frame, i))
      return TRUE;
  return FALSE;
}

int
facet_grammar_missing (const FacetFrame *frame)
{
  guint64 missing = frame->schema->required & ~frame->used;

  for (int i = 0; missing >> i != 0; i++)
    if (missing >> i & 1)
      return i;
  return -1;
}

/* ---- the frame around the arguments ---- */

static Outcome
step_call (FacetGrammar *grammar, int symbol)
{
  FacetFrame *frame = top_of (grammar);
  const FacetToolSet *set = grammar->set;
  char wanted = facet_grammar_scripts[set->form][frame->at];
  FacetFrame before = *frame;

  switch (wanted) {
  case '~':
    if (is_blank (grammar, symbol))
      return TAKEN;
    frame->at++;
    return AGAIN;
  case '@':
    if (facet_grammar_narrow (set->names, frame, frame->count, symbol)) {
      frame->count++;
      return TAKEN;
    }
    *frame = before;
    if (!facet_grammar_exact (set->names, frame->lo, frame->hi, frame->count))
      return REFUSED;
    grammar->tool = frame->lo;
    frame->at++;
    return AGAIN;
  case '$':
    frame->at++;
    return push_value (grammar, ((const FacetTool *) g_ptr_array_index (set->tools, grammar->tool))->schema, TRUE, AGAIN);
  default:
    if (symbol != (wanted == '!' ? FACET_SYMBOL_END : wanted))
      return REFUSED;
    frame->at++;
    return TAKEN;
  }
}

/* ---- values ---- */

static Outcome
open_object (FacetFrame *frame, GString *json)
{
  become (frame, FACET_FRAME_OBJECT, TAKEN);
  emit (json, '{');
  return TAKEN;
}

static Outcome
step_value (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  guint types = frame->schema->types;
  gboolean deeper = grammar->n < FACET_GRAMMAR_MAX_LEVELS - 1;

  if (!in_parentheses (grammar, frame) && is_blank (grammar, symbol))
    return TAKEN;
  if (symbol == quote_of (grammar) && (types & FACET_TYPE_STRING)) {
    emit (json, '"');
    return become (frame, frame->schema->choices != NULL ? FACET_FRAME_CHOICE : FACET_FRAME_STRING, TAKEN);
  }
  if ((types & (FACET_TYPE_NUMBER | FACET_TYPE_INTEGER)) && frame->schema->choices != NULL)
    return become (frame, FACET_FRAME_CHOICE, AGAIN);
  if ((types & (FACET_TYPE_NUMBER | FACET_TYPE_INTEGER)) && (symbol == '-' || (symbol >= '0' && symbol <= '9')))
    return facet_grammar_start_number (frame, symbol, json);
  if (symbol == (in_parentheses (grammar, frame) ? '(' : '{') && (types & FACET_TYPE_OBJECT) && deeper)
    return open_object (frame, json);
  if (symbol == '[' && (types & FACET_TYPE_ARRAY) && deeper) {
    emit (json, '[');
    return become (frame, FACET_FRAME_ARRAY, TAKEN);
  }
  return facet_grammar_start_word (grammar, frame, symbol, json);
}

/* ---- objects and arrays ---- */

static Outcome
start_name (FacetFrame *frame, GString *json, Outcome outcome)
{
  frame->phase = FACET_OBJECT_NAME;
  frame->at = 0;
  frame->lo = 0;
  frame->hi = frame->schema->names != NULL ? frame->schema->names->len : 0;
  emit (json, '"');
  return outcome;
}

static Outcome
end_name (FacetGrammar *grammar, FacetFrame *frame, GString *json)
{
  const FacetSchema *schema = frame->schema, *value = schema->extra;

  if (frame->at > 0 && facet_grammar_exact (schema->names, frame->lo, frame->hi, frame->at)) {
    if (is_used (frame, frame->lo))
      return REFUSED;
    frame->used |= G_GUINT64_CONSTANT (1) << frame->lo;
    value = g_ptr_array_index (schema->properties, frame->lo);
  }
  if (value == NULL || frame->at == 0)
    return REFUSED;
  emit (json, '"');
  if (facet_grammar_quotes_names (grammar, frame)) {
    frame->code = value == schema->extra ? G_MAXUINT16 : frame->lo;
    frame->phase = FACET_OBJECT_COLON;
    return TAKEN;
  }
  emit (json, ':');
  frame->phase = FACET_OBJECT_NEXT;
  return push_value (grammar, value, FALSE, TAKEN);
}

static Outcome
step_name (FacetGrammar *grammar, FacetFrame *frame, int symbol, GString *json)
{
  const FacetSchema *schema = frame->schema;
  int end = facet_grammar_quotes_names (grammar, frame) ? '"' : in_parentheses (grammar, frame) ? '=' : ':';
  gboolean possible;

  if (symbol == end)
    return end_name (grammar, frame, json);
  if (symbol >= 128 || (!g_ascii_isalnum (symbol) && symbol != '_' && symbol != '-' && symbol != '.'))
    return REFUSED;
  possible = frame->lo < frame->hi && facet_grammar_narrow (schema->names, frame, frame->at, symbol) && any_unused (frame);
  if (!possible && (schema->extra == NULL || frame->at >= MAX_NAME))
    return REFUSED;
  frame->at++;
  emit (json, symbol);
  return TAKEN;
}

/* Whether one more member is possible. */
static gboolean
takes_more (const FacetFrame *frame)
{
  FacetFrame all = *frame;

  all.lo = 0;
  all.hi = frame->schema->names != NULL ? frame->schema->names->len : 0;
  return frame->count < MAX_MEMBERS - 1 && (frame->schema->extra != NULL || any_unused (&all));
}

static Outcome
step_object (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  gboolean closes = symbol == (in_parentheses (grammar, frame) ? ')' : '}');

  if (frame->phase == FACET_OBJECT_NAME)
    return step_name (grammar, frame, symbol, json);
  if (is_blank (grammar, symbol))
    return TAKEN;
  if (closes && (frame->phase == FACET_OBJECT_START || frame->phase == FACET_OBJECT_NEXT)) {
    if (facet_grammar_missing (frame) >= 0)
      return REFUSED;
    emit (json, '}');
    return pop (grammar, TAKEN);
  }
  switch (frame->phase) {
  case FACET_OBJECT_START:
  case FACET_OBJECT_COMMA:
    if (!takes_more (frame))
      return REFUSED;
    if (!facet_grammar_quotes_names (grammar, frame))
      return start_name (frame, json, AGAIN);
    return symbol == '"' ? start_name (frame, json, TAKEN) : REFUSED;
  case FACET_OBJECT_COLON:
    if (symbol != ':')
      return REFUSED;
    emit (json, ':');
    frame->phase = FACET_OBJECT_NEXT;
    return push_value (grammar, frame->code == G_MAXUINT16 ? frame->schema->extra : g_ptr_array_index (frame->schema->properties, frame->code), FALSE, TAKEN);
  default:
    if (symbol != ',' || !takes_more (frame))
      return REFUSED;
    emit (json, ',');
    frame->count++;
    frame->phase = FACET_OBJECT_COMMA;
    return TAKEN;
  }
}

static Outcome
step_array (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  gboolean first = frame->count == 0;

  if (is_blank (grammar, symbol))
    return TAKEN;
  if (symbol == ']') {
    emit (json, ']');
    return pop (grammar, TAKEN);
  }
  if (frame->count == MAX_ELEMENTS || (!first && symbol != ','))
    return REFUSED;
  frame->count++;
  if (!first)
    emit (json, ',');
  return push_value (grammar, frame->schema->items, FALSE, first ? AGAIN : TAKEN);
}

/* ---- the machine ---- */

void
facet_grammar_init (FacetGrammar *grammar, const FacetToolSet *set)
{
  *grammar = (FacetGrammar){ .set = set, .n = 1 };
  grammar->frames[0] = (FacetFrame){ .kind = FACET_FRAME_CALL, .hi = set->names->len };
}

static Outcome
step (FacetGrammar *grammar, int symbol, GString *json)
{
  switch ((FacetFrameKind) top_of (grammar)->kind) {
  case FACET_FRAME_CALL:
    return step_call (grammar, symbol);
  case FACET_FRAME_VALUE:
    return step_value (grammar, symbol, json);
  case FACET_FRAME_STRING:
    return facet_grammar_step_string (grammar, symbol, json);
  case FACET_FRAME_CHOICE:
    return facet_grammar_step_choice (grammar, symbol, json);
  case FACET_FRAME_NUMBER:
    return facet_grammar_step_number (grammar, symbol, json);
  case FACET_FRAME_WORD:
    return facet_grammar_step_word (grammar, symbol);
  case FACET_FRAME_OBJECT:
    return step_object (grammar, symbol, json);
  case FACET_FRAME_ARRAY:
    return step_array (grammar, symbol, json);
  }
  return REFUSED;
}

gboolean
facet_grammar_take (FacetGrammar *grammar, int symbol, GString *json)
{
  Outcome outcome = AGAIN;
  gboolean blank = symbol == ' ' || symbol == '\n' || symbol == '\t';

  if (grammar->done || ((grammar->hurry || grammar->bytes >= FACET_GRAMMAR_MAX_BYTES) && symbol != facet_grammar_next (grammar)))
    return FALSE;
  while (outcome == AGAIN)
    outcome = step (grammar, symbol, json);
  grammar->bytes++;
  grammar->blanks = blank ? grammar->blanks + 1 : 0;
  grammar->run = blank ? longer_run (grammar->run, symbol) : FACET_RUN_NONE;
  grammar->done = outcome == TAKEN && grammar->n == 1 && facet_grammar_scripts[grammar->set->form][grammar->frames[0].at] == '\0';
  return outcome == TAKEN;
}
