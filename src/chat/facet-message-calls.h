/* facet-message-calls.h - the calls of tools in an answer, each behind a line that opens
 *
 * Arguments and results are shown as they are: text of a model and of tools,
 * never markup. Long ones are laid out only where somebody looks.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

#include "store/facet-call-record.h"

G_BEGIN_DECLS

GtkWidget *facet_message_calls_new    (void);

/* @running: whether the answer is being written, so that open calls go on. */
void       facet_message_calls_update (GtkWidget *calls, const GPtrArray *records, gboolean running);

/* A view for such text, revealed, which scrolls where that is long; named @name. */
GtkWidget *facet_message_calls_text_new  (const char *name);
void       facet_message_calls_show_text (GtkWidget *view, const char *text);

G_END_DECLS
