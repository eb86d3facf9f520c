/* Thoughts, text and calls told apart as tokens come, and models held to
 * calls that are well formed. */
#include "facet.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "chat/answer.h"
#include "gguf/gguf.h"

#define WEATHER                                                                                                                  \
  "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"},"                         \
  "\"unit\":{\"type\":\"string\",\"enum\":[\"C\",\"F\"]},\"points\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}},\"required\":[\"city\",\"unit\"]}"

static GPtrArray *
make_tools (void)
{
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref);

  g_ptr_array_add (tools, facet_tool_new ("get_weather", "Weather of a city.", WEATHER, NULL));
  g_ptr_array_add (tools, facet_tool_new ("now", "The time.", NULL, NULL));
  return tools;
}

static char *
model_path (const char *family)
{
  return g_strdup_printf ("%s/kit/models/%s-tiny/text-q4_0.gguf", g_getenv ("FACET_TEST_DATA"), family);
}

/* ---- by hand ---- */

typedef struct {
  FacetTokenizer *tokenizer;
  GString        *streamed, *streamed_thoughts;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer family)
{
  g_autofree char *path = model_path (family);
  g_autoptr (FacetGguf) gguf = facet_gguf_open (path, NULL);

  fixture->tokenizer = facet_tokenizer_new (gguf, NULL);
  g_assert_nonnull (fixture->tokenizer);
  fixture->streamed = g_string_new (NULL);
  fixture->streamed_thoughts = g_string_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer family)
{
  facet_tokenizer_free (fixture->tokenizer);
  g_string_free (fixture->streamed, TRUE);
  g_string_free (fixture->streamed_thoughts, TRUE);
}

static void
text_cb (const char *text, gsize length, gpointer data)
{
  g_assert_true (g_utf8_validate (text, length, NULL));
  g_string_append_len (((Fixture *) data)->streamed, text, length);
}

static void
thought_cb (const char *text, gsize length, gpointer data)
{
  g_assert_true (g_utf8_validate (text, length, NULL));
  g_string_append_len (((Fixture *) data)->streamed_thoughts, text, length);
}

typedef struct {
  const char   *said;
  FacetCallForm form;     /* with tools; FAMILY with Gemma 3's vocabulary: without */
  const char   *text, *thoughts, *calls; /* NAME ARGUMENTS, joined by ";" */
  gboolean      over;     /* ended by what came */
} Case;

/* @whole: the tokens of the text; else one of each byte, where it is text. */
static GArray *
tokens_of (Fixture *fixture, const char *said, gboolean whole)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gint32));

  facet_tokenizer_encode (fixture->tokenizer, said, strlen (said), FACET_TOKENIZE_SPECIAL, all);
  for (guint i = 0; i < all->len; i++) {
    gint32 id = g_array_index (all, gint32, i);
    g_autoptr (GString) bytes = g_string_new (NULL);

    facet_tokenizer_decode (fixture->tokenizer, id, bytes);
    if (whole || facet_tokenizer_is_special (fixture->tokenizer, id))
      g_array_append_val (ids, id);
    else
      for (gsize k = 0; k < bytes->len; k++) {
        g_autofree char *piece = g_strdup_printf ("<0x%02X>", (guchar) bytes->str[k]);

        id = facet_tokenizer_lookup (fixture->tokenizer, piece);
        g_array_append_val (ids, id);
      }
  }
  return ids;
}

