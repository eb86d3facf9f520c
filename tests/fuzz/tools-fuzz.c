/* Schemas, calls and results of tools: what is taken as a call is JSON that
 * reads back, the way to its end is never lost, and nothing in a result adds
 * a control token. FACET_TEST_DATA names tests/data. */
#include "facet.h"

#include "chat/prompt.h"
#include "gguf/gguf.h"
#include "tools/call.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define SCHEMA                                                                                                                         \
  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"n\":{\"type\":[\"number\",\"null\"]},\"any\":{},"                \
  "\"e\":{\"enum\":[\"x\",\"xy\",\"z\"]},\"o\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}},\"required\":[\"a\"]}"

static FacetTokenizer *
open_tokenizer (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma4-tiny/text-q4_0.gguf", NULL);
  g_autoptr (FacetGguf) gguf = facet_gguf_open (path, NULL);
  FacetTokenizer *tokenizer = facet_tokenizer_new (gguf, NULL);

  g_assert (tokenizer != NULL);
  return tokenizer;
}

static GPtrArray *
make_tools (const char *schema)
{
  g_autoptr (GPtrArray) tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref);
  g_autoptr (GError) error = NULL;
  FacetTool *tool = facet_tool_new ("tool", "d", schema, &error);

  g_assert ((tool == NULL) == (error != NULL));
  if (tool == NULL)
    return NULL;
  g_ptr_array_add (tools, tool);
  g_ptr_array_add (tools, facet_tool_new ("to", "d", NULL, NULL));
  return g_steal_pointer (&tools);
}

static void
check_object (const char *text)
{
  g_autoptr (FacetJson) json = facet_json_parse_last (text, -1, NULL);

  g_assert (json != NULL && json->kind == FACET_JSON_OBJECT);
}

static void
check_parse (GPtrArray *tools, FacetCallForm form, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) calls = facet_calls_parse (tools, form, text, length, &error);

  g_assert ((calls == NULL) == (error != NULL));
  if (error != NULL)
    g_assert (g_utf8_validate (error->message, -1, NULL));
  for (guint i = 0; calls != NULL && i < calls->len; i++)
    check_object (((const FacetCall *) g_ptr_array_index (calls, i))->arguments);
}

/* The input picks among the symbols that are taken. */
static void
check_walk (GPtrArray *tools, FacetCallForm form, const guint8 *data, gsize size)
{
  g_auto (FacetToolSet) set = { NULL };
  g_autoptr (GString) json = g_string_new (NULL);
  FacetGrammar grammar;

  g_assert (facet_tool_set_init (&set, tools, form, NULL));
  facet_grammar_init (&grammar, &set);
  for (gsize i = 0; !grammar.done; i++) {
    int symbol = i < size ? data[i] : facet_grammar_next (&grammar);
    FacetGrammar copy = grammar;

    if (i < size && symbol == 0xff)
      symbol = FACET_SYMBOL_QUOTE;
    if (!facet_grammar_take (&copy, symbol, NULL))
      symbol = facet_grammar_next (&grammar);
    g_assert (facet_grammar_take (&grammar, symbol, json));
  }
  check_object (json->str);
}

static guint
special_with (FacetTokenizer *tokenizer, const char *text, gsize length)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_auto (FacetRendered) rendered = { .ids = NULL };
  guint n = 0;

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_begin_turn (prompt, FACET_ROLE_MODEL);
  g_assert (facet_prompt_add_call (prompt, "tool", "{\"a\":\"x\"}", NULL));
  facet_prompt_add_result (prompt, "tool", text, length);
  g_assert (facet_prompt_render (prompt, tokenizer, FACET_FAMILY_GEMMA4, TRUE, &rendered, NULL));
  for (guint i = 0; i < rendered.ids->len; i++)
    n += facet_tokenizer_is_special (tokenizer, g_array_index (rendered.ids, gint32, i));
  return n;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FacetTokenizer *tokenizer;
  static GPtrArray *known;
  static guint usual;
  g_autofree char *schema = g_strndup ((const char *) data, size);
  g_autoptr (GPtrArray) own = make_tools (schema);

  if (tokenizer == NULL) {
    tokenizer = open_tokenizer ();
    known = make_tools (SCHEMA);
    usual = special_with (tokenizer, "x", 1);
  }
  for (int form = FACET_CALLS_FAMILY; form <= FACET_CALLS_LINES; form++) {
    if (form != FACET_CALLS_FAMILY)
      check_parse (known, form, (const char *) data, size);
    check_walk (known, form, data, size);
    if (own != NULL)
      check_walk (own, form, data, size);
  }
  g_assert (special_with (tokenizer, (const char *) data, size) == usual);
  return 0;
}
