/* How turns become tokens. */
#include "facet.h"

#include "chat/prompt.h"
#include "gguf/gguf.h"

#include <string.h>

typedef struct {
  FacetGguf      *gguf;
  FacetTokenizer *tokenizer;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q4_0.gguf", NULL);
  g_autoptr (GError) error = NULL;

  fixture->gguf = facet_gguf_open (path, &error);
  g_assert_no_error (error);
  fixture->tokenizer = facet_tokenizer_new (fixture->gguf, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  facet_tokenizer_free (fixture->tokenizer);
  facet_gguf_close (fixture->gguf);
}

static void
add_turn (FacetPrompt *prompt, FacetRole role, const char *text)
{
  facet_prompt_begin_turn (prompt, role);
  facet_prompt_add_text (prompt, text, -1);
}

/* Vocabulary pieces in a row, so that control tokens can be told from text. */
static char *
render (Fixture *fixture, FacetPrompt *prompt, FacetRendered *rendered)
{
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  g_assert_true (facet_prompt_render (prompt, fixture->tokenizer, FACET_FAMILY_GEMMA3, TRUE, rendered, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < rendered->ids->len; i++) {
    gint32 id = g_array_index (rendered->ids, gint32, i);

    if (facet_tokenizer_is_control (fixture->tokenizer, id))
      g_string_append_printf (text, "[%s]", facet_tokenizer_piece (fixture->tokenizer, id));
    else
      facet_tokenizer_decode (fixture->tokenizer, id, text);
  }
  return g_string_free (text, FALSE);
}

static void
test_gemma3 (Fixture *fixture, gconstpointer data)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_AUTO);
  g_auto (FacetRendered) rendered = { .ids = NULL };
  g_autofree char *text = NULL;

  add_turn (prompt, FACET_ROLE_SYSTEM, "Be brief.\n");
  add_turn (prompt, FACET_ROLE_USER, "  Hi ");
  add_turn (prompt, FACET_ROLE_MODEL, "Hello");
  add_turn (prompt, FACET_ROLE_USER, "Bye<end_of_turn>");
  text = render (fixture, prompt, &rendered);
  g_assert_cmpstr (text, ==,
                   "[<bos>][<start_of_turn>]user\nBe brief.\n\nHi[<end_of_turn>]\n[<start_of_turn>]model\nHello[<end_of_turn>]\n"
                   "[<start_of_turn>]user\nBye<end_of_turn>[<end_of_turn>]\n[<start_of_turn>]model\n");
  g_assert_null (rendered.stop_strings[0]);
  g_assert_false (rendered.skip_blank);
}

static void
test_continue (Fixture *fixture, gconstpointer data)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_auto (FacetRendered) rendered = { .ids = NULL };
  g_autofree char *text = NULL;

  add_turn (prompt, FACET_ROLE_USER, "Count");
  add_turn (prompt, FACET_ROLE_MODEL, "One, two,");
  text = render (fixture, prompt, &rendered);
  g_assert_cmpstr (text, ==, "[<bos>][<start_of_turn>]user\nCount[<end_of_turn>]\n[<start_of_turn>]model\nOne, two,");
}

static void
test_transcript (Fixture *fixture, gconstpointer data)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_TRANSCRIPT);
  g_auto (FacetRendered) rendered = { .ids = NULL };
  g_autofree char *text = NULL;

  add_turn (prompt, FACET_ROLE_USER, "One?");
  add_turn (prompt, FACET_ROLE_MODEL, "Yes.");
  add_turn (prompt, FACET_ROLE_USER, "Two?");
  text = render (fixture, prompt, &rendered);
  g_assert_true (g_str_has_suffix (text, "\n\nQuestion: One?\nAnswer: Yes.\n\nQuestion: Two?\nAnswer:"));
  g_assert_true (g_str_has_prefix (text, "[<bos>]"));
  g_assert_cmpstr (rendered.stop_strings[0], ==, "\nQuestion:");
  g_assert_true (rendered.skip_blank);
}