static void
check_case (Fixture *fixture, const Case *c, gboolean whole, GPtrArray *tools)
{
  static const char *const stops[] = { "\n\n\n", "STOP", NULL };
  const FacetRendered rendered = { .stop_strings = stops, .form = c->form };
  const FacetReplyParams params = { .on_text = text_cb, .on_thought = thought_cb, .user_data = fixture };
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_autoptr (FacetAnswer) answer = NULL;
  g_autoptr (GArray) ids = tokens_of (fixture, c->said, whole);
  g_autoptr (GString) calls = g_string_new (NULL);
  g_auto (FacetReply) reply = { .text = NULL };
  gboolean over = FALSE;

  if (tools != NULL)
    facet_prompt_set_tools (prompt, tools, FACET_TOOLS_OFFERED, c->form);
  answer = facet_answer_new (fixture->tokenizer, prompt, &rendered, &params, NULL);
  g_string_truncate (fixture->streamed, 0);
  g_string_truncate (fixture->streamed_thoughts, 0);
  for (guint i = 0; i < ids->len && !over; i++) {
    g_assert_true (facet_answer_allows (answer, g_array_index (ids, gint32, i), 1000));
    over = facet_answer_take (answer, g_array_index (ids, gint32, i));
  }
  facet_answer_end (answer);
  facet_answer_finish (answer, &reply);
  for (guint i = 0; i < reply.calls->len; i++) {
    const FacetCall *call = g_ptr_array_index (reply.calls, i);

    g_string_append_printf (calls, "%s%s %s", i > 0 ? ";" : "", call->name, call->arguments);
  }
  g_assert_cmpstr (reply.text, ==, c->text);
  g_assert_cmpstr (reply.thoughts, ==, c->thoughts);
  g_assert_cmpstr (calls->str, ==, c->calls);
  g_assert_cmpstr (fixture->streamed->str, ==, c->text);
  g_assert_cmpstr (g_strchomp (fixture->streamed_thoughts->str), ==, c->thoughts);
  g_assert_cmpint (over, ==, c->over);
}

static void
check_cases (Fixture *fixture, const Case *cases, gsize n, gboolean with_tools)
{
  g_autoptr (GPtrArray) tools = with_tools ? make_tools () : NULL;

  for (gsize i = 0; i < n; i++) {
    check_case (fixture, &cases[i], TRUE, tools);
    check_case (fixture, &cases[i], FALSE, tools);
  }
}

static void
test_thoughts (Fixture *fixture, gconstpointer family)
{
  static const Case cases[] = {
    { "Hello", FACET_CALLS_FAMILY, "Hello", "", "", FALSE },
    { "<|channel>thought\nhmm\nm\xc3\xb6re\n<channel|>Hello", FACET_CALLS_FAMILY, "Hello", "hmm\nm\xc3\xb6re", "", FALSE },
    { "<|channel>thought\n<channel|>Hello", FACET_CALLS_FAMILY, "Hello", "", "", FALSE },
    { "<|channel>thought<channel|>Hello", FACET_CALLS_FAMILY, "Hello", "", "", FALSE },
    { "<|channel>thought\nSTOP it<channel|>Go STOP on", FACET_CALLS_FAMILY, "Go ", "STOP it", "", TRUE },
    { "<|channel>thought\nnever closed", FACET_CALLS_FAMILY, "", "never closed", "", FALSE },
    { "One <|channel>thought\ntwo<channel|>three<channel|> four", FACET_CALLS_FAMILY, "One three four", "two", "", FALSE },
    { "<|channel>thought\na<|channel>thought\nb<channel|>c", FACET_CALLS_FAMILY, "c", "ab", "", FALSE },
    { "a<|\"|>b<|image|>c<|think|>", FACET_CALLS_FAMILY, "abc", "", "", FALSE },
  };

  check_cases (fixture, cases, G_N_ELEMENTS (cases), FALSE);
}

static void
test_family_calls (Fixture *fixture, gconstpointer family)
{
  static const Case cases[] = {
    { "<|tool_call>call:now{}<tool_call|>", FACET_CALLS_FAMILY, "", "", "now {}", FALSE },
    { "Let me see.<|tool_call>call:get_weather{city:<|\"|>R\"o\\\nma \xc3\xa8<|\"|>,unit:<|\"|>C<|\"|>,days:-2}<tool_call|><|tool_call>call:now{}<tool_call|>", FACET_CALLS_FAMILY,
      "Let me see.", "", "get_weather {\"city\":\"R\\\"o\\\\\\nma \xc3\xa8\",\"unit\":\"C\",\"days\":-2};now {}", FALSE },
    { "<|channel>thought\nI call<|tool_call>call:now{}<tool_call|>done", FACET_CALLS_FAMILY, "done", "I call", "now {}", FALSE },
    { "<|tool_call>call:get_weather{city:<|\"|>cut", FACET_CALLS_FAMILY, "", "", "", FALSE },
  };

  check_cases (fixture, cases, G_N_ELEMENTS (cases), TRUE);
}

