/* Names, choices, words, numbers and strings: what holds no other value. */
#include "tools/grammar-private.h"

#include <string.h>

#define MAX_DIGITS   18
#define MAX_EXPONENT 3

const FacetGrammarWord facet_grammar_words[] = {
  { "true", "true", FACET_TYPE_BOOLEAN, FALSE }, { "false", "false", FACET_TYPE_BOOLEAN, FALSE }, { "null", "null", FACET_TYPE_NULL, FALSE },
  { "True", "true", FACET_TYPE_BOOLEAN, TRUE },  { "False", "false", FACET_TYPE_BOOLEAN, TRUE },  { "None", "null", FACET_TYPE_NULL, TRUE },
};

enum { NUMBER_SIGN, NUMBER_ZERO, NUMBER_DIGITS, NUMBER_POINT, NUMBER_FRACTION, NUMBER_E, NUMBER_E_SIGN, NUMBER_EXPONENT };

/* ---- names and choices ---- */

gboolean
facet_grammar_exact (const GPtrArray *names, guint lo, guint hi, guint at)
{
  return lo < hi && strlen (g_ptr_array_index (names, lo)) == at;
}

gboolean
facet_grammar_narrow (const GPtrArray *names, FacetFrame *frame, guint at, int symbol)
{
  if (symbol == 0 || symbol > 255)
    return FALSE;
  while (frame->lo < frame->hi && ((const guchar *) g_ptr_array_index (names, frame->lo))[at] < symbol)
    frame->lo++;
  while (frame->lo < frame->hi && ((const guchar *) g_ptr_array_index (names, frame->hi - 1))[at] > symbol)
    frame->hi--;
  return frame->lo < frame->hi;
}

Outcome
facet_grammar_step_choice (FacetGrammar *grammar, int symbol, GString *json)
{
  FacetFrame *frame = top_of (grammar);
  const GPtrArray *choices = frame->schema->choices;
  gboolean quoted = (frame->schema->types & FACET_TYPE_STRING) != 0;
  FacetFrame before = *frame;

  if (facet_grammar_narrow (choices, frame, frame->at, symbol)) {
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

/* ---- words and numbers ---- */

Outcome
facet_grammar_start_word (const FacetGrammar *grammar, FacetFrame *frame, int symbol, GString *json)
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

Outcome
facet_grammar_step_word (FacetGrammar *grammar, int symbol)
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

Outcome
facet_grammar_start_number (FacetFrame *frame, int symbol, GString *json)
{
  emit (json, symbol);
  become (frame, FACET_FRAME_NUMBER, TAKEN);
  frame->phase = symbol == '-' ? NUMBER_SIGN : symbol == '0' ? NUMBER_ZERO : NUMBER_DIGITS;
  frame->count = 1;
  return TAKEN;
}

Outcome
facet_grammar_step_number (FacetGrammar *grammar, int symbol, GString *json)
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

Outcome
facet_grammar_step_string (FacetGrammar *grammar, int symbol, GString *json)
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
