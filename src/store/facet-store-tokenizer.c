#define G_LOG_DOMAIN "facet-store"

#include <string.h>

#include "facet-store-db.h"

/* SQLite's unicode61 knows only Latin accents and takes a whole Chinese
 * sentence for one word, and its trigrams cannot find the two letters that
 * most Chinese words have. Here scripts written without blanks become one
 * token per letter (a word is then a phrase), and everything else is folded
 * by case, compatibility form and vowel signs. */

static gboolean
is_solo (gunichar c)
{
  if (c == 0x30fc || c == 0xff70)
    return TRUE;
  switch (g_unichar_get_script (c)) {
  case G_UNICODE_SCRIPT_HAN:
  case G_UNICODE_SCRIPT_HIRAGANA:
  case G_UNICODE_SCRIPT_KATAKANA:
  case G_UNICODE_SCRIPT_HANGUL:
  case G_UNICODE_SCRIPT_BOPOMOFO:
  case G_UNICODE_SCRIPT_THAI:
  case G_UNICODE_SCRIPT_LAO:
  case G_UNICODE_SCRIPT_KHMER:
  case G_UNICODE_SCRIPT_MYANMAR:
  case G_UNICODE_SCRIPT_YI:
    return g_unichar_isalnum (c) || g_unichar_ismark (c);
  default:
    return FALSE;
  }
}

/* Marks that readers leave out: Latin accents, Hebrew and Arabic vowel signs
 * and the Arabic stretching line. Marks of other scripts are letters. */
static gboolean
is_silent (gunichar c)
{
  return (c >= 0x0300 && c <= 0x036f) || (c >= 0x0591 && c <= 0x05c7) || (c >= 0x0610 && c <= 0x061a)
         || c == 0x0640 || (c >= 0x064b && c <= 0x065f) || c == 0x0670 || (c >= 0x06d6 && c <= 0x06ed);
}

static gboolean
is_word (gunichar c)
{
  return c < 128 ? g_ascii_isalnum (c) : g_unichar_isalnum (c) || g_unichar_ismark (c);
}

/* The character at @text, or -1 for a byte that is no UTF-8; @length is what
 * to skip. */
static gunichar
next_char (const char *text, const char *end, int *length)
{
  gunichar c;

  *length = 1;
  if ((guchar) *text < 128)
    return (guchar) *text;
  c = g_utf8_get_char_validated (text, end - text);
  if (c == (gunichar) -1 || c == (gunichar) -2)
    return (gunichar) -1;
  *length = g_utf8_skip[(guchar) *text];
  return c;
}

static void
fold (GString *out, const char *text, gsize length)
{
  g_autofree char *cased = NULL;
  g_autofree char *plain = NULL;
  gboolean ascii = TRUE;

  g_string_truncate (out, 0);
  for (gsize i = 0; i < length; i++) {
    ascii = ascii && (guchar) text[i] < 128;
    g_string_append_c (out, g_ascii_tolower (text[i]));
  }
  if (ascii)
    return;
  cased = g_utf8_casefold (text, length);
  plain = g_utf8_normalize (cased, -1, G_NORMALIZE_NFKD);
  g_string_truncate (out, 0);
  for (const char *p = plain; p && *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (!is_silent (c))
      g_string_append_unichar (out, c);
  }
}

static void
fold_solo (GString *out, const char *text, gsize length)
{
  g_autofree char *plain = g_utf8_normalize (text, length, G_NORMALIZE_NFKC);

  g_string_assign (out, plain ? plain : "");
}

typedef int (*TokenFunc) (void *data, int flags, const char *token, int length, int start, int end);

static int
tokenize (Fts5Tokenizer *self, void *data, int flags, const char *text, int length, TokenFunc token)
{
  g_autoptr (GString) folded = g_string_new (NULL);
  const char *end = text + length;
  const char *p = text;

  while (p < end) {
    const char *start = p;
    int n;
    gunichar c = next_char (p, end, &n);

    p += n;
    if (c == (gunichar) -1 || !is_word (c))
      continue;
    if (c >= 128 && is_solo (c)) {
      fold_solo (folded, start, n);
    } else {
      while (p < end && (c = next_char (p, end, &n)) != (gunichar) -1 && is_word (c) && !(c >= 128 && is_solo (c)))
        p += n;
      fold (folded, start, p - start);
    }
    if (folded->len > 0) {
      int result = token (data, 0, folded->str, folded->len, start - text, p - text);

      if (result != SQLITE_OK)
        return result;
    }
  }
  return SQLITE_OK;
}

static int
create (void *data, const char **argv, int argc, Fts5Tokenizer **tokenizer)
{
  static int stateless;

  *tokenizer = (Fts5Tokenizer *) &stateless;
  return SQLITE_OK;
}

static void
destroy (Fts5Tokenizer *tokenizer)
{
}

int
facet_store_tokenizer_register (sqlite3 *handle)
{
  static fts5_tokenizer tokenizer = { create, destroy, tokenize };
  sqlite3_stmt *statement = NULL;
  fts5_api *api = NULL;
  int result = sqlite3_prepare_v2 (handle, "SELECT fts5(?1)", -1, &statement, NULL);

  if (result != SQLITE_OK)
    return result;
  sqlite3_bind_pointer (statement, 1, &api, "fts5_api_ptr", NULL);
  sqlite3_step (statement);
  sqlite3_finalize (statement);
  if (api == NULL)
    return SQLITE_ERROR;
  return api->xCreateTokenizer (api, "facet", NULL, &tokenizer, NULL);
}

gboolean
facet_store_tokenizer_has_word (const char *text)
{
  const char *end = text + strlen (text);
  int n;

  for (const char *p = text; p < end; p += n) {
    gunichar c = next_char (p, end, &n);

    if (c != (gunichar) -1 && is_word (c) && !is_silent (c))
      return TRUE;
  }
  return FALSE;
}
