/* Schemas of tools and the grammar of their calls. */
#include "facet.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "tools/call.h"
#include "tools/tool.h"

#define WEATHER                                                                                                                       \
  "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"},"                              \
  "\"unit\":{\"type\":\"string\",\"enum\":[\"C\",\"F\",\"Celsius\"]},\"unitless\":{\"type\":\"boolean\"}},\"required\":[\"city\"]}"
#define SUM "{\"type\":\"object\",\"properties\":{\"values\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},\"power\":{\"enum\":[1,2,10]}},\"required\":[\"values\",\"power\"]}"
#define NEST                                                                                                                           \
  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"object\",\"null\"],\"properties\":{\"b\":{\"type\":\"object\",\"properties\":{" \
  "\"deep\":{\"type\":\"boolean\"}},\"required\":[\"deep\"]}},\"required\":[\"b\"]},\"any\":{}},\"required\":[\"a\"]}"
#define OPEN "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"integer\"}},\"additionalProperties\":{\"type\":\"string\"}}"

static GPtrArray *
make_tools (void)
{
  static const char *const described[][2] = { { "get_weather", WEATHER }, { "sum", SUM }, { "nest", NEST }, { "open", OPEN }, { "get", NULL } };
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref);

  for (guint i = 0; i < G_N_ELEMENTS (described); i++) {
    g_autoptr (GError) error = NULL;

    g_ptr_array_add (tools, facet_tool_new (described[i][0], "", described[i][1], &error));
    g_assert_no_error (error);
  }
  return tools;
}

/* ---- schemas ---- */

static void
test_schemas (void)
{
  static const struct {
    const char *name, *schema, *message; /* message NULL: accepted */
  } rows[] = {
    { "ok", WEATHER, NULL },
    { "ok", NEST, NULL },
    { "ok", "{\"type\":\"object\",\"title\":\"T\",\"$schema\":\"x\",\"properties\":{\"a\":{\"description\":\"d\",\"default\":1,\"examples\":[1]}}}", NULL },
    { "", NULL, "name" },
    { "a b", NULL, "name" },
    { "a\"b", NULL, "name" },
    { "<|turn>", NULL, "name" },
    { "bad", "", "byte 0" },
    { "bad", "[]", "no object" },
    { "bad", "{\"type\":\"string\"}", "not object" },
    { "bad", "{}", "not object" },
    { "bad", "{\"type\":\"thing\"}", "unknown type" },
    { "bad", "{\"type\":\"object\"} x", "after the end" },
    { "bad", "{\"type\":\"object\",\"type\":\"object\"}", "twice" },
    { "bad", "{\"type\":\"object\",\"minProperties\":1}", "“minProperties”" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"x\"}}}", "/a: the keyword “pattern”" },
    { "bad", "{\"type\":\"object\",\"properties\":[]}", "properties" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a b\":{}}}", "property's name" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":1}}", "/a: no object" },
    { "bad", "{\"type\":\"object\",\"required\":[\"x\"]}", "required names no property" },
    { "bad", "{\"type\":\"object\",\"required\":\"x\"}", "required is no list" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[]}}}", "enum" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1,\"b\"]}}}", "enum" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[true]}}}", "enum" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"x\\\"\"]}}}", "enum" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"x\",\"x\"]}}}", "twice" },
    { "bad", "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\",\"enum\":[\"x\"]}}}", "contradict" },
    { "bad", "{\"type\":\"object\",\"additionalProperties\":{\"oneOf\":[]}}", "/additionalProperties: the keyword “oneOf”" },
    { "bad", "{\"type\":\"object\",\"items\":{\"items\":{\"items\":{\"items\":{\"items\":{\"items\":{\"items\":{\"items\":{}}}}}}}}}", "8 levels" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FacetTool) tool = facet_tool_new (rows[i].name, "", rows[i].schema, &error);

    g_test_message ("%s", rows[i].schema);
    if (rows[i].message == NULL) {
      g_assert_no_error (error);
      continue;
    }
    g_assert_null (tool);
    g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, rows[i].message));
  }
}

/* ---- parsing ---- */

#define CALL(name, arguments) "{\"function_name\": \"" name "\", \"parameters\": " arguments "}"

