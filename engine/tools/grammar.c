#include "tools/grammar.h"

#include <string.h>

#include "tools/tool.h"

#define MAX_BLANKS   24
#define MAX_MEMBERS  64
#define MAX_ELEMENTS 256
#define MAX_DIGITS   18
#define MAX_EXPONENT 3
#define MAX_NAME     80

/* "~": blanks, "@": the tool's name, "$": its arguments, "!": END. */
const char *const facet_grammar_scripts[] = {
  "call:@$!",
  "~{~\"function_name\"~:~\"@\"~,~\"parameters\"~:~$~}",
  "~FUNCTION_CALL:~@$",
};

const FacetGrammarWord facet_grammar_words[] = {
  { "true", "true", FACET_TYPE_BOOLEAN, FALSE }, { "false", "false", FACET_TYPE_BOOLEAN, FALSE }, { "null", "null", FACET_TYPE_NULL, FALSE },
  { "True", "true", FACET_TYPE_BOOLEAN, TRUE },  { "False", "false", FACET_TYPE_BOOLEAN, TRUE },  { "None", "null", FACET_TYPE_NULL, TRUE },
};

typedef enum {
  REFUSED,
  TAKEN,
  AGAIN, /* the level above has to look at the symbol */
} Outcome;

enum { NUMBER_SIGN, NUMBER_ZERO, NUMBER_DIGITS, NUMBER_POINT, NUMBER_FRACTION, NUMBER_E, NUMBER_E_SIGN, NUMBER_EXPONENT };

static FacetFrame *
top_of (FacetGrammar *grammar)
{
  return &grammar->frames[grammar->n - 1];
}

static void
emit (GString *json, char byte)
{
  if (json != NULL)
    g_string_append_c (json, byte);
}

static Outcome
push_value (FacetGrammar *grammar, const FacetSchema *schema, gboolean top, Outcome outcome)
{
  grammar->frames[grammar->n++] = (FacetFrame){ .kind = FACET_FRAME_VALUE, .schema = schema, .top = top };
  return outcome;
}

