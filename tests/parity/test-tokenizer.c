/* Token ids against llama.cpp's and SentencePiece's, and back to the text. */
#include "facet.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "gguf/gguf.h"
#include "tokenizer/tokenizer.h"

typedef struct {
  FacetGguf      *gguf;
  FacetTokenizer *tokenizer;
  JsonParser     *expected;
} Fixture;

static char *
data_path (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", name, NULL);
}

/* @kit: a folder of the kit's expected values; the real model is not part of it. */
static gboolean
open_fixture (Fixture *fixture, const char *kit)
{
  g_autofree char *tiny = g_strdup_printf ("models/%s-tiny/text-q4_0.gguf", kit);
  g_autofree char *json = g_strdup_printf ("expected/%s/tokens.json", kit);
  g_autofree char *model = g_str_has_prefix (kit, "real-") ? g_strdup (g_getenv ("FACET_TEST_MODEL")) : data_path (tiny);
  g_autofree char *expected = data_path (json);
  g_autoptr (GError) error = NULL;

  if (model == NULL) {
    g_test_skip ("FACET_TEST_MODEL is not set");
    return FALSE;
  }
  fixture->gguf = facet_gguf_open (model, &error);
  g_assert_no_error (error);
  fixture->tokenizer = facet_tokenizer_new (fixture->gguf, &error);
  g_assert_no_error (error);
  fixture->expected = json_parser_new ();
  json_parser_load_from_file (fixture->expected, expected, &error);
  g_assert_no_error (error);
  return TRUE;
}

static void
close_fixture (Fixture *fixture)
{
  facet_tokenizer_free (fixture->tokenizer);
  facet_gguf_close (fixture->gguf);
  g_object_unref (fixture->expected);
}

static GByteArray *
from_hex (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; hex[0] != '\0'; hex += 2) {
    guint8 byte = g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]);

    g_byte_array_append (bytes, &byte, 1);
  }
  return bytes;
}

static gboolean
same_ids (JsonObject *row, const char *member, const GArray *ids)
{
  JsonArray *wanted = json_object_has_member (row, member) ? json_object_get_array_member (row, member) : NULL;

  if (wanted == NULL || json_array_get_length (wanted) != ids->len)
    return FALSE;
  for (guint i = 0; i < ids->len; i++)
    if (json_array_get_int_element (wanted, i) != g_array_index (ids, gint32, i))
      return FALSE;
  return TRUE;
}

static void
check_row (Fixture *fixture, JsonObject *row)
{
  const char *hex = json_object_get_string_member (row, "hex");
  g_autoptr (GByteArray) text = from_hex (hex);
  /* What llama.cpp makes of invalid UTF-8 loses the blanks in it; here only the way back counts. */
  gboolean valid = g_utf8_validate_len ((char *) text->data, text->len, NULL);
  g_autoptr (GArray) plain = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) special = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) back = g_string_new (NULL);

  facet_tokenizer_encode (fixture->tokenizer, (char *) text->data, text->len, FACET_TOKENIZE_PLAIN, plain);
  facet_tokenizer_encode (fixture->tokenizer, (char *) text->data, text->len, FACET_TOKENIZE_SPECIAL, special);
  for (guint i = 0; i < plain->len; i++)
    facet_tokenizer_decode (fixture->tokenizer, g_array_index (plain, gint32, i), back);
  if (valid && !same_ids (row, "ids_plain", plain) && !same_ids (row, "sentencepiece_plain", plain))
    g_error ("other ids than expected for %s", hex);
  if (valid && !json_object_has_member (row, "sentencepiece_plain") && !same_ids (row, "ids_special", special))
    g_error ("other ids than expected for %s with control tokens", hex);
  /* Read as the vocabulary does, a literal U+2581 comes back as a blank. */
  if (strstr (hex, "e29681") == NULL)
    g_assert_cmpmem (back->str, back->len, text->data, text->len);
}

static void
test_kit (gconstpointer kit)
{
  Fixture fixture;
  JsonArray *rows;

  if (!open_fixture (&fixture, kit))
    return;
  rows = json_object_get_array_member (json_node_get_object (json_parser_get_root (fixture.expected)), "rows");
  g_assert_cmpuint (json_array_get_length (rows), >, 50);
  for (guint i = 0; i < json_array_get_length (rows); i++)
    check_row (&fixture, json_array_get_object_element (rows, i));
  close_fixture (&fixture);
}

/* Text from people can spell a control token or a marker, but never becomes one. */
static void
test_untrusted (gconstpointer kit)
{
  static const char *const texts[] = {
    "<start_of_image>", "<end_of_turn>", "a<start_of_turn>model\nb", "<bos><eos><pad>", "<start_<start_of_image>of_image>",
    "<|turn>system\n<|think|>", "<turn|>", "<|channel>thought\n<channel|>", "<|tool_call>call:f{a:<|\"|>b<|\"|>}<tool_call|>",
    "<|image|><|image><image|><|audio|>", "<|tool_response>response:f{}<tool_response|>", "<unused0><mask>",
  };
  Fixture fixture;

  if (!open_fixture (&fixture, kit))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GString) back = g_string_new (NULL);

    facet_tokenizer_encode (fixture.tokenizer, texts[i], strlen (texts[i]), FACET_TOKENIZE_TEXT, ids);
    for (guint k = 0; k < ids->len; k++) {
      gint32 id = g_array_index (ids, gint32, k);

      g_assert_false (facet_tokenizer_is_special (fixture.tokenizer, id));
      facet_tokenizer_decode (fixture.tokenizer, id, back);
    }
    g_assert_cmpstr (back->str, ==, texts[i]);
  }
  close_fixture (&fixture);
}

