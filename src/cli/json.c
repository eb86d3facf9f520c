#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
append_quoted (GString *json, const char *value, gssize length)
{
  g_autofree char *valid = g_utf8_make_valid (value, length);

  g_string_append_c (json, '"');
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (c == '"' || c == '\\')
      g_string_append_printf (json, "\\%c", c);
    else if (c == '\n')
      g_string_append (json, "\\n");
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) /* control characters, which a terminal might obey */
      g_string_append_printf (json, "\\u%04x", c);
    else
      g_string_append_unichar (json, c);
  }
  g_string_append_c (json, '"');
}

static void
begin_member (GString *json, const char *name)
{
  if (json->len > 0 && strchr ("{[", json->str[json->len - 1]) == NULL)
    g_string_append_c (json, ',');
  if (name != NULL) {
    append_quoted (json, name, -1);
    g_string_append_c (json, ':');
  }
}

void
json_open (GString *json, const char *name, char bracket)
{
  begin_member (json, name);
  g_string_append_c (json, bracket);
}

void
json_close (GString *json, char bracket)
{
  g_string_append_c (json, bracket);
}

void
json_string (GString *json, const char *name, const char *value, gssize length)
{
  begin_member (json, name);
  append_quoted (json, value, length);
}

void
json_integer (GString *json, const char *name, gint64 value)
{
  begin_member (json, name);
  g_string_append_printf (json, "%" G_GINT64_FORMAT, value);
}

void
json_value (GString *json, const char *name, const char *value)
{
  begin_member (json, name);
  g_string_append (json, value);
}

void
json_number (GString *json, const char *name, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  begin_member (json, name);
  g_string_append (json, isfinite (value) ? g_ascii_formatd (buffer, sizeof buffer, "%.9g", value) : "null");
}

void
json_print (const GString *json)
{
  fwrite (json->str, 1, json->len, stdout);
  fputc ('\n', stdout);
}
