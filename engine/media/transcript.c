#include "facet.h"

#include <string.h>

#define SEAM 24        /* words looked at on either side */
#define LINE 42
#define CUE (2 * LINE) /* characters */

typedef struct {
  double start, end;
  char  *text;
} Segment;

struct FacetTranscript {
  GArray *segments; /* Segment */
};

static void
segment_clear (gpointer data)
{
  g_free (((Segment *) data)->text);
}

FacetTranscript *
facet_transcript_new (void)
{
  FacetTranscript *transcript = g_new (FacetTranscript, 1);

  transcript->segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  g_array_set_clear_func (transcript->segments, segment_clear);
  return transcript;
}

void
facet_transcript_free (FacetTranscript *transcript)
{
  if (transcript == NULL)
    return;
  g_array_unref (transcript->segments);
  g_free (transcript);
}

/* ---- joining ---- */

typedef struct {
  const char *start, *end; /* in the text, with its punctuation */
  char       *key;         /* letters and digits, case folded */
} Word;

static void
word_clear (gpointer data)
{
  g_free (((Word *) data)->key);
}

/* Scripts without blanks: each character is a word. */
static gboolean
stands_alone (gunichar c)
{
  GUnicodeScript script = g_unichar_get_script (c);

  return script == G_UNICODE_SCRIPT_HAN || script == G_UNICODE_SCRIPT_HIRAGANA || script == G_UNICODE_SCRIPT_KATAKANA
         || script == G_UNICODE_SCRIPT_THAI || script == G_UNICODE_SCRIPT_LAO || script == G_UNICODE_SCRIPT_KHMER;
}

static void
add_word (GArray *words, const char *start, const char *end)
{
  g_autoptr (GString) letters = g_string_new (NULL);
  Word word = { start, end, NULL };

  for (const char *p = start; p < end; p = g_utf8_next_char (p))
    if (g_unichar_isalnum (g_utf8_get_char (p)) || g_unichar_ismark (g_utf8_get_char (p)))
      g_string_append_unichar (letters, g_utf8_get_char (p));
  if (letters->len == 0)
    return;
  word.key = g_utf8_casefold (letters->str, -1);
  g_array_append_val (words, word);
}

static GArray *
cut_words (const char *text)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (Word));
  const char *p = text;

  g_array_set_clear_func (words, word_clear);
  while (*p != '\0') {
    const char *start = p;

    while (*p != '\0' && !g_unichar_isspace (g_utf8_get_char (p)) && !stands_alone (g_utf8_get_char (p)))
      p = g_utf8_next_char (p);
    if (p == start)
      p = g_utf8_next_char (p);
    add_word (words, start, p);
  }
  return words;
}

/* The longest run of equal words at the end of @a and the start of @b, of
 * those the one nearest the seam. A single short word proves nothing unless
 * it stands at the very seam. */
static int
find_run (GArray *a, GArray *b, guint *at_a, guint *at_b)
{
  guint from = a->len > SEAM ? a->len - SEAM : 0;
  int best = 0;

  for (guint i = from; i < a->len; i++)
    for (guint j = 0; j < MIN (b->len, SEAM); j++) {
      int n = 0;

      while (i + n < a->len && j + n < b->len
             && g_str_equal (g_array_index (a, Word, i + n).key, g_array_index (b, Word, j + n).key))
        n++;
      if (n < best || n == 0 || (n == best && i < *at_a))
        continue;
      if (n == 1 && g_utf8_strlen (g_array_index (a, Word, i).key, -1) < 4 && !(i + 1 == a->len && j == 0))
        continue;
      best = n;
      *at_a = i;
      *at_b = j;
    }
  return best;
}

/* Shortens @text_a to where the run ends; returns the rest of @text_b. */
static const char *
join (char *text_a, const char *text_b)
{
  g_autoptr (GArray) a = cut_words (text_a), b = cut_words (text_b);
  guint i = 0, j = 0;
  int n = find_run (a, b, &i, &j);

  if (n == 0)
    return text_b;
  text_a[g_array_index (a, Word, i + n - 1).end - text_a] = '\0';
  return g_array_index (b, Word, j + n - 1).end;
}

void
facet_transcript_add (FacetTranscript *transcript, const FacetPiece *piece, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  Segment *last = transcript->segments->len > 0
                  ? &g_array_index (transcript->segments, Segment, transcript->segments->len - 1) : NULL;
  Segment segment = { piece->start, piece->end, NULL };
  const char *rest = valid;

  if (piece->overlaps && last != NULL) {
    rest = join (last->text, valid);
    segment.start = last->end;
  }
  segment.text = g_strstrip (g_strdup (rest));
  if (*segment.text != '\0')
    g_array_append_val (transcript->segments, segment);
  else
    g_free (segment.text);
}

/* ---- writing ---- */

static gboolean
needs_blank (const char *before, gsize length, const char *after)
{
  const char *last = length > 0 ? g_utf8_find_prev_char (before, before + length) : NULL;

  return last != NULL && !stands_alone (g_utf8_get_char (last)) && !stands_alone (g_utf8_get_char (after));
}

