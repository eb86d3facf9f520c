#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-preferences-private.h"
#include "modes/facet-mode.h"

/* Each row's and dialog's data: "mode" (const FacetMode *), "settings". */

static const FacetMode *
mode_of (gpointer object)
{
  return g_object_get_data (G_OBJECT (object), "mode");
}

static void
set_mode (gpointer object, const FacetMode *mode, GSettings *settings)
{
  g_object_set_data (G_OBJECT (object), "mode", (gpointer) mode);
  g_object_set_data_full (G_OBJECT (object), "settings", g_object_ref (settings), g_object_unref);
}

static GtkTextBuffer *
buffer_of (AdwMessageDialog *dialog)
{
  return gtk_text_view_get_buffer (g_object_get_data (G_OBJECT (dialog), "view"));
}

static char *
get_text (GtkTextBuffer *buffer)
{
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return g_strstrip (gtk_text_buffer_get_text (buffer, &start, &end, FALSE));
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, gpointer data)
{
  GSettings *settings = g_object_get_data (G_OBJECT (dialog), "settings");
  g_autofree char *text = get_text (buffer_of (dialog));

  if (g_str_equal (response, "reset"))
    facet_mode_set_template (mode_of (dialog), settings, NULL);
  else if (g_str_equal (response, "save"))
    facet_mode_set_template (mode_of (dialog), settings, text);
}

/* Without {text} the person's words would not reach the model. */
static void
edited_cb (GtkTextBuffer *buffer, AdwMessageDialog *dialog)
{
  g_autofree char *text = get_text (buffer);

  adw_message_dialog_set_response_enabled (dialog, "save", strstr (text, "{text}") != NULL);
}

static GtkWidget *
new_editor (GtkWidget *dialog, const char *text)
{
  GtkWidget *view = gtk_text_view_new ();
  GtkWidget *scrolled = gtk_scrolled_window_new ();

  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_right_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_bottom_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (view)), text, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Words for this mode"), -1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), view);
  gtk_scrolled_window_set_has_frame (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_widget_set_size_request (scrolled, 300, 160);
  g_object_set_data (G_OBJECT (dialog), "view", view);
  return scrolled;
}

static void
edit_cb (GtkWidget *row)
{
  GSettings *settings = g_object_get_data (G_OBJECT (row), "settings");
  const FacetMode *mode = mode_of (row);
  GtkRoot *root = gtk_widget_get_root (row);
  g_autofree char *template = facet_mode_get_template (mode, settings);
  GtkWidget *dialog = adw_message_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                              g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title),
                                              /* Translators: keep the words in braces as they are */
                                              _("{text} is what you write, and must be there. {language}, {style} and "
                                                "{audience} are what you choose beside the message."));
  AdwMessageDialog *message = ADW_MESSAGE_DIALOG (dialog);

  set_mode (dialog, mode, settings);
  adw_message_dialog_set_extra_child (message, new_editor (dialog, template));
  adw_message_dialog_add_responses (message, "cancel", _("_Cancel"), "reset", _("_Reset"), "save", _("_Save"), NULL);
  adw_message_dialog_set_response_appearance (message, "reset", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_response_appearance (message, "save", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_response_enabled (message, "reset", !g_str_equal (template, mode->template));
  adw_message_dialog_set_default_response (message, "save");
  adw_message_dialog_set_close_response (message, "cancel");
  g_signal_connect (buffer_of (message), "changed", G_CALLBACK (edited_cb), dialog);
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), NULL);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
show_template (AdwActionRow *row)
{
  g_autofree char *template = facet_mode_get_template (mode_of (row), g_object_get_data (G_OBJECT (row), "settings"));

  adw_action_row_set_subtitle (row, g_strdelimit (template, "\n", ' '));
}

static GtkWidget *
new_row (const FacetMode *mode, GSettings *settings)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *arrow = gtk_image_new_from_icon_name ("document-edit-symbolic");

  set_mode (row, mode, settings);
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title));
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 3);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), arrow);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_signal_connect (row, "activated", G_CALLBACK (edit_cb), NULL);
  g_signal_connect_object (settings, "changed::mode-templates", G_CALLBACK (show_template), row, G_CONNECT_SWAPPED);
  show_template (ADW_ACTION_ROW (row));
  return row;
}

void
facet_mode_rows_fill (AdwPreferencesGroup *group, GSettings *settings)
{
  for (const FacetMode *mode = facet_modes; mode->id != NULL; mode++)
    if (!g_str_equal (mode->template, "{text}"))
      adw_preferences_group_add (group, new_row (mode, settings));
}
