/* input.h - standard input, which Ctrl-C interrupts
 *
 * Whoever reads what a person types, or what a pipe gives in place of one,
 * reads it here, since there is one buffer.
 */
#pragma once

#include <glib.h>

typedef enum {
  INPUT_READ,
  INPUT_INTERRUPTED, /* Ctrl-C, see interrupt_wait() */
  INPUT_END,
} InputResult;

InputResult input_byte (guint8 *byte);
/* Appends a line with its newline; the last one may lack it. What was read of
 * a line that was interrupted is dropped. */
InputResult input_line (GString *line);
