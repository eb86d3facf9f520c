#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-preferences-private.h"
#include "facet-settings.h"

struct _FacetPreferences {
  AdwPreferencesWindow parent_instance;

  AdwComboRow         *language_row;
  AdwComboRow         *color_scheme_row;
  GtkWidget           *enter_switch;
  AdwPreferencesGroup *prompts_group;
  AdwPreferencesGroup *modes_group;
  AdwPreferencesGroup *tools_group;
  AdwPreferencesGroup *sound_group;
  AdwActionRow        *model_row;
  AdwComboRow         *precision_row;
  AdwPreferencesGroup *computing_group;
  AdwComboRow         *backend_row;
  GtkWidget           *sampling_switch;
  AdwPreferencesGroup *sampling_group;
  AdwPreferencesGroup *network_group;
  AdwPreferencesGroup *files_group;

  GSettings           *settings;
  char                *automatic_model; /* NULL: none */
};

G_DEFINE_FINAL_TYPE (FacetPreferences, facet_preferences, ADW_TYPE_PREFERENCES_WINDOW)

static const FacetNumberRow computing_rows[] = {
  { "context-length", N_("Context Length"),
    N_("Tokens of a chat that the model sees at once, at most as many as it can; more takes more memory"), 512, 131072, 512, 0 },
  { "threads", N_("Processor Threads"), N_("0 lets Facet choose"), 0, 256, 1, 0 },
};

static const FacetNumberRow sampling_rows[] = {
  { "temperature", N_("Temperature"), N_("Higher is livelier, 0 always takes the likeliest word"), 0, 2, 0.05, 2 },
  { "top-k", N_("Top K"), N_("Only so many of the likeliest words; 0 means all"), 0, 1000, 1, 0 },
  { "top-p", N_("Top P"), N_("Only the likeliest words that make up this share"), 0, 1, 0.01, 2 },
  { "min-p", N_("Min P"), N_("Only words at least this likely, compared with the likeliest"), 0, 1, 0.01, 2 },
  { "repeat-penalty", N_("Repetition Penalty"), N_("Makes repeated words less likely; 1 changes nothing"), 1, 2, 0.01, 2 },
};

static const char *const precision_subtitles[] = {
  N_("4-bit files and a cache of 8 bits: least memory, fastest"),
  N_("4-bit files of higher quality and a cache of 16 bits"),
  N_("8- to 16-bit files: closest to the original, most memory"),
};

/* The values of an enumerated key are the positions of its combo row. */
static gboolean
nick_to_position (GValue *value, GVariant *variant, gpointer data)
{
  GSettings *settings = g_object_get_data (data, "settings");

  g_value_set_uint (value, g_settings_get_enum (settings, g_object_get_data (data, "key")));
  return TRUE;
}

static GVariant *
position_to_nick (const GValue *value, const GVariantType *type, gpointer data)
{
  GSettings *settings = g_object_get_data (data, "settings");
  g_autoptr (GSettingsSchema) schema = NULL;
  g_autoptr (GSettingsSchemaKey) key = NULL;
  g_autoptr (GVariant) range = NULL;
  g_autoptr (GVariant) nicks = NULL;

  g_object_get (settings, "settings-schema", &schema, NULL);
  key = g_settings_schema_get_key (schema, g_object_get_data (data, "key"));
  range = g_settings_schema_key_get_range (key);
  g_variant_get (range, "(sv)", NULL, &nicks);
  if (g_value_get_uint (value) >= g_variant_n_children (nicks))
    return NULL;
  return g_variant_get_child_value (nicks, g_value_get_uint (value));
}

static void
bind_combo (GSettings *settings, const char *key, AdwComboRow *row)
{
  g_object_set_data_full (G_OBJECT (row), "settings", g_object_ref (settings), g_object_unref);
  g_object_set_data (G_OBJECT (row), "key", (gpointer) key);
  g_settings_bind_with_mapping (settings, key, row, "selected", G_SETTINGS_BIND_DEFAULT, nick_to_position,
                                position_to_nick, row, NULL);
}

static gboolean
language_to_position (GValue *value, GVariant *variant, gpointer data)
{
  const char *code = g_variant_get_string (variant, NULL);

  g_value_set_uint (value, 0);
  for (guint i = 0; facet_languages[i].code != NULL; i++) {
    if (g_str_equal (facet_languages[i].code, code))
      g_value_set_uint (value, i + 1);
  }
  return TRUE;
}

static GVariant *
position_to_language (const GValue *value, const GVariantType *type, gpointer data)
{
  guint position = g_value_get_uint (value);

  return g_variant_new_string (position > 0 ? facet_languages[position - 1].code : "");
}

static void
set_up_language (FacetPreferences *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  gtk_string_list_append (names, C_("language", "Like the System"));
  for (guint i = 0; facet_languages[i].code != NULL; i++)
    gtk_string_list_append (names, facet_languages[i].name);
  adw_combo_row_set_model (self->language_row, G_LIST_MODEL (names));
  g_settings_bind_with_mapping (self->settings, "language", self->language_row, "selected", G_SETTINGS_BIND_DEFAULT,
                                language_to_position, position_to_language, NULL, NULL);
}

