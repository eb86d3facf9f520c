#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-preferences-private.h"

#define PRESETS "system-prompt-presets"
#define CHOSEN "system-prompt"

/* One set of instructions; index -1 is a new one. */
typedef struct {
  AdwPreferencesGroup *group; /* borrowed: outlived by it */
  GSettings           *settings;
  int                  index;
} Preset;

static void
preset_free (gpointer data)
{
  g_object_unref (((Preset *) data)->settings);
  g_free (data);
}

static Preset *
preset_new (AdwPreferencesGroup *group, GSettings *settings, int index)
{
  Preset *preset = g_new0 (Preset, 1);

  preset->group = group;
  preset->settings = g_object_ref (settings);
  preset->index = index;
  return preset;
}

static void
get_preset (GSettings *settings, int index, char **name, char **text)
{
  g_autoptr (GVariant) presets = g_settings_get_value (settings, PRESETS);

  *name = *text = NULL;
  if (index >= 0 && (gsize) index < g_variant_n_children (presets))
    g_variant_get_child (presets, index, "(ss)", name, text);
}

/* Replaces, removes (@name NULL) or appends (index -1). What is in use follows. */
static void
set_preset (GSettings *settings, int index, const char *name, const char *text)
{
  g_autoptr (GVariant) presets = g_settings_get_value (settings, PRESETS);
  g_autofree char *chosen = g_settings_get_string (settings, CHOSEN);
  g_autofree char *old_name = NULL;
  g_autofree char *old_text = NULL;
  GVariantBuilder builder;

  get_preset (settings, index, &old_name, &old_text);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ss)"));
  for (gsize i = 0; i < g_variant_n_children (presets); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (presets, i);

    if ((int) i != index)
      g_variant_builder_add_value (&builder, child);
    else if (name != NULL)
      g_variant_builder_add (&builder, "(ss)", name, text);
  }
  if (index < 0)
    g_variant_builder_add (&builder, "(ss)", name, text);
  if (old_text != NULL && g_str_equal (old_text, chosen))
    g_settings_set_string (settings, CHOSEN, name != NULL ? text : "");
  g_settings_set_value (settings, PRESETS, g_variant_builder_end (&builder));
}

static char *
get_text (GtkTextView *view)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view);
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return g_strstrip (gtk_text_buffer_get_text (buffer, &start, &end, FALSE));
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, Preset *preset)
{
  GtkEditable *entry = g_object_get_data (G_OBJECT (dialog), "entry");
  g_autofree char *text = get_text (g_object_get_data (G_OBJECT (dialog), "view"));
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (entry)));

  if (g_str_equal (response, "remove"))
    set_preset (preset->settings, preset->index, NULL, NULL);
  else if (g_str_equal (response, "save") && *text != '\0')
    set_preset (preset->settings, preset->index, *name ? name : _("Instructions"), text);
}

static GtkWidget *
new_editor (GtkWidget *dialog, const char *name, const char *text)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *entry = gtk_entry_new ();
  GtkWidget *view = gtk_text_view_new ();
  GtkWidget *scrolled = gtk_scrolled_window_new ();

  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), _("Name"));
  gtk_editable_set_text (GTK_EDITABLE (entry), name ? name : "");
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Name"), -1);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_right_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_bottom_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (view)), text ? text : "", -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Instructions"), -1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), view);
  gtk_scrolled_window_set_has_frame (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_widget_set_size_request (scrolled, 280, 140);
  gtk_box_append (GTK_BOX (box), entry);
  gtk_box_append (GTK_BOX (box), scrolled);
  g_object_set_data (G_OBJECT (dialog), "entry", entry);
  g_object_set_data (G_OBJECT (dialog), "view", view);
  return box;
}

