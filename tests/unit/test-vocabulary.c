/* Vocabularies of hostile files: each way of breaking one is refused with an
 * error that names the field, and no text becomes a control piece. */
#include "facet.h"

#include "gguf/gguf.h"
#include "tokenizer/tokenizer.h"

#include <string.h>

#define GGUF_U32    4u
#define GGUF_F32    6u
#define GGUF_I32    5u
#define GGUF_STRING 8u
#define GGUF_ARRAY  9u

/* A small vocabulary: text pieces, the byte 'x', control pieces, a marker. */
static const char *const tokens[] = { "<unk>", "<bos>", "<eos>", "a", "b", "ab", "\xe2\x96\x81", "\xe2\x96\x81" "a", "\n", "\n\n",
                                      "<0x78>", "<|turn>", "<|tool_call>", "<|", "turn>", "tool_call>", "aba" };
static const gint32 types[] = { 2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 6, 3, 4, 1, 1, 1, 1 };
static const char *const merges[] = { "a b", "\xe2\x96\x81 a", "\n \n", "<| turn>", "<| tool_call>", "ab a" };

typedef enum { NOTHING, MODEL, MERGE, TYPE, N_TYPES, N_SCORES, N_MERGES, TOKEN, UNKNOWN, BOS } Change;

static const struct {
  Change         change;
  guint          index;
  const char    *text;
  gint64         value;
  FacetErrorCode code;
  const char    *message;
} rows[] = {
  { MODEL, 0, "gpt2", 0, FACET_ERROR_UNSUPPORTED, "\"gpt2\"" },
  { MODEL, 0, "", 0, FACET_ERROR_UNSUPPORTED, "tokenizer.ggml.model" },
  { N_MERGES, 0, NULL, 0, FACET_ERROR_MISSING, "tokenizer.ggml.merges" },
  { MERGE, 0, "", 0, FACET_ERROR_CORRUPT, "entry 0" },
  { MERGE, 1, " ", 0, FACET_ERROR_CORRUPT, "entry 1" },
  { MERGE, 2, "ab", 0, FACET_ERROR_CORRUPT, "entry 2" },
  { MERGE, 3, "a ", 0, FACET_ERROR_CORRUPT, "entry 3" },
  { MERGE, 4, " a", 0, FACET_ERROR_CORRUPT, "entry 4" },
  { MERGE, 5, "a b c", 0, FACET_ERROR_CORRUPT, "entry 5" },
  { MERGE, 0, "z b", 0, FACET_ERROR_CORRUPT, "entry 0" },
  { MERGE, 0, "a z", 0, FACET_ERROR_CORRUPT, "entry 0" },
  { MERGE, 0, "b a", 0, FACET_ERROR_CORRUPT, "entry 0" },
  { MERGE, 5, "\xff \xfe", 0, FACET_ERROR_CORRUPT, "entry 5" },
  { TYPE, 4, NULL, 0, FACET_ERROR_CORRUPT, "token 4" },
  { TYPE, 4, NULL, 7, FACET_ERROR_CORRUPT, "token 4" },
  { TYPE, 4, NULL, -1, FACET_ERROR_CORRUPT, "token 4" },
  { N_TYPES, 0, NULL, 3, FACET_ERROR_CORRUPT, "3 types" },
  { N_SCORES, 0, NULL, 0, FACET_ERROR_CORRUPT, "0 scores" },
  { UNKNOWN, 0, NULL, 17, FACET_ERROR_CORRUPT, "unknown_token_id is 17" },
  { BOS, 0, NULL, G_MAXUINT32, FACET_ERROR_CORRUPT, "bos_token_id is 4294967295" },
  { TOKEN, 1, "<boss>", -1, FACET_ERROR_MISSING, "beginning-of-text" },
};

static void
put_u32 (GByteArray *file, guint32 value)
{
  value = GUINT32_TO_LE (value);
  g_byte_array_append (file, (const guint8 *) &value, sizeof value);
}

static void
put_u64 (GByteArray *file, guint64 value)
{
  value = GUINT64_TO_LE (value);
  g_byte_array_append (file, (const guint8 *) &value, sizeof value);
}

static void
put_text (GByteArray *file, const char *text)
{
  put_u64 (file, strlen (text));
  g_byte_array_append (file, (const guint8 *) text, strlen (text));
}

static void
put_array (GByteArray *file, const char *key, guint32 element, guint64 n)
{
  put_text (file, key);
  put_u32 (file, GGUF_ARRAY);
  put_u32 (file, element);
  put_u64 (file, n);
}

static void
put_number (GByteArray *file, const char *key, guint32 value)
{
  put_text (file, key);
  put_u32 (file, GGUF_U32);
  put_u32 (file, value);
}