#define NOW "{\"function_name\": \"now\", \"parameters\": {}}"

static void
test_text_calls (Fixture *fixture, gconstpointer family)
{
  static const Case cases[] = {
    { "Just text {with} braces", FACET_CALLS_JSON, "Just text {with} braces", "", "", FALSE },
    { "{\"function\": 1}\n```c\nint x;\n```\n", FACET_CALLS_JSON, "{\"function\": 1}\n```c\nint x;\n```\n", "", "", FALSE },
    { NOW, FACET_CALLS_JSON, "", "", "now {}", FALSE },
    { " " NOW "\n" NOW "\n\n", FACET_CALLS_JSON, "", "", "now {};now {}", FALSE },
    { "I look.\n" NOW " and then", FACET_CALLS_JSON, "I look.\n", "", "now {}", TRUE },
    { "I say " NOW, FACET_CALLS_JSON, "I say " NOW, "", "", FALSE },
    { "```json\n{\n  \"function_name\": \"now\",\n  \"parameters\": {}\n}\n```\n" NOW, FACET_CALLS_JSON, "", "", "now {};now {}", FALSE },
    { "```json\n" NOW "\n```\nThat was it.", FACET_CALLS_JSON, "", "", "now {}", TRUE },
    { NOW "STOP", FACET_CALLS_JSON, "", "", "now {}", TRUE },
    { "Well STOP\n" NOW, FACET_CALLS_JSON, "Well ", "", "", TRUE },
    { "\xf0\x9f\x98\x80\n  indented", FACET_CALLS_JSON, "\xf0\x9f\x98\x80\n  indented", "", "", FALSE },
    { "FUNCTION_CALL: now()\nFUNCTION_CALL: get_weather(city=\"x\", unit=\"F\")\nEnd", FACET_CALLS_LINES, "", "", "now {};get_weather {\"city\":\"x\",\"unit\":\"F\"}", TRUE },
    { "FUNCTION: now()", FACET_CALLS_LINES, "FUNCTION: now()", "", "", FALSE },
    { NOW, FACET_CALLS_LINES, NOW, "", "", FALSE },
  };

  check_cases (fixture, cases, G_N_ELEMENTS (cases), TRUE);
}

/* A token that would make a wrong call of the text is not allowed. */
static void
test_wrong_calls (Fixture *fixture, gconstpointer family)
{
  static const char *const wrong[] = { "{\"function_name\": \"nowhere\"", "{\"function_name\", ", "{\"function_name\": \"get_weather\", \"parameters\": {}" };
  static const char *const stops[] = { NULL };
  const FacetRendered rendered = { .stop_strings = stops, .form = FACET_CALLS_JSON };
  const FacetReplyParams params = { .max_tokens = 0 };
  g_autoptr (GPtrArray) tools = make_tools ();

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
    g_autoptr (FacetAnswer) answer = NULL;
    g_autoptr (GArray) ids = tokens_of (fixture, wrong[i], TRUE);
    guint k = 0;

    facet_prompt_set_tools (prompt, tools, FACET_TOOLS_OFFERED, FACET_CALLS_JSON);
    answer = facet_answer_new (fixture->tokenizer, prompt, &rendered, &params, NULL);
    for (; k < ids->len && facet_answer_allows (answer, g_array_index (ids, gint32, k), 1000); k++)
      g_assert_false (facet_answer_take (answer, g_array_index (ids, gint32, k)));
    g_assert_cmpuint (k, <, ids->len);
  }
}

/* ---- held to calls ---- */

static void
check_call (const FacetCall *call)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  json_parser_load_from_data (parser, call->arguments, -1, &error);
  g_assert_no_error (error);
  object = json_node_get_object (json_parser_get_root (parser));
  if (g_str_equal (call->name, "now")) {
    g_assert_cmpuint (json_object_get_size (object), ==, 0);
    return;
  }
  g_assert_cmpstr (call->name, ==, "get_weather");
  g_assert_nonnull (json_object_get_string_member (object, "city"));
  g_assert_true (g_strv_contains ((const char *const[]){ "C", "F", NULL }, json_object_get_string_member (object, "unit")));
}

