#include "input.h"

#include <errno.h>
#include <unistd.h>

#include "interrupt.h"

static struct {
  guint8 bytes[4096];
  gssize at, end;
} buffer;

static InputResult
fill (void)
{
  do {
    if (!interrupt_wait (STDIN_FILENO))
      return INPUT_INTERRUPTED;
    buffer.at = 0;
    buffer.end = read (STDIN_FILENO, buffer.bytes, sizeof buffer.bytes);
  } while (buffer.end < 0 && (errno == EINTR || errno == EAGAIN));
  return buffer.end > 0 ? INPUT_READ : INPUT_END;
}

InputResult
input_byte (guint8 *byte)
{
  InputResult result = buffer.at < buffer.end ? INPUT_READ : fill ();

  if (result == INPUT_READ)
    *byte = buffer.bytes[buffer.at++];
  return result;
}

InputResult
input_line (GString *line)
{
  gsize length = line->len;
  InputResult result;
  guint8 byte = 0;

  while ((result = input_byte (&byte)) == INPUT_READ) {
    g_string_append_c (line, (char) byte);
    if (byte == '\n')
      return INPUT_READ;
  }
  if (result == INPUT_INTERRUPTED)
    g_string_truncate (line, length);
  return result == INPUT_END && line->len > length ? INPUT_READ : result;
}
