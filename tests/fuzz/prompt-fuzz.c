/* Tokenizer and chat template of each family: what people and models write, as
 * question, instruction, answer or result of a tool, never becomes a control token or marker, and it comes back byte for byte.
 * FACET_TEST_DATA names tests/data. */
#include "facet.h"

#include "chat/prompt.h"
#include "gguf/gguf.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  const char     *model;
  FacetFamily     family;
  guint           own; /* special tokens that the family's template writes for one question */
  FacetTokenizer *tokenizer;
} Kind;

static FacetTokenizer *
open_tokenizer (const char *model)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models", model, "text-q4_0.gguf", NULL);
  g_autoptr (FacetGguf) gguf = facet_gguf_open (path, NULL);
  FacetTokenizer *tokenizer = facet_tokenizer_new (gguf, NULL);

  g_assert (tokenizer != NULL);
  return tokenizer;
}

static guint
count_special (FacetTokenizer *tokenizer, const GArray *ids)
{
  guint n = 0;

  for (guint i = 0; i < ids->len; i++)
    n += facet_tokenizer_is_special (tokenizer, g_array_index (ids, gint32, i));
  return n;
}

static void
check_text (FacetTokenizer *tokenizer, const char *text, gsize length)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) back = g_string_new (NULL);

  facet_tokenizer_encode (tokenizer, text, length, FACET_TOKENIZE_TEXT, ids);
  g_assert (count_special (tokenizer, ids) == 0);
  for (guint i = 0; i < ids->len; i++)
    facet_tokenizer_decode (tokenizer, g_array_index (ids, gint32, i), back);
  g_assert (back->len == length && memcmp (back->str, text, length) == 0);
}

/* All that a prompt may hold says @text. */
static guint
special_in_talk (const Kind *kind, const char *text, gsize length)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_auto (FacetRendered) rendered = { .ids = NULL };

  facet_prompt_begin_turn (prompt, FACET_ROLE_SYSTEM);
  facet_prompt_add_text (prompt, text, (gssize) length);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_text (prompt, text, (gssize) length);
  facet_prompt_begin_turn (prompt, FACET_ROLE_MODEL);
  facet_prompt_add_text (prompt, text, (gssize) length);
  g_assert (facet_prompt_add_call (prompt, "tool", "{}", NULL));
  facet_prompt_add_result (prompt, "tool", text, (gssize) length);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_text (prompt, text, (gssize) length);
  g_assert (facet_prompt_render (prompt, kind->tokenizer, kind->family, TRUE, &rendered, NULL));
  return count_special (kind->tokenizer, rendered.ids);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static Kind kinds[] = { { "gemma3-tiny", FACET_FAMILY_GEMMA3, 4, NULL },
                          { "gemma3n-tiny", FACET_FAMILY_GEMMA3N, 4, NULL },
                          { "gemma4-tiny", FACET_FAMILY_GEMMA4, 6, NULL } };
  static const FacetTemplate ways[] = { FACET_TEMPLATE_FAMILY, FACET_TEMPLATE_TRANSCRIPT, FACET_TEMPLATE_RAW };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    if (kinds[k].tokenizer == NULL)
      kinds[k].tokenizer = open_tokenizer (kinds[k].model);
    check_text (kinds[k].tokenizer, (const char *) data, size);
    if (size > 0)
      g_assert (special_in_talk (&kinds[k], (const char *) data, size) == special_in_talk (&kinds[k], "x", 1));
    for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
      g_autoptr (FacetPrompt) prompt = facet_prompt_new (ways[i]);
      g_auto (FacetRendered) rendered = { .ids = NULL };

      facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
      facet_prompt_add_text (prompt, (const char *) data, size);
      g_assert (facet_prompt_render (prompt, kinds[k].tokenizer, kinds[k].family, TRUE, &rendered, NULL));
      g_assert (count_special (kinds[k].tokenizer, rendered.ids) == (ways[i] == FACET_TEMPLATE_FAMILY ? kinds[k].own : 1));
    }
  }
  return 0;
}