static void
precision_changed_cb (FacetPreferences *self)
{
  guint position = adw_combo_row_get_selected (self->precision_row);

  if (position < G_N_ELEMENTS (precision_subtitles))
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self->precision_row), _(precision_subtitles[position]));
}

static void
model_changed_cb (FacetPreferences *self)
{
  g_autofree char *path = g_settings_get_string (self->settings, "model");
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *shown = g_filename_display_name (base);
  g_autofree char *text = NULL;
  g_autofree char *escaped = NULL;

  if (*path != '\0')
    /* Translators: %s is the name of a file. “Its cache” is memory that the model uses while it answers. */
    text = g_strdup_printf (_("%s, chosen by hand; the precision changes its cache alone"), shown);
  else if (self->automatic_model != NULL)
    /* Translators: %s is the name of a model. */
    text = g_strdup_printf (_("Chosen automatically: %s"), self->automatic_model);
  else
    text = g_strdup (_("None on this machine yet"));
  escaped = g_markup_escape_text (text, -1);
  adw_action_row_set_subtitle (self->model_row, escaped);
}

void
facet_preferences_set_automatic_model (FacetPreferences *self, const char *name)
{
  g_return_if_fail (FACET_IS_PREFERENCES (self));

  g_free (self->automatic_model);
  self->automatic_model = g_strdup (name);
  model_changed_cb (self);
}

static void
add_prompt_cb (FacetPreferences *self)
{
  facet_prompt_rows_add (self->prompts_group, self->settings);
}

static void
add_number_rows (FacetPreferences *self, AdwPreferencesGroup *group, const FacetNumberRow *rows, gsize n)
{
  for (gsize i = 0; i < n; i++)
    adw_preferences_group_add (group, facet_number_row_new (self->settings, &rows[i]));
}

static void
facet_preferences_dispose (GObject *object)
{
  g_clear_object (&FACET_PREFERENCES (object)->settings);
  G_OBJECT_CLASS (facet_preferences_parent_class)->dispose (object);
}

static void
facet_preferences_finalize (GObject *object)
{
  g_free (FACET_PREFERENCES (object)->automatic_model);
  G_OBJECT_CLASS (facet_preferences_parent_class)->finalize (object);
}

static void
facet_preferences_class_init (FacetPreferencesClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = facet_preferences_dispose;
  G_OBJECT_CLASS (klass)->finalize = facet_preferences_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-preferences.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, language_row);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, color_scheme_row);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, enter_switch);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, prompts_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, modes_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, tools_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, sound_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, model_row);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, precision_row);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, computing_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, backend_row);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, sampling_switch);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, sampling_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, network_group);
  gtk_widget_class_bind_template_child (widget_class, FacetPreferences, files_group);
  gtk_widget_class_bind_template_callback (widget_class, add_prompt_cb);
}

static void
facet_preferences_init (FacetPreferences *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* libadwaita 1.2 names neither the button of its search nor the entry. */
static void
name_search (GtkWidget *widget)
{
  if (GTK_IS_SEARCH_ENTRY (widget) ||
      (GTK_IS_TOGGLE_BUTTON (widget) && g_strcmp0 (gtk_button_get_icon_name (GTK_BUTTON (widget)), "edit-find-symbolic") == 0))
    gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Search the preferences"), -1);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    name_search (child);
}

FacetPreferences *
facet_preferences_new (GtkWindow *parent, GSettings *settings)
{
  FacetPreferences *self = g_object_new (FACET_TYPE_PREFERENCES, "transient-for", parent, NULL);

  self->settings = g_object_ref (settings);
  set_up_language (self);
  bind_combo (settings, "color-scheme", self->color_scheme_row);
  bind_combo (settings, "precision", self->precision_row);
  bind_combo (settings, "backend", self->backend_row);
  g_settings_bind (settings, "enter-sends", self->enter_switch, "active", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "model-sampling", self->sampling_switch, "active", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "model-sampling", self->sampling_group, "sensitive",
                   G_SETTINGS_BIND_GET | G_SETTINGS_BIND_INVERT_BOOLEAN);
  facet_prompt_rows_fill (self->prompts_group, settings);
  facet_mode_rows_fill (self->modes_group, settings);
  adw_preferences_group_add (self->tools_group, facet_tools_row_new (settings));
  adw_preferences_group_add (self->sound_group, facet_microphone_row_new (settings));
  adw_preferences_group_add (self->sound_group, facet_speaker_row_new (settings));
  adw_preferences_group_add (self->computing_group, facet_graphics_row_new (settings));
  add_number_rows (self, self->computing_group, computing_rows, G_N_ELEMENTS (computing_rows));
  add_number_rows (self, self->sampling_group, sampling_rows, G_N_ELEMENTS (sampling_rows));
  facet_activity_rows_fill (self->network_group, TRUE);
  facet_activity_rows_fill (self->files_group, FALSE);
  g_signal_connect_object (self->precision_row, "notify::selected", G_CALLBACK (precision_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "changed::model", G_CALLBACK (model_changed_cb), self, G_CONNECT_SWAPPED);
  precision_changed_cb (self);
  model_changed_cb (self);
  name_search (GTK_WIDGET (self));
  return self;
}
