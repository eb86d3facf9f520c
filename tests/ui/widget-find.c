#include "widget-find.h"

#include <string.h>

GtkWidget *
widget_find (GtkWidget *widget, GType type, WidgetMatches matches, const char *what)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type) && (matches == NULL || matches (widget, what)))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = widget_find (child, type, matches, what);

    if (found != NULL)
      return found;
  }
  return NULL;
}

gboolean
widget_shows (GtkWidget *label, const char *text)
{
  return gtk_widget_get_mapped (label) && strstr (gtk_label_get_text (GTK_LABEL (label)), text) != NULL;
}

gboolean
widget_hints (GtkWidget *widget, const char *tooltip)
{
  return g_strcmp0 (gtk_widget_get_tooltip_text (widget), tooltip) == 0;
}

gboolean
widget_is_labelled (GtkWidget *button, const char *label)
{
  return g_strcmp0 (gtk_button_get_label (GTK_BUTTON (button)), label) == 0;
}

gboolean
widget_has_class (GtkWidget *widget, const char *name)
{
  return gtk_widget_has_css_class (widget, name);
}
