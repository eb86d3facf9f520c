/* print.h - answers on standard output */
#pragma once

#include "facet.h"

/* A FacetTextFunc: at once, and on a terminal with its control characters made
 * visible. */
void        print_text        (const char *text, gsize length, gpointer user_data);
/* Thoughts are no part of the answer: to standard error, dimmed. */
void        print_thought     (const char *text, gsize length, gpointer user_data);

/* Ends the line that @text left open. */
void        print_end         (const char *text);

/* What was printed until now is out of the program; FALSE and G_FILE_ERROR if
 * some of it was lost, as on a full disk. */
gboolean    print_check       (GError **error);

/* A remark in brackets on standard error; none for an answer that came to its
 * own end. */
void        print_why_stopped (FacetStopReason reason);
