#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

#include "facet-policy-choices.h"

#include "facet-policy.h"

#define WIDTH 260

/* Each check box's data: "policy" (const FacetPolicy *), "settings". */

static const FacetPolicy *
policy_of (GtkCheckButton *check)
{
  return g_object_get_data (G_OBJECT (check), "policy");
}

static void
toggled_cb (GtkCheckButton *check, GSettings *settings)
{
  gboolean wanted = gtk_check_button_get_active (check);

  if (wanted != facet_policy_is_wanted (policy_of (check), settings))
    facet_policy_set_wanted (policy_of (check), settings, wanted);
}

static void
show_wanted (GtkCheckButton *check)
{
  GSettings *settings = g_object_get_data (G_OBJECT (check), "settings");

  gtk_check_button_set_active (check, facet_policy_is_wanted (policy_of (check), settings));
}

static GtkWidget *
text (const char *words, const char *style)
{
  GtkWidget *label = gtk_label_new (words);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  if (style != NULL) {
    gtk_widget_add_css_class (label, "caption");
    gtk_widget_add_css_class (label, style);
  }
  return label;
}

static GtkWidget *
check_for (const FacetPolicy *policy, GSettings *settings)
{
  GtkWidget *check = gtk_check_button_new ();
  GtkWidget *words = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);

  gtk_widget_set_margin_start (words, 6);
  gtk_box_append (GTK_BOX (words), text (_(policy->title), NULL));
  gtk_box_append (GTK_BOX (words), text (_(policy->examples), "dim-label"));
  gtk_check_button_set_child (GTK_CHECK_BUTTON (check), words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL, _(policy->title),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, _(policy->examples), -1);
  g_object_set_data (G_OBJECT (check), "policy", (gpointer) policy);
  g_object_set_data_full (G_OBJECT (check), "settings", g_object_ref (settings), g_object_unref);
  show_wanted (GTK_CHECK_BUTTON (check));
  g_signal_connect_object (check, "toggled", G_CALLBACK (toggled_cb), settings, 0);
  g_signal_connect_object (settings, "changed::policies", G_CALLBACK (show_wanted), check, G_CONNECT_SWAPPED);
  return check;
}

GtkWidget *
facet_policy_choices_new (GSettings *settings)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *clamp = adw_clamp_new ();

  for (const FacetPolicy *policy = facet_policies; policy->name != NULL; policy++)
    gtk_box_append (GTK_BOX (box), check_for (policy, settings));
  gtk_box_append (GTK_BOX (box), text (_("What you write beside the picture is one more policy: say what it shall not contain."), "dim-label"));
  /* a popover finds its height for more width than it gives */
  adw_clamp_set_maximum_size (ADW_CLAMP (clamp), WIDTH);
  adw_clamp_set_tightening_threshold (ADW_CLAMP (clamp), WIDTH);
  adw_clamp_set_child (ADW_CLAMP (clamp), box);
  return clamp;
}

char *
facet_policy_choices_label (GSettings *settings)
{
  guint n = 0;

  for (const FacetPolicy *policy = facet_policies; policy->name != NULL; policy++)
    n += facet_policy_is_wanted (policy, settings);
  if (n == 0)
    return g_strdup (_("No policy"));
  return g_strdup_printf (ngettext ("%u policy", "%u policies", n), n);
}
