/* line-reader.h - reading what a person types
 *
 * On a terminal with editing and, for as long as the program runs, history;
 * else line by line. What is pasted at a terminal is part of one line, whatever
 * line ends it has. What was typed is never written to a file.
 */
#pragma once

#include <glib.h>

typedef struct LineReader LineReader;

typedef enum {
  LINE_READ,
  LINE_INTERRUPTED, /* Ctrl-C; what was typed is dropped */
  LINE_END,         /* Ctrl-D or the end of the file */
} LineResult;

LineReader *line_reader_new  (void);
void        line_reader_free (LineReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LineReader, line_reader_free)

gboolean    line_reader_is_terminal (LineReader *reader);

/* Sets @line, without the newline, if LINE_READ. A line that ends in a
 * backslash goes on in the next one. Invalid UTF-8 is replaced. */
LineResult  line_reader_read (LineReader *reader, char **line);