/* Random weights know nothing of calls. */
static void
test_held (gconstpointer family)
{
  static const FacetCallForm forms[] = { FACET_CALLS_FAMILY, FACET_CALLS_LINES };
  g_autofree char *path = model_path (family);
  g_autoptr (GPtrArray) tools = make_tools ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, NULL, &error);
  g_autoptr (FacetSession) session = NULL;

  g_assert_no_error (error);
  session = facet_session_new (model, &(FacetSessionParams){ .context = 2048 }, &error);
  g_assert_no_error (error);
  for (int round = 0; round < 8; round++) {
    g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
    g_auto (FacetReply) reply = { .text = NULL };
    const FacetReplyParams params = {
      .sampling = { .temperature = round % 3 == 0 ? 0 : 1.5f, .repeat_penalty = 1.1f, .seed = 1 + round },
      .max_tokens = round % 6 == 3 ? 200 : 60 + 9 * round,
    };

    facet_prompt_set_tools (prompt, tools, FACET_TOOLS_REQUIRED, forms[round % 2]);
    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    facet_prompt_add_text (prompt, "Weather?", -1);
    g_assert_true (facet_session_reply (session, prompt, &params, &reply, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (reply.calls->len, >=, 1);
    for (guint i = 0; i < reply.calls->len; i++)
      check_call (g_ptr_array_index (reply.calls, i));
    g_test_message ("%d tokens: %s %s", reply.stats.generated_tokens, ((const FacetCall *) g_ptr_array_index (reply.calls, 0))->name,
                    ((const FacetCall *) g_ptr_array_index (reply.calls, 0))->arguments);
  }
}

/* The real base model, in its transcript. */
static void
test_real (void)
{
  const char *path = g_getenv ("FACET_TEST_MODEL");
  g_autoptr (GPtrArray) tools = make_tools ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (FacetSession) session = NULL;
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_AUTO);
  g_auto (FacetReply) reply = { .text = NULL };
  FacetReplyParams params = { .max_tokens = 80 };

  if (path == NULL) {
    g_test_skip ("FACET_TEST_MODEL is not set");
    return;
  }
  model = facet_model_load (path, NULL, &error);
  g_assert_no_error (error);
  session = facet_session_new (model, NULL, &error);
  g_assert_no_error (error);
  params.sampling = facet_model_default_sampling (model);
  facet_prompt_set_tools (prompt, tools, FACET_TOOLS_REQUIRED, FACET_CALLS_FAMILY);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_text (prompt, "What is the weather in Paris?", -1);
  g_assert_true (facet_session_reply (session, prompt, &params, &reply, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (reply.calls->len, >=, 1);
  for (guint i = 0; i < reply.calls->len; i++)
    check_call (g_ptr_array_index (reply.calls, i));
  g_test_message ("%s %s, %.1f ms a token", ((const FacetCall *) g_ptr_array_index (reply.calls, 0))->name,
                  ((const FacetCall *) g_ptr_array_index (reply.calls, 0))->arguments, 1000 * reply.stats.decode_seconds / reply.stats.generated_tokens);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/answer/thoughts", Fixture, "gemma4", set_up, test_thoughts, tear_down);
  g_test_add ("/answer/calls/family", Fixture, "gemma4", set_up, test_family_calls, tear_down);
  g_test_add ("/answer/calls/text", Fixture, "gemma3", set_up, test_text_calls, tear_down);
  g_test_add ("/answer/calls/wrong", Fixture, "gemma3", set_up, test_wrong_calls, tear_down);
  g_test_add_data_func ("/answer/held/gemma3", "gemma3", test_held);
  g_test_add_data_func ("/answer/held/gemma4", "gemma4", test_held);
  g_test_add_func ("/answer/held/real", test_real);
  return g_test_run ();
}
