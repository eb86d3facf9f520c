/* widget-picture.h - what a widget looks like, for people to look at */
#pragma once

#include <gtk/gtk.h>

/* Lets the main loop run for so long. */
void settle (guint ms);

/* Writes NAME.png into the folder that FACET_SCREENSHOTS names; without it
 * nothing happens. @ms: to wait for animations. */
void widget_picture (GtkWidget *widget, const char *name, guint ms);
