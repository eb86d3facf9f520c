/* facet-text-widgets.h - running text in labels and views, and where it stands */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows or hides @widget. GTK does not ask a parent for room when a child is
 * shown that was changed while it was hidden; this does. */
void facet_widget_set_shown (GtkWidget *widget, gboolean shown);

/* Sets the direction of @widget to that of the first letter of @text; text
 * without letters leaves it. */
void facet_widget_follow_text (GtkWidget *widget, const char *text);

/* Returns: (transfer floating): an empty GtkLabel for running text, which wraps
 * and can be selected. A word without end, such as an address or a checksum,
 * is broken without hyphens, which nobody could tell from its own. */
GtkWidget *facet_text_label_new (void);

/* Scrolls @text in @height pixels. A text view lays out the lines that are
 * seen, where a label of megabytes takes minutes; lines are not wrapped, since
 * one of many thousand letters would take seconds.
 * Returns: a GtkScrolledWindow with a GtkTextView. */
GtkWidget *facet_long_text_new (const char *text, int height);

/* Returns: (transfer floating): holds @child at the end of a line, as wide as it
 * would like to be and there is room. "halign" would try widths, for each of
 * which text is laid out, until its lines are as short as its height allows. */
GtkWidget *facet_end_bin_new (GtkWidget *child);

G_END_DECLS