static const struct {
  FacetCallForm form;
  const char   *text;
  const char   *calls;   /* NAME ARGUMENTS, joined by blanks; NULL: refused */
  const char   *message;
} parse_rows[] = {
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\": \"Rome\"}"), "get_weather {\"city\":\"Rome\"}", NULL },
  { FACET_CALLS_JSON, "\n{\n  \"function_name\" : \"get_weather\" ,\n\t\"parameters\" : { \"days\" : -3 , \"city\" : \"\" }\n}\n", "get_weather {\"days\":-3,\"city\":\"\"}", NULL },
  { FACET_CALLS_JSON, CALL ("get", "{}") "\n" CALL ("get", "{}") CALL ("sum", "{\"values\":[1,-0.5,1e-3,0],\"power\":10}"),
    "get {} get {} sum {\"values\":[1,-0.5,1e-3,0],\"power\":10}", NULL },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"a\\\"b\\\\c\\u00e9\\n\xc3\xa8\"}"), "get_weather {\"city\":\"a\\\"b\\\\c\xc3\xa9\\n\xc3\xa8\"}", NULL },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"unit\":\"Celsius\",\"unitless\":true}"), "get_weather {\"city\":\"x\",\"unit\":\"Celsius\",\"unitless\":true}", NULL },
  { FACET_CALLS_JSON, CALL ("nest", "{\"a\":null,\"any\":[{\"x\":[]},\"s\",1,null]}"), "nest {\"a\":null,\"any\":[{\"x\":[]},\"s\",1,null]}", NULL },
  { FACET_CALLS_JSON, CALL ("nest", "{\"a\":{\"b\":{\"deep\":false}}}"), "nest {\"a\":{\"b\":{\"deep\":false}}}", NULL },
  { FACET_CALLS_JSON, CALL ("open", "{\"keys\":\"x\",\"ke\":\"y\",\"key\":7}"), "open {\"keys\":\"x\",\"ke\":\"y\",\"key\":7}", NULL },
  { FACET_CALLS_JSON, CALL ("open", "{\"x\":\"1\",\"y\":\"2\",\"x\":\"3\"}"), "open {\"y\":\"2\",\"x\":\"3\"}", NULL },
  { FACET_CALLS_JSON, CALL ("get", "{\n    }"), "get {}", NULL },
  { FACET_CALLS_JSON, CALL ("get", " {}"), NULL, "expected" },
  { FACET_CALLS_JSON, CALL ("get", "{\n \t}"), NULL, "expected" },
  { FACET_CALLS_JSON, "", NULL, "byte 0: expected “{”" },
  { FACET_CALLS_JSON, "x", NULL, "byte 0" },
  { FACET_CALLS_JSON, "{\"name\": \"get\", \"parameters\": {}}", NULL, "byte 2" },
  { FACET_CALLS_JSON, CALL ("ge", "{}"), NULL, "one of the tools get, get_weather, nest, open, sum" },
  { FACET_CALLS_JSON, CALL ("gets", "{}"), NULL, "byte 22" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{}"), NULL, "the required property city" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":3}"), NULL, "a value of type string" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"city\":\"y\"}"), NULL, "each once" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"town\":\"y\"}"), NULL, "city, days, unit" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"days\":1.5}"), NULL, "expected" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"days\":01}"), NULL, "expected" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"days\":1234567890123456789}"), NULL, "expected" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"unit\":\"K\"}"), NULL, "one of C, Celsius, F" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",\"unit\":\"Cel\"}"), NULL, "one of C, Celsius, F" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"x\",}"), NULL, "properties" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"a\nb\"}"), NULL, "rest of a string" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"\\ud83d\"}"), NULL, "rest of a string" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"\\u0000\"}"), NULL, "rest of a string" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"\xed\xa0\x80\"}"), NULL, "rest of a string" },
  { FACET_CALLS_JSON, CALL ("get_weather", "{\"city\":\"\xc0\xaf\"}"), NULL, "rest of a string" },
  { FACET_CALLS_JSON, CALL ("sum", "{\"values\":[1,],\"power\":1}"), NULL, "a value of type number" },
  { FACET_CALLS_JSON, CALL ("sum", "{\"values\":[1],\"power\":3}"), NULL, "one of 1, 10, 2" },
  { FACET_CALLS_JSON, CALL ("sum", "{\"values\":[1.],\"power\":1}"), NULL, "a digit" },
  { FACET_CALLS_JSON, CALL ("open", "{\"key\":\"x\"}"), NULL, "integer" },
  { FACET_CALLS_JSON, CALL ("get", "{}") " and more", NULL, "byte 43" },
  { FACET_CALLS_JSON, "[" CALL ("get", "{}") "]", NULL, "byte 0" },
  { FACET_CALLS_JSON, "{\"function_name\": \"get\", \"parameters\": {}", NULL, "“}”" },
  { FACET_CALLS_LINES, "FUNCTION_CALL: get_weather(city=\"Rome\", days=2)", "get_weather {\"city\":\"Rome\",\"days\":2}", NULL },
  { FACET_CALLS_LINES, "FUNCTION_CALL: get()\nFUNCTION_CALL: get_weather(city=\"x\",unitless=True)\n", "get {} get_weather {\"city\":\"x\",\"unitless\":true}", NULL },
  { FACET_CALLS_LINES, "FUNCTION_CALL: nest(a={\"b\": {\"deep\": false}}, any=None)", "nest {\"a\":{\"b\":{\"deep\":false}},\"any\":null}", NULL },
  { FACET_CALLS_LINES, "FUNCTION_CALL: get_weather(\"Rome\")", NULL, "the required property city" },
  { FACET_CALLS_LINES, "FUNCTION_CALL: get_weather(city:\"Rome\")", NULL, "city" },
  { FACET_CALLS_LINES, "FUNCTION_CALL: get_weather()", NULL, "the required property city" },
  { FACET_CALLS_LINES, "FUNCTION_CALL: sky()", NULL, "one of the tools" },
  { FACET_CALLS_LINES, "get()", NULL, "“F”" },
};

