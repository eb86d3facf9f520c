#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-preferences-private.h"

GtkWidget *
facet_number_row_new (GSettings *settings, const FacetNumberRow *what)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *spin = gtk_spin_button_new_with_range (what->lower, what->upper, what->step);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _(what->title));
  if (what->subtitle != NULL)
    adw_action_row_set_subtitle (ADW_ACTION_ROW (row), _(what->subtitle));
  gtk_spin_button_set_digits (GTK_SPIN_BUTTON (spin), what->digits);
  gtk_spin_button_set_numeric (GTK_SPIN_BUTTON (spin), TRUE);
  gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
  g_settings_bind (settings, what->key, spin, "value", G_SETTINGS_BIND_DEFAULT);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), spin);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), spin);
  return row;
}
