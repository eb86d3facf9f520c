#define G_LOG_DOMAIN "facet"

#include "facet-markdown-math.h"

#include <string.h>

#include "facet-math.h"

/* Formulas are shorter; without a bound, many beginnings without an end would
 * each be searched to the end. */
#define MAX_FORMULA 2000

enum {
  MARK_DOLLAR,
  MARK_DOLLARS,
  MARK_PARENTHESIS,
  MARK_BRACKET,
  N_MARKS
};

static const char *const closing[N_MARKS] = { "$", "$$", "\\)", "\\]" };

typedef struct {
  const char *at;
  const char *end;
  GString    *out;
  gboolean    blank;    /* the line before this one is */
  gboolean    in_list;  /* indented lines are no code */
  guint       replaced;
  const char *searched[N_MARKS]; /* before there no such mark closes what is still to come */
} Scan;

static void
copy (Scan *self, gsize length)
{
  g_string_append_len (self->out, self->at, length);
  self->at += length;
}

static gsize
run_of (const Scan *self, const char *at)
{
  const char *after = at;

  while (after < self->end && *after == *at)
    after++;
  return after - at;
}

static const char *
end_of_line (const Scan *self, const char *at)
{
  const char *newline = memchr (at, '\n', self->end - at);

  return newline != NULL ? newline : self->end;
}

static gboolean
is_blank (const char *at, const char *end)
{
  while (at < end && g_ascii_isspace (*at))
    at++;
  return at == end;
}

/* Where the formula that begins at @from is closed, before a blank line and not
 * behind a backslash; NULL: nowhere. */
static const char *
find_close (Scan *self, const char *from, int mark)
{
  gsize length = strlen (closing[mark]);
  const char *end = self->end - from > MAX_FORMULA ? from + MAX_FORMULA : self->end;
  const char *at;

  for (at = MAX (from, self->searched[mark]); at + length <= end; at++) {
    if (memcmp (at, closing[mark], length) == 0)
      return at;
    if (*at == '\n' && (mark == MARK_DOLLAR || is_blank (at + 1, end_of_line (self, at + 1))))
      break;
    if (*at == '\\')
      at++;
  }
  self->searched[mark] = MIN (at, self->end);
  return NULL;
}

static gboolean
is_tex (const char *at, const char *end)
{
  for (; at < end; at++)
    if (*at == '^' || *at == '_' || (*at == '\\' && at + 1 < end && (g_ascii_isalpha (at[1]) || at[1] == '\\')))
      return TRUE;
  return FALSE;
}

/* No words in it, but something. */
static gboolean
is_plain_formula (const char *at, const char *end)
{
  guint letters = 0;

  if (is_blank (at, end))
    return FALSE;
  for (; at < end; at++) {
    letters = g_ascii_isalpha (*at) ? letters + 1 : 0;
    if (letters > 2 || (guchar) *at > 127)
      return FALSE;
  }
  return TRUE;
}

/* Its characters mean nothing to Markdown; it has as many lines as @tex. */
static void
add_escaped (Scan *self, const char *text, const char *tex, const char *end)
{
  guint lines = 0;

  for (const char *at = tex; at < end; at++)
    lines += *at == '\n';
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '\n' && lines == 0) {
      g_string_append (self->out, "; ");
      continue;
    }
    if (*at == '\n')
      lines--;
    if (*at == '\n' || g_ascii_ispunct (*at))
      g_string_append_c (self->out, '\\');
    g_string_append_c (self->out, *at);
  }
  while (lines-- > 0)
    g_string_append_c (self->out, '\n');
}

/* Replaces what stands between the mark here, of as many bytes as the closing
 * one, and that; FALSE: it is no formula. */
