/* report.h - what the terminal shows beside the results
 *
 * Everything here goes to standard error, so that standard output holds the
 * result alone.
 */
#pragma once

#include "facet.h"

/* A sentence for the person, and the engine's own message below it. */
void report_error (const GError *error);

/* What the model's backend did that the person should know, if anything. */
void report_notice (FacetModel *model);

/* The exit status that suits @error. */
int report_status (const GError *error);

/* A FacetProgress: shows long work on one line of a terminal, which
 * report_progress_end() wipes. Shows nothing where there is no terminal. */
void report_progress     (FacetPhase phase, guint64 done, guint64 total, gpointer user_data);
void report_progress_end (void);

/* Appends @text with the control characters that could act on a terminal
 * made visible; newline and tab stay. */
void report_append_safe (GString *out, const char *text, gsize length);

/* The name of a file, or any bytes, for a sentence: valid UTF-8 in one line,
 * with every control character visible and none that turns the direction of
 * what stands around it. Returns: (transfer full). */
char *report_one_line (const char *text);

/* Prints a sentence with its newline; names in it are shown in one line. */
void  report_sentence  (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Bytes as "123.4 MiB". Returns: (transfer full). */
char *report_bytes (guint64 bytes);
