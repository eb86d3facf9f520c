/* Answers as any tokens: thoughts, text and calls stay apart, what is told is
 * whole UTF-8, and calls are JSON of tools that there are. FACET_TEST_DATA
 * names tests/data. */
#include "facet.h"

#include "chat/answer.h"
#include "core/json.h"
#include "gguf/gguf.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define SCHEMA "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"n\":{\"type\":\"number\"}},\"required\":[\"n\"]}"

typedef struct {
  FacetTokenizer *tokenizer;
  gint32          vocab;
} Kind;

static Kind
open_kind (const char *model)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models", model, "text-q4_0.gguf", NULL);
  g_autoptr (FacetGguf) gguf = facet_gguf_open (path, NULL);
  Kind kind = { facet_tokenizer_new (gguf, NULL), 0 };

  g_assert (kind.tokenizer != NULL);
  kind.vocab = facet_tokenizer_size (kind.tokenizer);
  return kind;
}

static void
on_text (const char *text, gsize length, gpointer user_data)
{
  g_assert (g_utf8_validate_len (text, length, NULL));
  g_string_append_len (user_data, text, (gssize) length);
}

static void
check_calls (const GPtrArray *calls)
{
  for (guint i = 0; i < calls->len; i++) {
    const FacetCall *call = g_ptr_array_index (calls, i);
    g_autoptr (FacetJson) json = facet_json_parse_last (call->arguments, -1, NULL);

    g_assert (g_str_equal (call->name, "tool") || g_str_equal (call->name, "to"));
    g_assert (json != NULL && json->kind == FACET_JSON_OBJECT);
  }
}

/* Two bytes are a token; one that an open call refuses is left out. */
static void
check_answer (const Kind *kind, GPtrArray *tools, FacetCallForm form, const guint8 *data, gsize size)
{
  static const char *const stops[] = { "\n\n\n", NULL };
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_autoptr (GString) told = g_string_new (NULL);
  const FacetRendered rendered = { .stop_strings = stops, .form = form };
  const FacetReplyParams params = { .on_text = on_text, .user_data = told };
  g_autoptr (FacetAnswer) answer = NULL;
  g_auto (FacetReply) reply = { .text = NULL };

  facet_prompt_set_tools (prompt, tools, FACET_TOOLS_OFFERED, form);
  answer = facet_answer_new (kind->tokenizer, prompt, &rendered, &params, NULL);
  g_assert (answer != NULL);
  for (gsize i = 0; i + 1 < size; i += 2) {
    gint32 id = (data[i] << 8 | data[i + 1]) % kind->vocab;

    if (facet_answer_is_bound (answer) && !facet_answer_allows (answer, id, 1000))
      continue;
    if (facet_answer_take (answer, id))
      break;
  }
  facet_answer_end (answer);
  facet_answer_finish (answer, &reply);
  g_assert (g_utf8_validate (reply.text, -1, NULL) && g_utf8_validate (reply.thoughts, -1, NULL));
  g_assert (g_str_equal (told->str, reply.text));
  check_calls (reply.calls);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static Kind gemma3, gemma4;
  static GPtrArray *tools;

  if (tools == NULL) {
    gemma3 = open_kind ("gemma3-tiny");
    gemma4 = open_kind ("gemma4-tiny");
    tools = g_ptr_array_new ();
    g_ptr_array_add (tools, facet_tool_new ("tool", "d", SCHEMA, NULL));
    g_ptr_array_add (tools, facet_tool_new ("to", "d", NULL, NULL));
  }
  check_answer (&gemma4, tools, FACET_CALLS_FAMILY, data, size);
  check_answer (&gemma3, tools, FACET_CALLS_JSON, data, size);
  check_answer (&gemma3, tools, FACET_CALLS_LINES, data, size);
  return 0;
}
