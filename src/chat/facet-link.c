#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

#include "facet-activity-log.h"
#include "facet-link.h"

static void ask (GtkWindow *parent, const char *uri, gboolean can_open);

static void
opened_cb (GObject *parent, GAsyncResult *result, gpointer data)
{
  g_autofree char *uri = data;
  g_autoptr (GError) error = NULL;

  if (gtk_show_uri_full_finish (GTK_WINDOW (parent), result, &error)) {
    facet_activity_log_add (FACET_ACTIVITY_NETWORK, uri);
    return;
  }
  g_message ("%s: %s", uri, error->message);
  ask (GTK_WINDOW (parent), uri, FALSE);
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, gpointer data)
{
  const char *uri = g_object_get_data (G_OBJECT (dialog), "uri");

  if (g_str_equal (response, "open"))
    gtk_show_uri_full (gtk_window_get_transient_for (GTK_WINDOW (dialog)), uri, GDK_CURRENT_TIME, NULL, opened_cb, g_strdup (uri));
  else if (g_str_equal (response, "copy"))
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (dialog)), uri);
}

static void
ask (GtkWindow *parent, const char *uri, gboolean can_open)
{
  GtkWidget *dialog = adw_message_dialog_new (parent, can_open ? _("Open This Link?") : _("This Link Cannot Be Opened"), NULL);

  adw_message_dialog_set_body (ADW_MESSAGE_DIALOG (dialog), uri);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"), "copy", _("Copy _Address"),
                                    NULL);
  if (can_open) {
    adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "open", _("_Open in Browser"));
    adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "open", ADW_RESPONSE_SUGGESTED);
  }
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "uri", g_strdup (uri), g_free);
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), NULL);
  gtk_window_present (GTK_WINDOW (dialog));
}

gboolean
facet_link_activate_cb (GtkLabel *label, const char *uri, gpointer user_data)
{
  g_autofree char *scheme = g_uri_parse_scheme (uri);

  ask (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (label))), uri,
       scheme != NULL && (g_ascii_strcasecmp (scheme, "https") == 0 || g_ascii_strcasecmp (scheme, "http") == 0 ||
                          g_ascii_strcasecmp (scheme, "mailto") == 0));
  return TRUE;
}
