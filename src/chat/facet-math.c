#define G_LOG_DOMAIN "facet"

#include "facet-math.h"

#include <string.h>

#include "facet-math-symbols.h"

#define MAX_DEPTH 32

typedef struct {
  const char *at;
  const char *end;
  guint       depth;
  gboolean    failed;  /* nested too deeply */
  guint       matrix;  /* in how many: their rows stay in one line */
} Reader;

static void read_until (Reader *self, GString *out, const char *stop);

static gboolean
is_letter (char c)
{
  return g_ascii_isalpha (c);
}

static void
skip_blanks (Reader *self)
{
  while (self->at < self->end && g_ascii_isspace (*self->at))
    self->at++;
}

/* One space, never two, and none at the beginning. */
static void
add_space (GString *out)
{
  if (out->len > 0 && out->str[out->len - 1] != ' ' && out->str[out->len - 1] != '\n')
    g_string_append_c (out, ' ');
}

/* After a backslash: letters, or one other character. */
static char *
read_name (Reader *self)
{
  const char *start = self->at;

  while (self->at < self->end && is_letter (*self->at))
    self->at++;
  if (self->at == start && self->at < self->end)
    self->at = MIN (g_utf8_next_char (self->at), self->end);
  return g_strndup (start, self->at - start);
}

static void read_command (Reader *self, GString *out);

/* A group in braces, a command, or one character. */
static char *
read_argument (Reader *self)
{
  g_autoptr (GString) out = g_string_new (NULL);

  skip_blanks (self);
  if (self->at == self->end)
    return g_strdup ("");
  if (*self->at == '{') {
    self->at++;
    read_until (self, out, "}");
  } else if (*self->at == '\\') {
    self->at++;
    read_command (self, out);
    /* what ends a command stands between the script and what follows */
    while (g_ascii_isspace (self->at[-1]))
      self->at--;
  } else if (*self->at == '-') {
    self->at++;
    g_string_append (out, "−");
  } else {
    const char *next = MIN (g_utf8_next_char (self->at), self->end);

    g_string_append_len (out, self->at, next - self->at);
    self->at = next;
  }
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* As it stands: words with their blanks. */
static char *
read_words (Reader *self)
{
  const char *start;

  skip_blanks (self);
  if (self->at == self->end || *self->at != '{' || memchr (self->at, '}', self->end - self->at) == NULL)
    return read_argument (self);
  start = self->at + 1;
  self->at = memchr (start, '}', self->end - start);
  if (memchr (start, '\\', self->at - start) != NULL || memchr (start, '{', self->at - start) != NULL ||
      memchr (start, '_', self->at - start) != NULL || memchr (start, '^', self->at - start) != NULL) {
    self->at = start - 1;
    return read_argument (self);
  }
  self->at++;
  return g_strndup (start, self->at - 1 - start);
}

/* Behind a sign that belongs to what follows. */
static const char *
after_sign (const char *text)
{
  static const char *const signs[] = { "d", "∂", "√" };

  for (gsize i = 0; i < G_N_ELEMENTS (signs); i++)
    if (g_str_has_prefix (text, signs[i]))
      return text + strlen (signs[i]);
  return text;
}

/* Whether it needs no parentheses: a number, a letter with its scripts, also
 * behind a d, ∂ or √, a word. */
static gboolean
is_single (const char *text)
{
  const char *rest = after_sign (text);
  guint letters = 0, digits = 0;

  for (const char *at = *rest != '\0' ? rest : text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    GUnicodeType type = g_unichar_type (c);

    if (type == G_UNICODE_DECIMAL_NUMBER || c == '.')
      digits++;
    else if (g_unichar_isalpha (c) && type != G_UNICODE_MODIFIER_LETTER)
      letters++;
    else if (!g_unichar_ismark (c) && type != G_UNICODE_MODIFIER_LETTER && type != G_UNICODE_OTHER_NUMBER && c != 0x221E)
      return FALSE;
  }
  return letters == 0 || (digits == 0 && letters != 2);
}

static void
add_in_parentheses (GString *out, const char *text)
{
  g_string_append_printf (out, is_single (text) ? "%s" : "(%s)", text);
}

static void
add_script (GString *out, const char *text, gunichar (*script) (gunichar letter), char mark)
{
  g_autoptr (GString) found = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (c == ' ')
      continue;
    c = script (c);
    if (c == 0) {
      g_string_append_printf (out, g_utf8_strlen (text, -1) > 1 ? "%c(%s)" : "%c%s", mark, text);
      return;
    }
    g_string_append_unichar (found, c);
  }
  g_string_append (out, found->str);
}