static void
test_parse (void)
{
  g_autoptr (GPtrArray) tools = make_tools ();

  for (guint i = 0; i < G_N_ELEMENTS (parse_rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) calls = facet_calls_parse (tools, parse_rows[i].form, parse_rows[i].text, -1, &error);
    g_autoptr (GString) list = g_string_new (NULL);

    g_test_message ("row %u: %s", i, error != NULL ? error->message : "taken");
    if (parse_rows[i].calls == NULL) {
      g_assert_null (calls);
      g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, parse_rows[i].message));
      continue;
    }
    g_assert_no_error (error);
    for (guint k = 0; k < calls->len; k++) {
      const FacetCall *call = g_ptr_array_index (calls, k);

      g_string_append_printf (list, "%s%s %s", k > 0 ? " " : "", call->name, call->arguments);
    }
    g_assert_cmpstr (list->str, ==, parse_rows[i].calls);
  }
}

static void
test_same_name (void)
{
  g_autoptr (GPtrArray) tools = make_tools ();
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (tools, facet_tool_new ("sum", "", NULL, NULL));
  g_assert_null (facet_calls_parse (tools, FACET_CALLS_JSON, CALL ("get", "{}"), -1, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
}

/* ---- walking ---- */

static gboolean
takes (const FacetGrammar *grammar, int symbol)
{
  FacetGrammar copy = *grammar;

  return facet_grammar_take (&copy, symbol, NULL);
}

static int
pick (const FacetGrammar *grammar, GRand *rand)
{
  int possible[FACET_SYMBOL_END + 1], n = 0;

  for (int symbol = 0; symbol <= FACET_SYMBOL_END; symbol++)
    if (takes (grammar, symbol))
      possible[n++] = symbol;
  g_assert_cmpint (n, >, 0);
  return possible[g_rand_int_range (rand, 0, n)];
}

static gboolean
fits (JsonNode *node, const FacetSchema *schema)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  if (JSON_NODE_HOLDS_NULL (node))
    return (schema->types & FACET_TYPE_NULL) != 0;
  if (JSON_NODE_HOLDS_ARRAY (node)) {
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      if (!fits (json_array_get_element (json_node_get_array (node), i), schema->items))
        return FALSE;
    return (schema->types & FACET_TYPE_ARRAY) != 0;
  }
  if (JSON_NODE_HOLDS_VALUE (node)) {
    GType type = json_node_get_value_type (node);

    if (type == G_TYPE_STRING)
      return (schema->types & FACET_TYPE_STRING)
             && (schema->choices == NULL || g_ptr_array_find_with_equal_func (schema->choices, json_node_get_string (node), g_str_equal, NULL));
    if (type == G_TYPE_BOOLEAN)
      return (schema->types & FACET_TYPE_BOOLEAN) != 0;
    return (schema->types & FACET_TYPE_NUMBER) != 0 || (type == G_TYPE_INT64 && (schema->types & FACET_TYPE_INTEGER) != 0);
  }
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &member)) {
    guint index;
    gboolean known = schema->names != NULL && g_ptr_array_find_with_equal_func (schema->names, name, g_str_equal, &index);
    const FacetSchema *inner = known ? g_ptr_array_index (schema->properties, index) : schema->extra;

    if (inner == NULL || !fits (member, inner))
      return FALSE;
  }
  for (guint i = 0; schema->names != NULL && i < schema->names->len; i++)
    if ((schema->required >> i & 1) && !json_object_has_member (json_node_get_object (node), g_ptr_array_index (schema->names, i)))
      return FALSE;
  return (schema->types & FACET_TYPE_OBJECT) != 0;
}

