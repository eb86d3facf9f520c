/* facet-trouble.h - the window in place of the usual one while the chats cannot be opened */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @sentence says why, and is shown as plain text; @retry is called with @data
 * when the person wants to try again. */
GtkWindow *facet_trouble_new (GtkApplication *application,
                              const char     *sentence,
                              void          (*retry) (gpointer data),
                              gpointer        data);

G_END_DECLS