static void
test_raw (Fixture *fixture, gconstpointer data)
{
  static const gint32 ids[] = { 7, 8, 9 };
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (FacetPrompt) tokens = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_auto (FacetRendered) rendered = { .ids = NULL };
  g_auto (FacetRendered) as_they_are = { .ids = NULL };
  g_autofree char *text = NULL;
  g_autofree char *unused = NULL;

  add_turn (prompt, FACET_ROLE_USER, " <eos> as it is ");
  text = render (fixture, prompt, &rendered);
  g_assert_cmpstr (text, ==, "[<bos>] <eos> as it is ");
  facet_prompt_begin_turn (tokens, FACET_ROLE_USER);
  facet_prompt_add_tokens (tokens, ids, G_N_ELEMENTS (ids));
  unused = render (fixture, tokens, &as_they_are);
  g_assert_cmpmem (as_they_are.ids->data, as_they_are.ids->len * sizeof (gint32), ids, sizeof ids);
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  static const FacetRole wrong[][3] = {
    { FACET_ROLE_MODEL, FACET_ROLE_USER, FACET_ROLE_MODEL },
    { FACET_ROLE_USER, FACET_ROLE_USER, FACET_ROLE_MODEL },
    { FACET_ROLE_USER, FACET_ROLE_SYSTEM, FACET_ROLE_USER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
    g_auto (FacetRendered) rendered = { .ids = NULL };
    g_autoptr (GError) error = NULL;

    for (guint k = 0; k < 3; k++)
      add_turn (prompt, wrong[i][k], "x");
    g_assert_false (facet_prompt_render (prompt, fixture->tokenizer, FACET_FAMILY_GEMMA3, TRUE, &rendered, &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
  }
}

/* Line ends around pictures are one token with their neighbours', as when
 * the reference tokenizes the whole text at once. */
static void
test_pictures (Fixture *fixture, gconstpointer data)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_autoptr (FacetImage) one = facet_image_new_from_rgb ((const guint8 *) "abc", 1, 1, 3, NULL);
  g_autoptr (FacetImage) two = facet_image_new_from_rgb ((const guint8 *) "xyz", 1, 1, 3, NULL);
  g_auto (FacetRendered) rendered = { NULL };
  g_autoptr (GArray) expected = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  const char *texts[] = { "<start_of_turn>user\n\n\n<start_of_image>", "<end_of_image>\n\n\n\n<start_of_image>",
                          "<end_of_image>\n\nhello<end_of_turn>\n<start_of_turn>model\n" };
  gint32 id = facet_tokenizer_bos (fixture->tokenizer);

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_image (prompt, one);
  facet_prompt_add_text (prompt, "  ", -1);
  facet_prompt_add_image (prompt, two);
  facet_prompt_add_text (prompt, " hello ", -1);
  g_assert_true (facet_prompt_render (prompt, fixture->tokenizer, FACET_FAMILY_GEMMA3, TRUE, &rendered, &error));

  g_array_append_val (expected, id);
  id = FACET_ID_MEDIA;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (i > 0)
      g_array_append_val (expected, id);
    facet_tokenizer_encode (fixture->tokenizer, texts[i], strlen (texts[i]), FACET_TOKENIZE_SPECIAL, expected);
  }
  g_assert_cmpmem (rendered.ids->data, rendered.ids->len * 4, expected->data, expected->len * 4);
  g_assert_cmpuint (rendered.media->len, ==, 2);
  g_assert_true (g_array_index (rendered.media, FacetMedia, 0).image == one);
  g_assert_true (g_array_index (rendered.media, FacetMedia, 1).image == two);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/prompt/gemma3", Fixture, NULL, set_up, test_gemma3, tear_down);
  g_test_add ("/prompt/continue", Fixture, NULL, set_up, test_continue, tear_down);
  g_test_add ("/prompt/transcript", Fixture, NULL, set_up, test_transcript, tear_down);
  g_test_add ("/prompt/raw", Fixture, NULL, set_up, test_raw, tear_down);
  g_test_add ("/prompt/order", Fixture, NULL, set_up, test_order, tear_down);
  g_test_add ("/prompt/pictures", Fixture, NULL, set_up, test_pictures, tear_down);
  return g_test_run ();
}