static void
add_fraction (Reader *self, GString *out)
{
  g_autofree char *above = read_argument (self);
  g_autofree char *below = read_argument (self);

  add_in_parentheses (out, above);
  g_string_append_c (out, '/');
  add_in_parentheses (out, below);
}

static void
add_root (Reader *self, GString *out)
{
  g_autofree char *of = NULL;

  skip_blanks (self);
  if (self->at < self->end && *self->at == '[') {
    g_autoptr (GString) degree = g_string_new (NULL);

    self->at++;
    read_until (self, degree, "]");
    add_script (out, degree->str, facet_math_superscript, '^');
  }
  of = read_argument (self);
  g_string_append (out, "√");
  add_in_parentheses (out, of);
}

static void
add_accent (Reader *self, GString *out, const char *accent)
{
  g_autofree char *below = read_argument (self);

  for (const char *at = below; *at != '\0'; at = g_utf8_next_char (at)) {
    g_string_append_unichar (out, g_utf8_get_char (at));
    if (*at != ' ')
      g_string_append (out, accent);
  }
}

static void
add_double_struck (Reader *self, GString *out)
{
  g_autofree char *letters = read_argument (self);

  for (const char *at = letters; *at != '\0'; at = g_utf8_next_char (at))
    g_string_append_unichar (out, facet_math_double_struck (g_utf8_get_char (at)));
}

static void
end_row (Reader *self, GString *out)
{
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  if (self->matrix > 0)
    g_string_append (out, "; ");
  else if (out->len > 0)
    g_string_append_c (out, '\n');
  skip_blanks (self);
}

/* Rows of a matrix stay in one line, those of other environments are lines. */
static void
add_environment (Reader *self, GString *out)
{
  g_autofree char *name = read_words (self);
  g_autofree char *end = g_strdup_printf ("\\end{%s}", name);
  gboolean matrix = g_str_has_suffix (name, "matrix") || g_str_equal (name, "array") || g_str_has_prefix (name, "cases");
  const char *open = g_str_equal (name, "cases") ? "{ " : !matrix ? "" : *name == 'p' ? "(" : *name == 'v' ? "|" : "[";
  const char *close = *open == '(' ? ")" : *open == '[' ? "]" : *open == '|' ? "|" : "";

  if (g_str_equal (name, "array"))
    g_free (read_argument (self)); /* how its columns are set */
  g_string_append (out, open);
  skip_blanks (self);
  self->matrix += matrix;
  read_until (self, out, end);
  self->matrix -= matrix;
  while (out->len > 0 && g_ascii_isspace (out->str[out->len - 1]))
    g_string_truncate (out, out->len - 1);
  g_string_append (out, close);
}

/* The blank that ends a command stands for nothing, unless it stands before a sign, too: α x, but α + x. */
static void
end_symbol (Reader *self, GString *out)
{
  const char *before = self->at;

  skip_blanks (self);
  if (self->at > before && self->at < self->end && strchr ("+-=<>*/|", *self->at) != NULL)
    add_space (out);
}

