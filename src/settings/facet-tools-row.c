#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-preferences-private.h"

#include "facet-toolbox.h"

#define KEY "tools-file"

typedef struct {
  GSettings            *settings;
  AdwActionRow         *row;
  GtkWidget            *forget;
  GtkFileChooserNative *chooser;
} ToolsRow;

static void
tools_row_free (gpointer data)
{
  ToolsRow *self = data;

  g_clear_object (&self->chooser);
  g_object_unref (self->settings);
  g_free (self);
}

/* What is wrong with the file is told in the words of its reader: they name
 * the tool and the member, for the one who writes it. */
static char *
describe (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetToolbox) toolbox = facet_toolbox_new_from_file (path, &error);
  g_autoptr (FacetToolbox) builtin = facet_toolbox_new_builtin ();
  g_autoptr (FacetToolbox) joined = toolbox != NULL ? facet_toolbox_new_joined (builtin, toolbox, &error) : NULL;

  if (joined == NULL)
    return g_strdup_printf (_("This file cannot be used: %s"), error->message);
  return g_filename_display_name (path);
}

static void
update (ToolsRow *self)
{
  g_autofree char *path = g_settings_get_string (self->settings, KEY);
  g_autofree char *shown = *path != '\0' ? describe (path) : g_strdup (_("None; a JSON file describes them"));
  g_autofree char *escaped = g_markup_escape_text (shown, -1);

  adw_action_row_set_subtitle (self->row, escaped);
  gtk_widget_set_visible (self->forget, *path != '\0');
}

static void
changed_cb (GtkWidget *row)
{
  update (g_object_get_data (G_OBJECT (row), "tools"));
}

static void
forget_cb (ToolsRow *self)
{
  g_settings_reset (self->settings, KEY);
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, ToolsRow *self)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog)) : NULL;
  const char *path = file != NULL ? g_file_peek_path (file) : NULL;

  if (path != NULL)
    g_settings_set_string (self->settings, KEY, path);
  update (self);
  g_clear_object (&self->chooser);
}

static void
choose_cb (ToolsRow *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self->row)));
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

  if (self->chooser != NULL)
    return;
  gtk_file_filter_add_suffix (filter, "json");
  self->chooser = gtk_file_chooser_native_new (_("Choose the File with Your Tools"), window, GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  gtk_file_chooser_set_filter (GTK_FILE_CHOOSER (self->chooser), filter);
  g_signal_connect (self->chooser, "response", G_CALLBACK (chosen_cb), self);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static GtkWidget *
icon_button (ToolsRow *self, const char *icon, const char *name, GCallback clicked)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_add_css_class (button, "flat");
  g_signal_connect_swapped (button, "clicked", clicked, self);
  adw_action_row_add_suffix (self->row, button);
  return button;
}

GtkWidget *
facet_tools_row_new (GSettings *settings)
{
  ToolsRow *self = g_new0 (ToolsRow, 1);
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *choose;

  self->settings = g_object_ref (settings);
  self->row = ADW_ACTION_ROW (row);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _("Your Own Tools"));
  adw_action_row_set_subtitle_lines (self->row, 3);
  self->forget = icon_button (self, "user-trash-symbolic", _("Forget Your Own Tools"), G_CALLBACK (forget_cb));
  choose = icon_button (self, "document-open-symbolic", _("Choose the File with Your Tools"), G_CALLBACK (choose_cb));
  adw_action_row_set_activatable_widget (self->row, choose);
  gtk_accessible_reset_relation (GTK_ACCESSIBLE (choose), GTK_ACCESSIBLE_RELATION_LABELLED_BY); /* its name says it all */
  g_object_set_data_full (G_OBJECT (row), "tools", self, tools_row_free);
  g_signal_connect_object (settings, "changed::" KEY, G_CALLBACK (changed_cb), row, G_CONNECT_SWAPPED);
  update (self);
  return row;
}
