#include "core/json.h"

#include <stdarg.h>
#include <string.h>

#include "facet.h"

typedef struct {
  const char *start, *at, *end;
  int         depth;
  gboolean    last_counts; /* of members that come again */
  GError    **error;
} Parser;

static FacetJson *parse_value (Parser *parser);

static gboolean G_GNUC_PRINTF (2, 3)
fail (Parser *parser, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (parser->error, FACET_ERROR, FACET_ERROR_INVALID, "JSON, byte %" G_GSIZE_FORMAT ": %s", (gsize) (parser->at - parser->start), what);
  return FALSE;
}

static void
skip_blanks (Parser *parser)
{
  while (parser->at < parser->end && strchr (" \t\r\n", *parser->at) != NULL && *parser->at != '\0')
    parser->at++;
}

static gboolean
next_is (const Parser *parser, char wanted)
{
  return parser->at < parser->end && *parser->at == wanted;
}

static gboolean
take (Parser *parser, char wanted)
{
  skip_blanks (parser);
  if (!next_is (parser, wanted))
    return fail (parser, "expected “%c”", wanted);
  parser->at++;
  return TRUE;
}

/* ---- strings ---- */

static gboolean
parse_hex (Parser *parser, gunichar *unit)
{
  *unit = 0;
  for (int i = 0; i < 4; i++, parser->at++) {
    if (parser->at == parser->end || !g_ascii_isxdigit (*parser->at))
      return fail (parser, "expected four hexadecimal digits");
    *unit = *unit << 4 | g_ascii_xdigit_value (*parser->at);
  }
  return TRUE;
}

static gboolean
parse_unicode (Parser *parser, GString *text)
{
  gunichar unit, low;

  if (!parse_hex (parser, &unit))
    return FALSE;
  if (unit >= 0xd800 && unit < 0xdc00 && parser->end - parser->at > 2 && parser->at[0] == '\\' && parser->at[1] == 'u') {
    parser->at += 2;
    if (!parse_hex (parser, &low))
      return FALSE;
    if (low < 0xdc00 || low > 0xdfff)
      return fail (parser, "half of a surrogate pair");
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  if (unit == 0)
    return fail (parser, "a string holds NUL");
  if (unit >= 0xd800 && unit <= 0xdfff)
    return fail (parser, "half of a surrogate pair");
  g_string_append_unichar (text, unit);
  return TRUE;
}

static gboolean
parse_escape (Parser *parser, GString *text)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  char name = parser->at < parser->end ? *parser->at : '\0';
  const char *found = name != '\0' ? strchr (names, name) : NULL;

  if (name == 'u') {
    parser->at++;
    return parse_unicode (parser, text);
  }
  if (found == NULL)
    return fail (parser, "unknown escape");
  parser->at++;
  g_string_append_c (text, values[found - names]);
  return TRUE;
}

/* The text was checked to be UTF-8 as a whole. */
static char *
parse_string (Parser *parser)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (!take (parser, '"'))
    return NULL;
  while (!next_is (parser, '"')) {
    if (parser->at == parser->end || (guchar) *parser->at < 0x20) {
      fail (parser, parser->at == parser->end ? "a string does not end" : "a control character in a string");
      return NULL;
    }
    if (*parser->at != '\\')
      g_string_append_c (text, *parser->at++);
    else {
      parser->at++;
      if (!parse_escape (parser, text))
        return NULL;
    }
  }
  parser->at++;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- other values ---- */

static gsize
skip_digits (Parser *parser)
{
  const char *from = parser->at;

  while (parser->at < parser->end && g_ascii_isdigit (*parser->at))
    parser->at++;
  return parser->at - from;
}

static gboolean
parse_number (Parser *parser, FacetJson *json)
{
  const char *from = parser->at;
  gboolean zero;

  if (next_is (parser, '-'))
    parser->at++;
  zero = next_is (parser, '0');
  if (zero)
    parser->at++;
  else if (skip_digits (parser) == 0)
    return fail (parser, "expected a value");
  if (next_is (parser, '.')) {
    parser->at++;
    if (skip_digits (parser) == 0)
      return fail (parser, "expected a digit");
  }
  if (next_is (parser, 'e') || next_is (parser, 'E')) {
    parser->at++;
    if (next_is (parser, '+') || next_is (parser, '-'))
      parser->at++;
    if (skip_digits (parser) == 0)
      return fail (parser, "expected a digit");
  }
  json->kind = FACET_JSON_NUMBER;
  json->text = g_strndup (from, parser->at - from);
  return TRUE;
}

static gboolean
parse_word (Parser *parser, FacetJson *json)
{
  static const struct {
    const char   *text;
    FacetJsonKind kind;
    gboolean      boolean;
  } words[] = { { "true", FACET_JSON_BOOLEAN, TRUE }, { "false", FACET_JSON_BOOLEAN, FALSE }, { "null", FACET_JSON_NULL, FALSE } };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i].text);

    if ((gsize) (parser->end - parser->at) >= length && memcmp (parser->at, words[i].text, length) == 0) {
      parser->at += length;
      json->kind = words[i].kind;
      json->boolean = words[i].boolean;
      return TRUE;
    }
  }
  return parse_number (parser, json);
}

static gboolean
parse_name (Parser *parser, FacetJson *json)
{
  g_autofree char *name = NULL;
  guint index;

  skip_blanks (parser);
  name = parse_string (parser);
  if (name == NULL)
    return FALSE;
  if (g_ptr_array_find_with_equal_func (json->names, name, g_str_equal, &index)) {
    if (!parser->last_counts)
      return fail (parser, "a member twice");
    g_ptr_array_remove_index (json->names, index);
    g_ptr_array_remove_index (json->items, index);
  }
  g_ptr_array_add (json->names, g_steal_pointer (&name));
  return take (parser, ':');
}