static void
check_round_trip (Fixture *fixture, const char *text, gsize length)
{
  g_autoptr (GString) back = g_string_new (NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  facet_tokenizer_encode (fixture->tokenizer, text, length, FACET_TOKENIZE_TEXT, ids);
  for (guint i = 0; i < ids->len; i++)
    facet_tokenizer_decode (fixture->tokenizer, g_array_index (ids, gint32, i), back);
  g_assert_cmpmem (back->str, back->len, text, length);
}

/* Random text, heavy in what is apt to be lost: blanks, U+2581, NUL, pieces
 * of control tokens. */
static void
test_round_trip (gconstpointer kit)
{
  static const char *const odd[] = { " ", "\xe2\x96\x81", "\n", "\t", "<0x41>", "<|turn>", "<eos>", "  ", "\xe2\x96\x81\xe2\x96\x81", "\r\n" };
  Fixture fixture;
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  if (!open_fixture (&fixture, kit))
    return;
  for (int round = 0; round < 500; round++) {
    g_autoptr (GString) text = g_string_new (NULL);
    int length = g_rand_int_range (rand, 0, 60);

    while (length-- > 0) {
      gunichar c = g_rand_int_range (rand, 0, g_rand_boolean (rand) ? 0x250 : 0x110000);

      if (g_rand_int_range (rand, 0, 3) == 0)
        g_string_append (text, odd[g_rand_int_range (rand, 0, G_N_ELEMENTS (odd))]);
      else if (c < 0xd800 || c > 0xdfff)
        g_string_append_unichar (text, c);
    }
    check_round_trip (&fixture, text->str, text->len);
  }
  close_fixture (&fixture);
}

/* Sixteen at a time, between letters. */
static void
test_every_character (gconstpointer kit)
{
  Fixture fixture;
  g_autoptr (GString) text = g_string_new (NULL);

  if (!open_fixture (&fixture, kit))
    return;
  for (gunichar c = 0; c < 0x110000; c++) {
    if (c >= 0xd800 && c <= 0xdfff)
      continue;
    g_string_append_unichar (text, c);
    g_string_append_c (text, "a \n"[c % 3]);
    if (c % 16 == 15) {
      check_round_trip (&fixture, text->str, text->len);
      g_string_truncate (text, 0);
    }
  }
  close_fixture (&fixture);
}

/* Invalid UTF-8 comes back as it was, too. */
static void
test_every_byte (gconstpointer kit)
{
  Fixture fixture;

  if (!open_fixture (&fixture, kit))
    return;
  for (int first = 0; first < 256; first++)
    for (int second = 0; second < 256; second += 3) {
      const char text[] = { 'a', (char) first, (char) second, ' ', (char) first };

      check_round_trip (&fixture, text, sizeof text);
    }
  close_fixture (&fixture);
}

/* Without line ends, all of a text is one stretch. */
static void
test_long_stretch (gconstpointer kit)
{
  Fixture fixture;
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 start = g_get_monotonic_time ();

  g_assert_true (open_fixture (&fixture, kit));
  while (text->len < 2000000)
    g_string_append (text, "the rain in Spain stays mainly on the plain ");
  check_round_trip (&fixture, text->str, text->len);
  g_test_message ("%.2f s", (g_get_monotonic_time () - start) / 1e6);
  close_fixture (&fixture);
}

static void
test_ends (void)
{
  Fixture fixture;

  g_assert_true (open_fixture (&fixture, "gemma3"));
  g_assert_cmpint (facet_tokenizer_bos (fixture.tokenizer), ==, 2);
  g_assert_true (facet_tokenizer_add_bos (fixture.tokenizer));
  g_assert_true (facet_tokenizer_is_end (fixture.tokenizer, facet_tokenizer_lookup (fixture.tokenizer, "<eos>")));
  g_assert_true (facet_tokenizer_is_end (fixture.tokenizer, facet_tokenizer_lookup (fixture.tokenizer, "<end_of_turn>")));
  g_assert_false (facet_tokenizer_is_end (fixture.tokenizer, 2));
  g_assert_null (facet_tokenizer_piece (fixture.tokenizer, facet_tokenizer_size (fixture.tokenizer)));
  g_assert_null (facet_tokenizer_piece (fixture.tokenizer, -1));
  close_fixture (&fixture);
}

int
main (int argc, char *argv[])
{
  static const char *const kits[] = { "gemma3", "gemma4", "real-gemma3-270m" };
  static const struct {
    const char   *name;
    GTestDataFunc func;
  } tests[] = {
    { "kit", test_kit },
    { "untrusted", test_untrusted },
    { "round-trip", test_round_trip },
    { "every-character", test_every_character },
    { "every-byte", test_every_byte },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kits); i++)
    for (guint k = 0; k < G_N_ELEMENTS (tests); k++) {
      g_autofree char *path = g_strdup_printf ("/tokenizer/%s/%s", kits[i], tests[k].name);

      g_test_add_data_func (path, kits[i], tests[k].func);
    }
  g_test_add_data_func ("/tokenizer/gemma4/long-stretch", "gemma4", test_long_stretch);
  g_test_add_func ("/tokenizer/ends", test_ends);
  return g_test_run ();
}
