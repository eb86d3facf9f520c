/* The shortest way to the end of a call, and what to say of a wrong turn. */
#include "tools/grammar-private.h"

#include <string.h>

#include "tools/tool.h"

static int next_at (const FacetGrammar *grammar, guint level);

static const char *
name_at (const GPtrArray *names, guint index)
{
  return g_ptr_array_index (names, index);
}

static int
next_of_value (const FacetGrammar *grammar, const FacetSchema *schema, gboolean top)
{
  if (schema->choices != NULL)
    return schema->types & FACET_TYPE_STRING ? quote_of (grammar) : name_at (schema->choices, 0)[0];
  if (schema->types & FACET_TYPE_STRING)
    return quote_of (grammar);
  if (schema->types & (FACET_TYPE_NUMBER | FACET_TYPE_INTEGER))
    return '0';
  if (schema->types & FACET_TYPE_NULL)
    return 'n';
  if (schema->types & FACET_TYPE_BOOLEAN)
    return 't';
  if (schema->types & FACET_TYPE_ARRAY)
    return '[';
  return top && grammar->set->form == FACET_CALLS_LINES ? '(' : '{';
}

/* Of the tools that the name being read may become, the one with the shortest call. */
static guint
cheapest (const FacetToolSet *set, const FacetFrame *frame)
{
  guint found = frame->lo;

  for (guint i = frame->lo; i < frame->hi; i++)
    if (set->costs[i] < set->costs[found])
      found = i;
  return found;
}

static int
next_of_call (const FacetGrammar *grammar, const FacetFrame *frame)
{
  const char *at = facet_grammar_scripts[grammar->set->form] + frame->at;
  guint tool = grammar->tool;

  while (*at == '~')
    at++;
  if (*at == '@') {
    tool = cheapest (grammar->set, frame);
    if (name_at (grammar->set->names, tool)[frame->count] != '\0')
      return name_at (grammar->set->names, tool)[frame->count];
    at++;
  }
  if (*at == '$')
    return next_of_value (grammar, ((const FacetTool *) g_ptr_array_index (grammar->set->tools, tool))->schema, TRUE);
  return *at == '!' ? FACET_SYMBOL_END : *at;
}

static int
next_of_string (const FacetGrammar *grammar, const FacetFrame *frame)
{
  if (frame->need > 0)
    return frame->least;
  if (frame->phase == FACET_STRING_PLAIN)
    return quote_of (grammar);
  return frame->phase == FACET_STRING_ESCAPE ? 'n' : '1';
}

static int
next_of_choice (const FacetGrammar *grammar, const FacetFrame *frame, guint level)
{
  if (!facet_grammar_exact (frame->schema->choices, frame->lo, frame->hi, frame->at))
    return name_at (frame->schema->choices, frame->lo)[frame->at];
  return frame->schema->types & FACET_TYPE_STRING ? quote_of (grammar) : next_at (grammar, level - 1);
}

/* The property that the name being read shall become, -1: none. */
static int
aim (const FacetFrame *frame)
{
  guint64 missing = frame->schema->required & ~frame->used;
  int found = -1;

  for (int i = frame->hi - 1; i >= frame->lo; i--) {
    gboolean required = (missing >> i & 1) != 0;

    if (!(frame->used >> i & 1) && (found < 0 || required || !(missing >> found & 1)))
      found = i;
  }
  return found;
}

static int
next_of_name (const FacetGrammar *grammar, const FacetFrame *frame)
{
  int end = facet_grammar_quotes_names (grammar, frame)                        ? '"'
            : frame->top && grammar->set->form == FACET_CALLS_LINES ? '='
                                                                               : ':';
  int property = aim (frame);
  gboolean taken = frame->at > 0 && facet_grammar_exact (frame->schema->names, frame->lo, frame->hi, frame->at);

  if (property >= 0) {
    const char *name = name_at (frame->schema->names, property);

    return name[frame->at] != '\0' ? name[frame->at] : end;
  }
  return frame->at > 0 && !taken ? end : 'a';
}

static int
next_of_object (const FacetGrammar *grammar, const FacetFrame *frame)
{
  FacetFrame fresh = *frame;

  switch (frame->phase) {
  case FACET_OBJECT_NAME:
    return next_of_name (grammar, frame);
  case FACET_OBJECT_COLON:
    return ':';
  case FACET_OBJECT_START:
  case FACET_OBJECT_NEXT:
    if (facet_grammar_missing (frame) < 0)
      return frame->top && grammar->set->form == FACET_CALLS_LINES ? ')' : '}';
    if (frame->phase == FACET_OBJECT_NEXT)
      return ',';
    break;
  }
  if (facet_grammar_quotes_names (grammar, frame))
    return '"';
  fresh.at = fresh.lo = 0;
  fresh.hi = frame->schema->names != NULL ? frame->schema->names->len : 0;
  return next_of_name (grammar, &fresh);
}