static gboolean
parse_items (Parser *parser, FacetJson *json, char close)
{
  gboolean first = TRUE;

  parser->at++;
  json->items = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_json_free);
  if (json->kind == FACET_JSON_OBJECT)
    json->names = g_ptr_array_new_with_free_func (g_free);
  for (skip_blanks (parser); !next_is (parser, close); skip_blanks (parser)) {
    FacetJson *item;

    if (!first && !take (parser, ','))
      return FALSE;
    first = FALSE;
    if (json->kind == FACET_JSON_OBJECT && !parse_name (parser, json))
      return FALSE;
    item = parse_value (parser);
    if (item == NULL)
      return FALSE;
    g_ptr_array_add (json->items, item);
  }
  parser->at++;
  return TRUE;
}

static FacetJson *
parse_value (Parser *parser)
{
  g_autoptr (FacetJson) json = g_new0 (FacetJson, 1);
  gboolean done;

  skip_blanks (parser);
  if (parser->depth == FACET_JSON_MAX_DEPTH) {
    fail (parser, "more than %d levels", FACET_JSON_MAX_DEPTH);
    return NULL;
  }
  parser->depth++;
  if (next_is (parser, '{') || next_is (parser, '[')) {
    json->kind = next_is (parser, '{') ? FACET_JSON_OBJECT : FACET_JSON_ARRAY;
    done = parse_items (parser, json, json->kind == FACET_JSON_OBJECT ? '}' : ']');
  } else if (next_is (parser, '"')) {
    json->kind = FACET_JSON_STRING;
    json->text = parse_string (parser);
    done = json->text != NULL;
  } else {
    done = parse_word (parser, json);
  }
  parser->depth--;
  return done ? g_steal_pointer (&json) : NULL;
}

static FacetJson *
parse_text (const char *text, gssize length, gboolean last_counts, GError **error)
{
  gsize bytes = length < 0 ? strlen (text) : (gsize) length;
  Parser parser = { text, text, text + bytes, 0, last_counts, error };
  g_autoptr (FacetJson) json = NULL;

  if (bytes > FACET_JSON_MAX_BYTES) {
    fail (&parser, "%" G_GSIZE_FORMAT " bytes are more than %u", bytes, FACET_JSON_MAX_BYTES);
    return NULL;
  }
  if (!g_utf8_validate_len (text, bytes, &parser.at)) {
    fail (&parser, "not UTF-8");
    return NULL;
  }
  parser.at = text;
  json = parse_value (&parser);
  if (json == NULL)
    return NULL;
  skip_blanks (&parser);
  if (parser.at < parser.end) {
    fail (&parser, "more after the end");
    return NULL;
  }
  return g_steal_pointer (&json);
}

FacetJson *
facet_json_parse (const char *text, gssize length, GError **error)
{
  return parse_text (text, length, FALSE, error);
}

FacetJson *
facet_json_parse_last (const char *text, gssize length, GError **error)
{
  return parse_text (text, length, TRUE, error);
}

void
facet_json_free (FacetJson *json)
{
  g_free (json->text);
  g_clear_pointer (&json->names, g_ptr_array_unref);
  g_clear_pointer (&json->items, g_ptr_array_unref);
  g_free (json);
}

const FacetJson *
facet_json_member (const FacetJson *json, const char *name)
{
  guint index;

  if (json->kind != FACET_JSON_OBJECT || !g_ptr_array_find_with_equal_func (json->names, name, g_str_equal, &index))
    return NULL;
  return g_ptr_array_index (json->items, index);
}

const char *
facet_json_string (const FacetJson *json, const char *name)
{
  const FacetJson *member = facet_json_member (json, name);

  return member != NULL && member->kind == FACET_JSON_STRING ? member->text : NULL;
}

void
facet_json_write_escaped (GString *out, const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    guchar byte = text[i];

    if (byte == '"' || byte == '\\')
      g_string_append_printf (out, "\\%c", byte);
    else if (byte == '\n')
      g_string_append (out, "\\n");
    else if (byte < 0x20)
      g_string_append_printf (out, "\\u%04x", byte);
    else
      g_string_append_c (out, byte);
  }
}

static void
write_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  facet_json_write_escaped (out, text, strlen (text));
  g_string_append_c (out, '"');
}

void
facet_json_write (GString *out, const FacetJson *json)
{
  gboolean object = json->kind == FACET_JSON_OBJECT;

  switch (json->kind) {
  case FACET_JSON_NULL:
    g_string_append (out, "null");
    break;
  case FACET_JSON_BOOLEAN:
    g_string_append (out, json->boolean ? "true" : "false");
    break;
  case FACET_JSON_NUMBER:
    g_string_append (out, json->text);
    break;
  case FACET_JSON_STRING:
    write_string (out, json->text);
    break;
  case FACET_JSON_ARRAY:
  case FACET_JSON_OBJECT:
    g_string_append_c (out, object ? '{' : '[');
    for (guint i = 0; i < json->items->len; i++) {
      if (i > 0)
        g_string_append_c (out, ',');
      if (object) {
        write_string (out, g_ptr_array_index (json->names, i));
        g_string_append_c (out, ':');
      }
      facet_json_write (out, g_ptr_array_index (json->items, i));
    }
    g_string_append_c (out, object ? '}' : ']');
    break;
  }
}
