/* json.h - writing JSON
 *
 * Members are appended to a GString that starts as "{"; commas are put where
 * they belong. A @name of NULL appends an array element instead.
 */
#pragma once

#include <glib.h>

void json_open    (GString *json, const char *name, char bracket); /* '{' or '[' */
void json_close   (GString *json, char bracket);                   /* '}' or ']' */
/* Invalid UTF-8 is replaced. @length -1: until NUL. */
void json_string  (GString *json, const char *name, const char *value, gssize length);
void json_integer (GString *json, const char *name, gint64 value);
/* @value is JSON itself. */
void json_value   (GString *json, const char *name, const char *value);
/* NaN and infinities, which JSON lacks, become null. */
void json_number  (GString *json, const char *name, double value);

/* Prints @json and a newline to standard output. */
void json_print   (const GString *json);