static int
next_at (const FacetGrammar *grammar, guint level)
{
  const FacetFrame *frame = &grammar->frames[level];

  switch ((FacetFrameKind) frame->kind) {
  case FACET_FRAME_CALL:
    return next_of_call (grammar, frame);
  case FACET_FRAME_VALUE:
    return next_of_value (grammar, frame->schema, frame->top);
  case FACET_FRAME_STRING:
    return next_of_string (grammar, frame);
  case FACET_FRAME_CHOICE:
    return next_of_choice (grammar, frame, level);
  case FACET_FRAME_NUMBER:
    return facet_grammar_number_ends (frame) ? next_at (grammar, level - 1) : '0';
  case FACET_FRAME_WORD:
    return facet_grammar_words[frame->code].text[frame->at];
  case FACET_FRAME_OBJECT:
    return next_of_object (grammar, frame);
  case FACET_FRAME_ARRAY:
    return ']';
  }
  return 0;
}

int
facet_grammar_next (const FacetGrammar *grammar)
{
  return next_at (grammar, grammar->n - 1);
}

guint
facet_grammar_rest (const FacetGrammar *grammar)
{
  FacetGrammar copy = *grammar;
  guint n = 0;

  copy.hurry = TRUE;
  while (!copy.done) {
    gboolean taken = facet_grammar_take (&copy, facet_grammar_next (&copy), NULL);

    g_assert (taken);
    n++;
  }
  return n;
}

/* ---- messages ---- */

static char *
list_names (const GPtrArray *names, guint lo, guint hi)
{
  GString *list = g_string_new (NULL);

  for (guint i = lo; i < hi && i < lo + 8; i++)
    g_string_append_printf (list, "%s%s", i > lo ? ", " : "", name_at (names, i));
  if (hi > lo + 8)
    g_string_append (list, ", ...");
  return g_string_free (list, FALSE);
}

static char *
expected_value (const FacetSchema *schema)
{
  static const char *const names[] = { "string", "number", "integer", "boolean", "null", "array", "object" };
  GString *text = g_string_new ("a value of type");
  g_autofree char *choices = NULL;

  if (schema->choices != NULL) {
    choices = list_names (schema->choices, 0, schema->choices->len);
    g_string_printf (text, "one of %s", choices);
    return g_string_free (text, FALSE);
  }
  for (guint i = 0, n = 0; i < G_N_ELEMENTS (names); i++)
    if (schema->types >> i & 1)
      g_string_append_printf (text, "%s %s", n++ > 0 ? " or" : "", names[i]);
  return g_string_free (text, FALSE);
}

static char *
expected_member (const FacetFrame *frame)
{
  int missing = facet_grammar_missing (frame);
  g_autofree char *names = NULL;

  if (frame->phase == FACET_OBJECT_COLON)
    return g_strdup ("a colon");
  if (missing >= 0)
    return g_strdup_printf ("the required property %s", name_at (frame->schema->names, missing));
  if (frame->phase == FACET_OBJECT_NEXT)
    return g_strdup ("a comma or the end of the object");
  if (frame->schema->names == NULL || frame->schema->names->len == 0)
    return g_strdup (frame->schema->extra != NULL ? "the name of a property" : "the end of the object");
  names = list_names (frame->schema->names, 0, frame->schema->names->len);
  return g_strdup_printf ("one of the properties %s, each once", names);
}

char *
facet_grammar_expected (const FacetGrammar *grammar)
{
  const FacetFrame *frame = &grammar->frames[grammar->n - 1];
  g_autofree char *names = NULL;

  switch ((FacetFrameKind) frame->kind) {
  case FACET_FRAME_CALL:
    if (facet_grammar_scripts[grammar->set->form][frame->at] == '@') {
      names = list_names (grammar->set->names, 0, grammar->set->names->len);
      return g_strdup_printf ("one of the tools %s", names);
    }
    return g_strdup_printf ("“%c”", facet_grammar_next (grammar) < 256 ? facet_grammar_next (grammar) : ' ');
  case FACET_FRAME_VALUE:
  case FACET_FRAME_CHOICE:
    return expected_value (frame->schema);
  case FACET_FRAME_STRING:
    return g_strdup ("the rest of a string");
  case FACET_FRAME_NUMBER:
    return g_strdup ("a digit");
  case FACET_FRAME_WORD:
    return g_strdup (facet_grammar_words[frame->code].text);
  case FACET_FRAME_OBJECT:
    return expected_member (frame);
  case FACET_FRAME_ARRAY:
    return g_strdup ("a comma or the end of the array");
  }
  return NULL;
}
