/* widget-find.h - widgets by what a person sees of them */
#pragma once

#include <gtk/gtk.h>

typedef gboolean (*WidgetMatches) (GtkWidget *widget, const char *what);

/* The first of @type at or below @widget for which @matches (NULL: any) says so; NULL: none. */
GtkWidget *widget_find        (GtkWidget *widget, GType type, WidgetMatches matches, const char *what);

/* A mapped label that holds @text. */
gboolean   widget_shows       (GtkWidget *label, const char *text);
gboolean   widget_hints       (GtkWidget *widget, const char *tooltip);
gboolean   widget_is_labelled (GtkWidget *button, const char *label);
gboolean   widget_has_class   (GtkWidget *widget, const char *name);
