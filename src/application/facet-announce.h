/* facet-announce.h - has a screen reader say a sentence
 *
 * GTK 4.8 has no announcements, and tells nobody that an alert has appeared. What is
 * spoken at once is a new description of the place that has the focus: @sentence
 * becomes that, until the focus goes on or something else is announced.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What @window tells. "": says nothing, and lets the same sentence be said again. */
void facet_announce (GtkWindow *window, const char *sentence);

G_END_DECLS