static void
add_symbol (Reader *self, GString *out, const FacetMathSymbol *symbol)
{
  g_autofree char *words = NULL;

  switch (symbol->kind) {
  case FACET_MATH_OPERATOR:
    add_space (out);
    g_string_append_printf (out, "%s ", symbol->text);
    skip_blanks (self);
    break;
  case FACET_MATH_FUNCTION:
    g_string_append (out, symbol->text);
    skip_blanks (self);
    if (self->at < self->end && (g_ascii_isalnum (*self->at) || *self->at == '\\'))
      g_string_append_c (out, ' ');
    break;
  case FACET_MATH_NAME:
    words = read_words (self);
    if (*words == ' ')
      add_space (out);
    g_string_append (out, words + (*words == ' '));
    break;
  case FACET_MATH_ACCENT:
    add_accent (self, out, symbol->text);
    break;
  case FACET_MATH_NOTHING:
    skip_blanks (self);
    if (self->at < self->end && *self->at == '.' && (g_str_equal (symbol->name, "left") || g_str_equal (symbol->name, "right")))
      self->at++; /* no delimiter on this side */
    break;
  case FACET_MATH_ORDINARY:
  default:
    g_string_append (out, symbol->text);
    end_symbol (self, out);
    break;
  }
}

/* As it stands, with its arguments in braces. */
static void
add_unknown (Reader *self, GString *out, const char *name)
{
  g_string_append_printf (out, "\\%s", name);
  while (self->at < self->end && *self->at == '{') {
    const char *start = self->at;
    guint open = 0;

    do {
      open += *self->at == '{' ? 1 : *self->at == '}' ? -1 : 0;
      self->at++;
    } while (self->at < self->end && open > 0);
    g_string_append_len (out, start, self->at - start);
  }
}

/* After the backslash. */
static void
read_command (Reader *self, GString *out)
{
  g_autofree char *name = read_name (self);
  const FacetMathSymbol *symbol = facet_math_symbol (name);

  if (symbol != NULL)
    add_symbol (self, out, symbol);
  else if (g_str_has_suffix (name, "frac") && strlen (name) <= 5)
    add_fraction (self, out);
  else if (g_str_equal (name, "sqrt"))
    add_root (self, out);
  else if (g_str_equal (name, "mathbb"))
    add_double_struck (self, out);
  else if (g_str_equal (name, "begin"))
    add_environment (self, out);
  else if (g_str_equal (name, "\\"))
    end_row (self, out);
  else if (*name != '\0' && strchr (",;: ", *name) != NULL)
    add_space (out);
  else if (g_str_equal (name, "|"))
    g_string_append (out, "‖");
  else if (*name != '\0' && strchr ("{}%$#&_", *name) != NULL)
    g_string_append (out, name);
  else if (!g_str_equal (name, "!"))
    add_unknown (self, out, name);
}

static void
read_one (Reader *self, GString *out)
{
  char c = *self->at++;
  g_autofree char *argument = NULL;

  if (c == '\\') {
    read_command (self, out);
  } else if (c == '{') {
    read_until (self, out, "}");
  } else if (c == '^' || c == '_') {
    argument = read_argument (self);
    add_script (out, argument, c == '^' ? facet_math_superscript : facet_math_subscript, c);
  } else if (g_ascii_isspace (c) || c == '~') {
    add_space (out);
  } else if (c == '&') {
    if (self->matrix > 0)
      add_space (out);
  } else if (c == '-') {
    g_string_append (out, "−");
  } else if (c == '\'') {
    g_string_append (out, "′");
  } else if (c != '}') {
    g_string_append_c (out, c);
  }
}

/* Reads past @stop, or to the end. */
static void
read_until (Reader *self, GString *out, const char *stop)
{
  gsize length = strlen (stop);

  if (++self->depth > MAX_DEPTH)
    self->failed = TRUE;
  while (!self->failed && self->at < self->end) {
    if (length > 0 && (gsize) (self->end - self->at) >= length && memcmp (self->at, stop, length) == 0) {
      self->at += length;
      break;
    }
    read_one (self, out);
  }
  self->depth--;
}

char *
facet_math_to_text (const char *tex, gsize length)
{
  Reader self = { .at = tex, .end = tex + length };
  g_autoptr (GString) out = g_string_new (NULL);

  if (!g_utf8_validate_len (tex, length, NULL))
    return NULL;
  read_until (&self, out, "");
  if (self.failed)
    return NULL;
  return g_strstrip (g_string_free (g_steal_pointer (&out), FALSE));
}
