#include "line-reader.h"

#include <histedit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "input.h"

#define HISTORY_LINES 500

struct LineReader {
  EditLine   *edit;     /* NULL: no terminal */
  History    *history;
  const char *prompt;
  gboolean    interrupted; /* while this line is read */
};

static char *
get_prompt (EditLine *edit)
{
  LineReader *reader;

  el_get (edit, EL_CLIENTDATA, &reader);
  return (char *) reader->prompt;
}

/* The editor's source of letters: 1, 0 at the end, -1 for Ctrl-C. What is no
 * letter in the locale's encoding stands for one that cannot be shown. */
static int
read_letter (EditLine *edit, wchar_t *letter)
{
  mbstate_t state = { 0 };
  LineReader *reader;
  guint8 byte;

  for (;;) {
    InputResult result = input_byte (&byte);
    size_t used;

    if (result != INPUT_READ) {
      el_get (edit, EL_CLIENTDATA, &reader);
      reader->interrupted = result == INPUT_INTERRUPTED;
      return result == INPUT_END ? 0 : -1;
    }
    used = mbrtowc (letter, (const char *) &byte, 1, &state);
    if (used == (size_t) -1)
      *letter = L'\xfffd';
    if (used != (size_t) -2)
      return 1;
  }
}

/* What is pasted goes into the line with its line ends, so that it is one
 * message. Terminals put it between these, once they are asked to. */
#define PASTE_ON   "\033[?2004h"
#define PASTE_OFF  "\033[?2004l"
#define PASTE_FROM "\033[200~"
#define PASTE_TO   L"\033[201~"

/* Ends the line if Ctrl-C comes before all of it. */
static unsigned char
paste (EditLine *edit, int key)
{
  g_autoptr (GArray) text = g_array_new (TRUE, FALSE, sizeof (wchar_t));
  const gsize end = wcslen (PASTE_TO);
  wchar_t letter;

  while (text->len < end || wmemcmp (&g_array_index (text, wchar_t, text->len - end), PASTE_TO, end) != 0) {
    if (el_wgetc (edit, &letter) != 1)
      return CC_NEWLINE;
    if (letter == L'\r')
      letter = L'\n';
    if (letter != L'\0')
      g_array_append_val (text, letter);
  }
  g_array_set_size (text, text->len - end);
  el_winsertstr (edit, (const wchar_t *) (gpointer) text->data);
  return CC_REFRESH;
}

LineReader *
line_reader_new (void)
{
  LineReader *reader = g_new0 (LineReader, 1);
  HistEvent event;

  if (!isatty (STDIN_FILENO) || !isatty (STDOUT_FILENO))
    return reader;
  reader->edit = el_init ("facet", stdin, stdout, stderr);
  if (reader->edit == NULL)
    return reader;
  reader->history = history_init ();
  history (reader->history, &event, H_SETSIZE, HISTORY_LINES);
  history (reader->history, &event, H_SETUNIQUE, 1);
  el_set (reader->edit, EL_CLIENTDATA, reader);
  el_set (reader->edit, EL_GETCFN, read_letter);
  el_set (reader->edit, EL_PROMPT, get_prompt);
  el_set (reader->edit, EL_EDITOR, "emacs");
  el_set (reader->edit, EL_HIST, history, reader->history);
  el_set (reader->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set (reader->edit, EL_ADDFN, "facet-paste", "Insert what is pasted", paste);
  el_set (reader->edit, EL_BIND, PASTE_FROM, "facet-paste", NULL);
  el_source (reader->edit, NULL); /* the person's own .editrc */
  return reader;
}

void
line_reader_free (LineReader *reader)
{
  if (reader->history != NULL)
    history_end (reader->history);
  if (reader->edit != NULL)
    el_end (reader->edit);
  g_free (reader);
}

gboolean
line_reader_is_terminal (LineReader *reader)
{
  return reader->edit != NULL;
}

static void
set_pasting (const char *how)
{
  fputs (how, stdout);
  fflush (stdout);
}

static LineResult
read_edited (LineReader *reader, GString *text)
{
  int length = 0;
  const char *line;

  reader->interrupted = FALSE;
  set_pasting (PASTE_ON);
  line = el_gets (reader->edit, &length);
  set_pasting (PASTE_OFF);
  if (line == NULL || length <= 0 || reader->interrupted) {
    fputc ('\n', stdout);
    return reader->interrupted ? LINE_INTERRUPTED : LINE_END;
  }
  g_string_append_len (text, line, length);
  return LINE_READ;
}

static LineResult
read_plain (GString *text)
{
  switch (input_line (text)) {
  case INPUT_READ:
    return LINE_READ;
  case INPUT_INTERRUPTED:
    return LINE_INTERRUPTED;
  case INPUT_END:
    break;
  }
  return LINE_END;
}

LineResult
line_reader_read (LineReader *reader, char **line)
{
  g_autoptr (GString) text = g_string_new (NULL);
  HistEvent event;

  reader->prompt = "> ";
  for (;;) {
    LineResult result = reader->edit != NULL ? read_edited (reader, text) : read_plain (text);

    if (result == LINE_INTERRUPTED || (result == LINE_END && text->len == 0))
      return result;
    if (text->len > 0 && text->str[text->len - 1] == '\n')
      g_string_truncate (text, text->len - 1);
    if (result == LINE_END || text->len == 0 || text->str[text->len - 1] != '\\')
      break;
    text->str[text->len - 1] = '\n';
    reader->prompt = "… ";
  }
  *line = g_utf8_make_valid (text->str, text->len);
  if (reader->edit != NULL && text->len > 0)
    history (reader->history, &event, H_ENTER, *line);
  return LINE_READ;
}