static Outcome
pop (FacetGrammar *grammar, Outcome outcome)
{
  grammar->n--;
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

static int
quote_of (const FacetGrammar *grammar)
{
  return grammar->set->form == FACET_CALLS_FAMILY ? FACET_SYMBOL_QUOTE : '"';
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

gboolean
facet_grammar_exact (const GPtrArray *names, guint lo, guint hi, guint at)
{
  return lo < hi && strlen (g_ptr_array_index (names, lo)) == at;
}

/* Leaves the names that go on with @symbol at @at; FALSE if there are none. */
static gboolean
narrow (const GPtrArray *names, FacetFrame *frame, guint at, int symbol)
{
  if (symbol == 0 || symbol > 255)
    return FALSE;
  while (frame->lo < frame->hi && ((const guchar *) g_ptr_array_index (names, frame->lo))[at] < symbol)
    frame->lo++;
  while (frame->lo < frame->hi && ((const guchar *) g_ptr_array_index (names, frame->hi - 1))[at] > symbol)
    frame->hi--;
  return frame->lo < frame->hi;
}

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
    if (narrow (set->names, frame, frame->count, symbol)) {
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
become (FacetFrame *frame, FacetFrameKind kind, Outcome outcome)
{
  frame->kind = kind;
  frame->phase = 0;
  frame->lo = 0;
  frame->hi = frame->schema->choices != NULL ? frame->schema->choices->len : 0;
  return outcome;
}

static Outcome
open_object (FacetFrame *frame, GString *json)
{
  become (frame, FACET_FRAME_OBJECT, TAKEN);
  emit (json, '{');
  return TAKEN;
}

static Outcome
start_word (const FacetGrammar *grammar, FacetFrame *frame, int symbol, GString *json)
{
  for (guint i = 0; i < G_N_ELEMENTS (facet_grammar_words); i++) {
    const FacetGrammarWord *word = &facet_grammar_words[i];

    if (word->text[0] != symbol || (frame->schema->types & word->type) == 0 || (word->python && grammar->set->form != FACET_CALLS_LINES))
      continue;
    become (frame, FACET_FRAME_WORD, TAKEN);
    frame->code = i;
    frame->at = 1;
    if (json != NULL)
      g_string_append (json, word->json);
    return TAKEN;
  }
  return REFUSED;
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
  if ((types & (FACET_TYPE_NUMBER | FACET_TYPE_INTEGER)) && (symbol == '-' || (symbol >= '0' && symbol <= '9'))) {
    emit (json, symbol);
    become (frame, FACET_FRAME_NUMBER, TAKEN);
    frame->phase = symbol == '-' ? NUMBER_SIGN : symbol == '0' ? NUMBER_ZERO : NUMBER_DIGITS;
    frame->count = 1;
    return TAKEN;
  }
  if (symbol == (in_parentheses (grammar, frame) ? '(' : '{') && (types & FACET_TYPE_OBJECT) && deeper)
    return open_object (frame, json);
  if (symbol == '[' && (types & FACET_TYPE_ARRAY) && deeper) {
    emit (json, '[');
    return become (frame, FACET_FRAME_ARRAY, TAKEN);
  }
  return start_word (grammar, frame, symbol, json);
}

static Outcome
step_choice (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  const GPtrArray *choices = frame->schema->choices;
  gboolean quoted = (frame->schema->types & FACET_TYPE_STRING) != 0;
  FacetFrame before = *frame;

  if (narrow (choices, frame, frame->at, symbol)) {
    frame->at++;
    emit (json, symbol);
    return TAKEN;
  }
  *frame = before;
  if (!facet_grammar_exact (choices, frame->lo, frame->hi, frame->at))
    return REFUSED;
  if (!quoted)
    return pop (grammar, AGAIN);
  if (symbol != quote_of (grammar))
    return REFUSED;
  emit (json, '"');
  return pop (grammar, TAKEN);
}

static Outcome
step_word (FacetGrammar *grammar, int symbol)
{
  FacetFrame *frame = top_of (grammar);
  const char *text = facet_grammar_words[frame->code].text;

  if (text[frame->at] != symbol)
    return REFUSED;
  frame->at++;
  return text[frame->at] == '\0' ? pop (grammar, TAKEN) : TAKEN;
}

gboolean
facet_grammar_number_ends (const FacetFrame *frame)
{
  return frame->phase == NUMBER_ZERO || frame->phase == NUMBER_DIGITS || frame->phase == NUMBER_FRACTION || frame->phase == NUMBER_EXPONENT;
}

/* The phase after @symbol, -1: the number does not go on with it. */
static int
number_after (const FacetFrame *frame, int symbol)
{
  gboolean digit = symbol >= '0' && symbol <= '9', whole = (frame->schema->types & FACET_TYPE_NUMBER) == 0;

  switch (frame->phase) {
  case NUMBER_SIGN:
    return digit ? (symbol == '0' ? NUMBER_ZERO : NUMBER_DIGITS) : -1;
  case NUMBER_ZERO:
  case NUMBER_DIGITS:
    if (digit && frame->phase == NUMBER_DIGITS)
      return frame->count < MAX_DIGITS ? NUMBER_DIGITS : -1;
    return whole ? -1 : symbol == '.' ? NUMBER_POINT : symbol == 'e' || symbol == 'E' ? NUMBER_E : -1;
  case NUMBER_POINT:
    return digit ? NUMBER_FRACTION : -1;
  case NUMBER_FRACTION:
    if (digit)
      return frame->count < MAX_DIGITS ? NUMBER_FRACTION : -1;
    return symbol == 'e' || symbol == 'E' ? NUMBER_E : -1;
  case NUMBER_E:
    if (symbol == '+' || symbol == '-')
      return NUMBER_E_SIGN;
    return digit ? NUMBER_EXPONENT : -1;
  case NUMBER_E_SIGN:
    return digit ? NUMBER_EXPONENT : -1;
  default:
    return digit && frame->count < MAX_EXPONENT ? NUMBER_EXPONENT : -1;
  }
}

static Outcome
step_number (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  int phase = number_after (frame, symbol);

  if (phase < 0)
    return facet_grammar_number_ends (frame) ? pop (grammar, AGAIN) : REFUSED;
  frame->count = phase == frame->phase ? frame->count + 1 : 1;
  frame->phase = phase;
  emit (json, symbol);
  return TAKEN;
}

/* ---- strings ---- */

/* The first byte of a character in UTF-8; sets what must follow. */
static Outcome
start_character (FacetFrame *frame, int byte)
{
  if (byte < 0x80)
    return TAKEN;
  if (byte < 0xc2 || byte > 0xf4)
    return REFUSED;
  frame->need = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  frame->least = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  frame->most = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  return TAKEN;
}

/* No halves of pairs and no NUL among escapes. */
static Outcome
step_escape (FacetFrame *frame, int symbol)
{
  int digit = symbol < 128 ? g_ascii_xdigit_value (symbol) : -1;

  if (frame->phase == FACET_STRING_ESCAPE) {
    if (symbol == 'u') {
      frame->phase = FACET_STRING_HEX;
      frame->code = 0;
      return TAKEN;
    }
    frame->phase = FACET_STRING_PLAIN;
    return symbol > 0 && symbol < 128 && strchr ("\"\\/bfnrt", symbol) != NULL ? TAKEN : REFUSED;
  }
  if (digit < 0 || (frame->phase == FACET_STRING_HEX + 1 && frame->code == 0xd && digit >= 8))
    return REFUSED;
  frame->code = frame->code << 4 | digit;
  if (frame->phase < FACET_STRING_HEX + 3) {
    frame->phase++;
    return TAKEN;
  }
  frame->phase = FACET_STRING_PLAIN;
  return frame->code != 0 ? TAKEN : REFUSED;
}

static Outcome
step_plain (FacetGrammar *grammar, FacetFrame *frame, int symbol)
{
  gboolean family = grammar->set->form == FACET_CALLS_FAMILY;

  if (symbol >= 256 || symbol == 0 || (!family && symbol < 0x20))
    return REFUSED;
  if (symbol == '\\' && !family) {
    frame->phase = FACET_STRING_ESCAPE;
    return TAKEN;
  }
  return start_character (frame, symbol);
}

static Outcome
step_string (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  Outcome outcome;

  if (frame->need > 0) {
    if (symbol < frame->least || symbol > frame->most)
      return REFUSED;
    frame->need--;
    frame->least = 0x80;
    frame->most = 0xbf;
    emit (json, symbol);
    return TAKEN;
  }
  if (frame->phase == FACET_STRING_PLAIN && symbol == quote_of (grammar)) {
    emit (json, '"');
    return pop (grammar, TAKEN);
  }
  outcome = frame->phase == FACET_STRING_PLAIN ? step_plain (grammar, frame, symbol) : step_escape (frame, symbol);
  if (outcome == TAKEN && grammar->set->form == FACET_CALLS_FAMILY && json != NULL)
    facet_json_write_escaped (json, (const char[]){ symbol }, 1);
  else if (outcome == TAKEN)
    emit (json, symbol);
  return outcome;
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
  possible = frame->lo < frame->hi && narrow (schema->names, frame, frame->at, symbol) && any_unused (frame);
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
    return step_string (grammar, symbol, json);
  case FACET_FRAME_CHOICE:
    return step_choice (grammar, symbol, json);
  case FACET_FRAME_NUMBER:
    return step_number (grammar, symbol, json);
  case FACET_FRAME_WORD:
    return step_word (grammar, symbol);
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
