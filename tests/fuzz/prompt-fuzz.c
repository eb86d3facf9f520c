/* Tokenizer and chat template: what people type never becomes a control
 * token, and the text comes back. FACET_TEST_DATA names tests/data. */
#include "facet.h"

#include "chat/prompt.h"
#include "gguf/gguf.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static FacetTokenizer *
tokenizer (void)
{
  static FacetTokenizer *opened;

  if (opened == NULL) {
    g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q4_0.gguf", NULL);
    g_autoptr (FacetGguf) gguf = facet_gguf_open (path, NULL);

    opened = facet_tokenizer_new (gguf, NULL);
    g_assert (opened != NULL);
  }
  return opened;
}

static guint
count_control (const GArray *ids)
{
  guint n = 0;

  for (guint i = 0; i < ids->len; i++)
    n += facet_tokenizer_is_control (tokenizer (), g_array_index (ids, gint32, i));
  return n;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const FacetTemplate ways[] = { FACET_TEMPLATE_FAMILY, FACET_TEMPLATE_TRANSCRIPT, FACET_TEMPLATE_RAW };
  static const guint own[] = { 4, 1, 1 }; /* control tokens that the template itself writes for one question */
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  facet_tokenizer_encode (tokenizer (), (const char *) data, size, FACET_TOKENIZE_TEXT, ids);
  g_assert (count_control (ids) == 0);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    g_autoptr (FacetPrompt) prompt = facet_prompt_new (ways[i]);
    g_auto (FacetRendered) rendered = { .ids = NULL };

    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    facet_prompt_add_text (prompt, (const char *) data, size);
    g_assert (facet_prompt_render (prompt, tokenizer (), FACET_FAMILY_GEMMA3, TRUE, &rendered, NULL));
    g_assert (count_control (rendered.ids) == own[i]);
  }
  return 0;
}
