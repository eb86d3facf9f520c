#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

#include "facet-trouble.h"

GtkWindow *
facet_trouble_new (GtkApplication *application, const char *sentence, void (*retry) (gpointer data), gpointer data)
{
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);
  GtkWidget *window = adw_application_window_new (application);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *page = adw_status_page_new ();
  GtkWidget *button = gtk_button_new_with_mnemonic (_("_Try Again"));

  gtk_widget_add_css_class (button, "pill");
  gtk_widget_add_css_class (button, "suggested-action");
  gtk_widget_set_halign (button, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (retry), data);
  adw_status_page_set_icon_name (ADW_STATUS_PAGE (page), "dialog-warning-symbolic");
  adw_status_page_set_title (ADW_STATUS_PAGE (page), _("Your Chats Cannot Be Opened"));
  adw_status_page_set_description (ADW_STATUS_PAGE (page), escaped);
  adw_status_page_set_child (ADW_STATUS_PAGE (page), button);
  gtk_widget_set_vexpand (page, TRUE);
  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  gtk_box_append (GTK_BOX (box), page);
  adw_application_window_set_content (ADW_APPLICATION_WINDOW (window), box);
  gtk_window_set_title (GTK_WINDOW (window), "Facet");
  gtk_window_set_default_size (GTK_WINDOW (window), 560, 480);
  gtk_window_set_focus (GTK_WINDOW (window), button);
  return GTK_WINDOW (window);
}