/* Of the first @n segments. */
static char *
text_of (FacetTranscript *transcript, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++) {
    const char *next = g_array_index (transcript->segments, Segment, i).text;

    if (needs_blank (text->str, text->len, next))
      g_string_append_c (text, ' ');
    g_string_append (text, next);
  }
  return g_string_free (text, FALSE);
}

static char *
whole_text (FacetTranscript *transcript)
{
  return text_of (transcript, transcript->segments->len);
}

char *
facet_transcript_settled (FacetTranscript *transcript, gboolean next_overlaps)
{
  guint n = transcript->segments->len;

  return text_of (transcript, next_overlaps && n > 0 ? n - 1 : n);
}

/* Bytes of @text that fill a line or cue of @room characters, cut at a blank
 * where there is one. */
static gsize
fill (const char *text, long room)
{
  const char *p = text, *blank = NULL;

  for (long n = 0; *p != '\0' && n < room; n++, p = g_utf8_next_char (p))
    if (g_unichar_isspace (g_utf8_get_char (p)))
      blank = p;
  if (*p == '\0' || g_unichar_isspace (g_utf8_get_char (p)) || blank == NULL || blank == text)
    return (gsize) (p - text);
  return (gsize) (blank - text);
}

static void
append_time (GString *out, double seconds, char decimal)
{
  gint64 ms = (gint64) (seconds * 1000 + 0.5);

  g_string_append_printf (out, "%02d:%02d:%02d%c%03d", (int) (ms / 3600000), (int) (ms / 60000 % 60),
                          (int) (ms / 1000 % 60), decimal, (int) (ms % 1000));
}

/* One cue: no empty line, and none that a reader could take for a time. */
static void
append_lines (GString *out, const char *text, gsize length, gboolean vtt)
{
  g_autofree char *cue = g_strndup (text, length);
  const char *p = cue;

  g_strdelimit (g_strstrip (cue), "\r\n", ' ');
  while (*p != '\0') {
    gsize n = fill (p, LINE);

    for (gsize i = 0; i < n; i++) {
      if (vtt && p[i] == '&')
        g_string_append (out, "&amp;");
      else if (vtt && p[i] == '<')
        g_string_append (out, "&lt;");
      else if (p[i] == '>' && i > 0 && p[i - 1] == '-')
        g_string_append (out, vtt ? "&gt;" : " >");
      else
        g_string_append_c (out, p[i]);
    }
    g_string_append_c (out, '\n');
    p += n;
    while (*p == ' ')
      p++;
  }
}

static char *
write_cues (FacetTranscript *transcript, gboolean vtt)
{
  GString *out = g_string_new (vtt ? "WEBVTT\n\n" : NULL);
  int number = 1;

  for (guint i = 0; i < transcript->segments->len; i++) {
    const Segment *s = &g_array_index (transcript->segments, Segment, i);
    double a_byte = (s->end - s->start) / (double) strlen (s->text);

    for (const char *p = s->text; *p != '\0';) {
      gsize n = fill (p, CUE);

      if (!vtt)
        g_string_append_printf (out, "%d\n", number++);
      append_time (out, s->start + a_byte * (double) (p - s->text), vtt ? '.' : ',');
      g_string_append (out, " --> ");
      append_time (out, s->start + a_byte * (double) (p - s->text + n), vtt ? '.' : ',');
      g_string_append_c (out, '\n');
      append_lines (out, p, n, vtt);
      g_string_append_c (out, '\n');
      p += n;
      while (g_unichar_isspace (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
    }
  }
  return g_string_free (out, FALSE);
}

static void
append_json_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const guchar *p = (const guchar *) text; *p != '\0'; p++) {
    if (*p < 0x20)
      g_string_append_printf (out, "\\u%04x", *p);
    else if (*p == '"' || *p == '\\')
      g_string_append_printf (out, "\\%c", *p);
    else
      g_string_append_c (out, (char) *p);
  }
  g_string_append_c (out, '"');
}

static char *
write_json (FacetTranscript *transcript)
{
  g_autofree char *text = whole_text (transcript);
  GString *out = g_string_new ("{\"text\": ");
  char start[G_ASCII_DTOSTR_BUF_SIZE], end[G_ASCII_DTOSTR_BUF_SIZE];

  append_json_string (out, text);
  g_string_append (out, ", \"segments\": [");
  for (guint i = 0; i < transcript->segments->len; i++) {
    const Segment *s = &g_array_index (transcript->segments, Segment, i);

    g_ascii_formatd (start, sizeof start, "%.3f", s->start);
    g_ascii_formatd (end, sizeof end, "%.3f", s->end);
    g_string_append_printf (out, "%s{\"start\": %s, \"end\": %s, \"text\": ", i > 0 ? ", " : "", start, end);
    append_json_string (out, s->text);
    g_string_append_c (out, '}');
  }
  g_string_append (out, "]}\n");
  return g_string_free (out, FALSE);
}

char *
facet_transcript_write (FacetTranscript *transcript, FacetTranscriptFormat format)
{
  switch (format) {
  case FACET_TRANSCRIPT_SRT:
    return write_cues (transcript, FALSE);
  case FACET_TRANSCRIPT_VTT:
    return write_cues (transcript, TRUE);
  case FACET_TRANSCRIPT_JSON:
    return write_json (transcript);
  case FACET_TRANSCRIPT_TEXT:
  default:
    return whole_text (transcript);
  }
}