static gboolean
replace (Scan *self, int mark)
{
  gsize length = strlen (closing[mark]);
  const char *start = self->at + length;
  const char *close = find_close (self, start, mark);
  g_autofree char *text = NULL;

  if (close == NULL || !(is_tex (start, close) || is_plain_formula (start, close)))
    return FALSE;
  if (mark == MARK_DOLLAR && (g_ascii_isspace (*start) || g_ascii_isspace (close[-1]) ||
                              (close + 1 < self->end && g_ascii_isalnum (close[1]))))
    return FALSE;
  text = facet_math_to_text (start, close - start);
  if (text == NULL || *text == '\0')
    return FALSE;
  add_escaped (self, text, start, close);
  self->at = close + length;
  self->replaced++;
  return TRUE;
}

/* A span of code with its backticks, a fence likewise. */
static void
copy_code (Scan *self)
{
  gsize ticks = run_of (self, self->at);
  const char *at = self->at + ticks;

  while (at < self->end && (*at != '`' || run_of (self, at) != ticks))
    at += *at == '`' ? run_of (self, at) : 1;
  copy (self, at < self->end ? (gsize) (at - self->at) + ticks : ticks);
}

/* Which kind of formula may begin here; -1: none. */
static int
mark_here (const Scan *self)
{
  char next = self->at + 1 < self->end ? self->at[1] : '\0';

  if (*self->at == '$')
    return next == '$' ? MARK_DOLLARS : MARK_DOLLAR;
  if (*self->at == '\\' && (next == '(' || next == '['))
    return next == '(' ? MARK_PARENTHESIS : MARK_BRACKET;
  return -1;
}

static void
scan_line (Scan *self, const char *end)
{
  while (self->at < end) {
    char c = *self->at;
    int mark = mark_here (self);

    if (c == '`')
      copy_code (self);
    else if (mark < 0 || !replace (self, mark))
      copy (self, c == '\\' || mark == MARK_DOLLARS ? MIN (2, self->end - self->at) : 1);
    if (self->at > end) /* a formula or code of several lines */
      end = end_of_line (self, self->at);
  }
}

/* Through the line that closes it. */
static void
copy_fence (Scan *self, const char *mark)
{
  gsize length = run_of (self, mark);
  char fence = *mark;

  copy (self, end_of_line (self, self->at) - self->at);
  while (self->at < self->end) {
    const char *line = self->at + 1;
    const char *end = end_of_line (self, line);

    copy (self, end - self->at);
    while (line < end && (g_ascii_isspace (*line) || *line == '>'))
      line++;
    if (line < end && *line == fence && run_of (self, line) >= length && is_blank (line + run_of (self, line), end))
      break;
  }
}

static gboolean
is_list_item (const char *at, const char *end)
{
  const char *mark = at;

  while (mark < end && g_ascii_isdigit (*mark))
    mark++;
  if (mark > at)
    return mark + 1 < end && (*mark == '.' || *mark == ')') && mark[1] == ' ';
  return mark + 1 < end && (*mark == '-' || *mark == '*' || *mark == '+') && mark[1] == ' ';
}

static void
scan_lines (Scan *self)
{
  while (self->at < self->end) {
    const char *end = end_of_line (self, self->at);
    const char *first = self->at;
    gboolean deep;

    while (first < end && (g_ascii_isspace (*first) || *first == '>'))
      first++;
    deep = first - self->at >= 4 || (first > self->at && *self->at == '\t');
    if (is_list_item (first, end))
      self->in_list = TRUE;
    else if (first == self->at && first < end)
      self->in_list = FALSE;
    if (first < end && (*first == '`' || *first == '~') && run_of (self, first) >= 3)
      copy_fence (self, first);
    else if (deep && self->blank && !self->in_list)
      copy (self, end - self->at);
    else
      scan_line (self, end);
    self->blank = first == end || (deep && self->blank);
    if (self->at < self->end)
      copy (self, 1);
  }
}

char *
facet_markdown_replace_math (const char *text, gsize length)
{
  Scan self = { .at = text, .end = text + length, .blank = TRUE };

  if (memchr (text, '$', length) == NULL && memchr (text, '\\', length) == NULL)
    return NULL;
  self.out = g_string_sized_new (length);
  scan_lines (&self);
  return g_string_free (self.out, self.replaced == 0);
}