static void
edit (AdwPreferencesGroup *group, GSettings *settings, int index)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (group));
  GtkWidget *dialog = adw_message_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                              index < 0 ? _("New Instructions") : _("Edit Instructions"), NULL);
  AdwMessageDialog *message = ADW_MESSAGE_DIALOG (dialog);
  Preset *preset = preset_new (group, settings, index);
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;

  get_preset (settings, index, &name, &text);
  adw_message_dialog_set_extra_child (message, new_editor (dialog, name, text));
  adw_message_dialog_add_response (message, "cancel", _("_Cancel"));
  if (index >= 0) {
    adw_message_dialog_add_response (message, "remove", _("_Remove"));
    adw_message_dialog_set_response_appearance (message, "remove", ADW_RESPONSE_DESTRUCTIVE);
  }
  adw_message_dialog_add_response (message, "save", _("_Save"));
  adw_message_dialog_set_response_appearance (message, "save", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (message, "save");
  adw_message_dialog_set_close_response (message, "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "preset", preset, preset_free);
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), preset);
  gtk_window_present (GTK_WINDOW (dialog));
}

void
facet_prompt_rows_add (AdwPreferencesGroup *group, GSettings *settings)
{
  edit (group, settings, -1);
}

static void
edit_clicked_cb (GtkButton *button, Preset *preset)
{
  edit (preset->group, preset->settings, preset->index);
}

static void
toggled_cb (GtkCheckButton *check, Preset *preset)
{
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;

  if (!gtk_check_button_get_active (check))
    return;
  get_preset (preset->settings, preset->index, &name, &text);
  g_settings_set_string (preset->settings, CHOSEN, text ? text : "");
}

static GtkWidget *
new_row (AdwPreferencesGroup *group, GSettings *settings, int index, GtkCheckButton *radio)
{
  Preset *preset = preset_new (group, settings, index);
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *check = gtk_check_button_new ();
  g_autofree char *chosen = g_settings_get_string (settings, CHOSEN);
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;

  get_preset (settings, index, &name, &text);
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), name ? name : C_("instructions", "None"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text ? text : "");
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 2);
  gtk_widget_set_valign (check, GTK_ALIGN_CENTER);
  gtk_check_button_set_group (GTK_CHECK_BUTTON (check), radio);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (check), g_str_equal (chosen, text ? text : ""));
  g_signal_connect (check, "toggled", G_CALLBACK (toggled_cb), preset);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), check);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), check);
  if (index >= 0) {
    GtkWidget *button = gtk_button_new_from_icon_name ("document-edit-symbolic");
    /* Translators: %s is the name of a set of instructions */
    g_autofree char *edit_name = g_strdup_printf (_("Edit “%s”"), name);

    gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class (button, "flat");
    gtk_widget_set_tooltip_text (button, edit_name);
    gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, edit_name, -1);
    g_signal_connect (button, "clicked", G_CALLBACK (edit_clicked_cb), preset);
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  }
  g_object_set_data (G_OBJECT (row), "check", check);
  g_object_set_data_full (G_OBJECT (row), "preset", preset, preset_free);
  return row;
}

static void
refill (AdwPreferencesGroup *group)
{
  GSettings *settings = g_object_get_data (G_OBJECT (group), "settings");
  GPtrArray *rows = g_object_get_data (G_OBJECT (group), "rows");
  g_autoptr (GVariant) presets = g_settings_get_value (settings, PRESETS);
  GtkCheckButton *radio = NULL;

  for (guint i = 0; i < rows->len; i++)
    adw_preferences_group_remove (group, rows->pdata[i]);
  g_ptr_array_set_size (rows, 0);
  for (int i = -1; i < (int) g_variant_n_children (presets); i++) {
    GtkWidget *row = new_row (group, settings, i, radio);

    if (radio == NULL)
      radio = g_object_get_data (G_OBJECT (row), "check");
    g_ptr_array_add (rows, row);
    adw_preferences_group_add (group, row);
  }
}

void
facet_prompt_rows_fill (AdwPreferencesGroup *group, GSettings *settings)
{
  g_object_set_data_full (G_OBJECT (group), "settings", g_object_ref (settings), g_object_unref);
  g_object_set_data_full (G_OBJECT (group), "rows", g_ptr_array_new (), (GDestroyNotify) g_ptr_array_unref);
  g_signal_connect_object (settings, "changed::" PRESETS, G_CALLBACK (refill), group, G_CONNECT_SWAPPED);
  refill (group);
}