/* The vocabulary with row @row's change; -1: as it is. */
static GByteArray *
write_file (int row)
{
  GByteArray *file = g_byte_array_new ();
  Change change = row >= 0 ? rows[row].change : NOTHING;
  guint index = row >= 0 ? rows[row].index : 0;
  guint n_types = change == N_TYPES ? rows[row].value : (gint64) G_N_ELEMENTS (types);
  guint n_scores = change == N_SCORES ? rows[row].value : (gint64) G_N_ELEMENTS (tokens);
  guint n_merges = change == N_MERGES ? rows[row].value : (gint64) G_N_ELEMENTS (merges);
  gboolean named = change != TOKEN;

  g_byte_array_append (file, (const guint8 *) "GGUF", 4);
  put_u32 (file, 3);
  put_u64 (file, 0);
  put_u64 (file, 6 + named);
  put_text (file, "tokenizer.ggml.model");
  put_u32 (file, GGUF_STRING);
  put_text (file, change == MODEL ? rows[row].text : "gemma4");
  put_array (file, "tokenizer.ggml.tokens", GGUF_STRING, G_N_ELEMENTS (tokens));
  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    put_text (file, change == TOKEN && i == index ? rows[row].text : tokens[i]);
  put_array (file, "tokenizer.ggml.token_type", GGUF_I32, n_types);
  for (guint i = 0; i < n_types; i++)
    put_u32 (file, change == TYPE && i == index ? rows[row].value : types[i]);
  put_array (file, "tokenizer.ggml.scores", GGUF_F32, n_scores);
  for (guint i = 0; i < n_scores; i++)
    put_u32 (file, 0);
  put_array (file, "tokenizer.ggml.merges", GGUF_STRING, n_merges);
  for (guint i = 0; i < n_merges; i++)
    put_text (file, change == MERGE && i == index ? rows[row].text : merges[i]);
  put_number (file, "tokenizer.ggml.unknown_token_id", change == UNKNOWN ? rows[row].value : 0);
  if (named)
    put_number (file, "tokenizer.ggml.bos_token_id", change == BOS ? rows[row].value : 1);
  return file;
}

static void
test_hostile (gconstpointer data)
{
  int row = GPOINTER_TO_INT (data);
  g_autoptr (GByteArray) file = write_file (row);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (file->data, file->len, "hostile.gguf", &error);
  g_autoptr (FacetTokenizer) tokenizer = NULL;

  g_assert_no_error (error);
  tokenizer = facet_tokenizer_new (gguf, &error);
  g_assert_null (tokenizer);
  g_assert_error (error, FACET_ERROR, (int) rows[row].code);
  g_assert_nonnull (strstr (error->message, "hostile.gguf"));
  g_assert_nonnull (strstr (error->message, rows[row].message));
}

static char *
encode (FacetTokenizer *tokenizer, const char *text, FacetTokenizeMode mode)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  GString *list = g_string_new (NULL);

  facet_tokenizer_encode (tokenizer, text, strlen (text), mode, ids);
  for (guint i = 0; i < ids->len; i++)
    g_string_append_printf (list, i > 0 ? " %d" : "%d", g_array_index (ids, gint32, i));
  return g_string_free (list, FALSE);
}

/* By hand: the merge listed first wins, leftmost first. */
static void
test_merging (void)
{
  static const struct {
    const char       *text;
    FacetTokenizeMode mode;
    const char       *ids;
  } cases[] = {
    { "", FACET_TOKENIZE_TEXT, "" },
    { "ab", FACET_TOKENIZE_TEXT, "5" },
    { "aab", FACET_TOKENIZE_TEXT, "3 5" },
    { "ababa", FACET_TOKENIZE_TEXT, "5 16" },
    { " ab", FACET_TOKENIZE_TEXT, "6 5" },
    { " a", FACET_TOKENIZE_TEXT, "7" },
    { "\n\n", FACET_TOKENIZE_TEXT, "9" },
    { "\n\n\n", FACET_TOKENIZE_TEXT, "9 8" },
    { "a\nb", FACET_TOKENIZE_TEXT, "3 8 4" },
    { "x", FACET_TOKENIZE_TEXT, "10" },
    { "\xe2\x96\x81" "a", FACET_TOKENIZE_PLAIN, "7" },
    { "\xe2\x96\x81" "a", FACET_TOKENIZE_TEXT, "0 0 0 3" },
    /* Merges that end in a control piece or a marker do not count. */
    { "<|turn>", FACET_TOKENIZE_TEXT, "0 0 0 0 0 0 0" },
    { "<|turn>", FACET_TOKENIZE_SPECIAL, "11" },
    { "<|tool_call>", FACET_TOKENIZE_PLAIN, "12" },
    { "a<|tool_call>b", FACET_TOKENIZE_SPECIAL, "3 12 4" },
  };
  g_autoptr (GByteArray) file = write_file (-1);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (file->data, file->len, "sound.gguf", &error);
  g_autoptr (FacetTokenizer) tokenizer = facet_tokenizer_new (gguf, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *ids = encode (tokenizer, cases[i].text, cases[i].mode);

    g_test_message ("%s", cases[i].text);
    g_assert_cmpstr (ids, ==, cases[i].ids);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vocabulary/merging", test_merging);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/vocabulary/hostile/%u", i);

    g_test_add_data_func (path, GINT_TO_POINTER (i), test_hostile);
  }
  return g_test_run ();
}