/* A blind writer: whatever it picks of what is taken, the way to the end is
 * known at every step, and the end is JSON that fits the schema. */
static void
test_walk (gconstpointer form)
{
  g_autoptr (GPtrArray) tools = make_tools ();
  g_auto (FacetToolSet) set = { NULL };
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  guint called = 0;

  g_assert_true (facet_tool_set_init (&set, tools, GPOINTER_TO_INT (form), NULL));
  for (int round = 0; round < 150; round++) {
    g_autoptr (GString) json = g_string_new (NULL);
    g_autoptr (JsonParser) parser = json_parser_new ();
    g_autoptr (GError) error = NULL;
    int free_steps = g_rand_int_range (rand, 0, 200);
    FacetGrammar grammar;

    facet_grammar_init (&grammar, &set);
    while (!grammar.done) {
      g_assert_true (takes (&grammar, facet_grammar_next (&grammar)));
      grammar.hurry = free_steps-- <= 0;
      if (grammar.hurry)
        g_assert_cmpuint (facet_grammar_rest (&grammar), <, 120);
      g_assert_true (facet_grammar_take (&grammar, pick (&grammar, rand), json));
    }
    called |= 1u << grammar.tool;
    json_parser_load_from_data (parser, json->str, json->len, &error);
    g_test_message ("%s", json->str);
    g_assert_no_error (error);
    g_assert_true (fits (json_parser_get_root (parser), ((const FacetTool *) g_ptr_array_index (set.tools, grammar.tool))->schema));
  }
  g_assert_cmpuint (called, ==, (1u << tools->len) - 1);
}

/* A call that will not end is closed at its bound. */
static void
test_bound (void)
{
  static const char start[] = "{\"function_name\":\"get_weather\",\"parameters\":{\"city\":\"";
  g_autoptr (GPtrArray) tools = make_tools ();
  g_auto (FacetToolSet) set = { NULL };
  FacetGrammar grammar;
  guint n = 0;

  g_assert_true (facet_tool_set_init (&set, tools, FACET_CALLS_JSON, NULL));
  facet_grammar_init (&grammar, &set);
  for (const char *at = start; *at != '\0'; at++)
    g_assert_true (facet_grammar_take (&grammar, *at, NULL));
  while (takes (&grammar, 'x') && n++ < 2 * FACET_GRAMMAR_MAX_BYTES)
    facet_grammar_take (&grammar, 'x', NULL);
  g_assert_cmpuint (n, ==, FACET_GRAMMAR_MAX_BYTES - strlen (start));
  g_assert_cmpuint (facet_grammar_rest (&grammar), ==, 3);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/schemas", test_schemas);
  g_test_add_func ("/tools/parse", test_parse);
  g_test_add_func ("/tools/same-name", test_same_name);
  g_test_add_data_func ("/tools/walk/family", GINT_TO_POINTER (FACET_CALLS_FAMILY), test_walk);
  g_test_add_data_func ("/tools/walk/json", GINT_TO_POINTER (FACET_CALLS_JSON), test_walk);
  g_test_add_data_func ("/tools/walk/lines", GINT_TO_POINTER (FACET_CALLS_LINES), test_walk);
  g_test_add_func ("/tools/bound", test_bound);
  return g_test_run ();
}
