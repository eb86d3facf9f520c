#define G_LOG_DOMAIN "facet"

#include "facet-mnemonics.h"

static void
name_button (GtkButton *button)
{
  GtkWidget *content = gtk_button_get_child (button);

  if (content != NULL && GTK_IS_IMAGE (content))
    gtk_accessible_update_state (GTK_ACCESSIBLE (content), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
  if (gtk_button_get_use_underline (button))
    gtk_accessible_reset_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL);
}

/* Each new label or icon brings the wrong name again. Dialogs keep buttons that are not
 * mapped, for another width. */
static void
watch (GtkWidget *widget)
{
  if (GTK_IS_BUTTON (widget) && g_object_get_data (G_OBJECT (widget), "named") == NULL) {
    g_object_set_data (G_OBJECT (widget), "named", widget);
    g_signal_connect (widget, "notify::label", G_CALLBACK (name_button), NULL);
    g_signal_connect (widget, "notify::icon-name", G_CALLBACK (name_button), NULL);
    name_button (GTK_BUTTON (widget));
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    watch (child);
}

static gboolean
mapped_cb (GSignalInvocationHint *hint, guint n_values, const GValue *values, gpointer data)
{
  GtkWidget *widget = g_value_get_object (values);

  if (GTK_IS_BUTTON (widget) || GTK_IS_WINDOW (widget))
    watch (widget);
  return TRUE;
}

void
facet_mnemonics_name_buttons (void)
{
  g_autoptr (GTypeClass) widgets = g_type_class_ref (GTK_TYPE_WIDGET); /* which has the signal */

  g_signal_add_emission_hook (g_signal_lookup ("map", G_TYPE_FROM_CLASS (widgets)), 0, mapped_cb, NULL, NULL);
}
