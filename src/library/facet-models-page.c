#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-catalog-row.h"
#include "facet-machine.h"
#include "facet-models-page.h"
#include "facet-settings.h"

struct _FacetModelsPage {
  AdwBin               parent_instance;

  AdwToastOverlay     *toasts;
  GtkSpinner          *spinner;
  AdwPreferencesGroup *local_group;
  AdwPreferencesGroup *purpose_group;
  AdwPreferencesGroup *catalog_group;
  AdwComboRow         *purpose_row;

  FacetModelLibrary   *library;
  GSettings           *settings;
  GListModel          *catalog;
  char                *gpu;          /* its name; NULL: none, or not known yet */
  GPtrArray           *local_rows;   /* borrowed from the group */
  GPtrArray           *catalog_rows; /* borrowed from the group */
  GtkFileChooserNative *chooser;
  GtkCheckButton      *radio; /* never shown: makes a single model a radio button too, and is set when none is chosen */
};

static guint chosen_signal;

G_DEFINE_FINAL_TYPE (FacetModelsPage, facet_models_page, ADW_TYPE_BIN)

static void
say (FacetModelsPage *self, const char *sentence)
{
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);

  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (escaped));
}

/* @model NULL: whichever the program takes. */
static void
choose (FacetModelsPage *self, FacetLocalModel *model)
{
  const char *path = model ? facet_local_model_get_path (model) : "";

  g_settings_set_string (self->settings, "projector", "");
  g_settings_set_string (self->settings, "model", path);
  g_signal_emit (self, chosen_signal, 0, path);
}

/* @model NULL: the automatic choice. */
static gboolean
is_chosen (FacetModelsPage *self, FacetLocalModel *model)
{
  g_autofree char *chosen = g_settings_get_string (self->settings, "model");

  return g_str_equal (chosen, model ? facet_local_model_get_path (model) : "");
}

static void
toggled_cb (GtkCheckButton *button, FacetModelsPage *self)
{
  FacetLocalModel *model = g_object_get_data (G_OBJECT (button), "model");

  if (gtk_check_button_get_active (button) && !is_chosen (self, model))
    choose (self, model);
}

static void
trashed_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetModelsPage) self = data;
  g_autoptr (GError) error = NULL;

  if (!facet_model_library_trash_finish (FACET_MODEL_LIBRARY (object), result, &error))
    say (self, error->message);
}

static void
remove_response_cb (AdwMessageDialog *dialog, const char *response, FacetModelsPage *self)
{
  FacetLocalModel *model = g_object_get_data (G_OBJECT (dialog), "model");
  g_autofree char *chosen = g_settings_get_string (self->settings, "model");

  if (!g_str_equal (response, "remove"))
    return;
  if (g_strcmp0 (chosen, facet_local_model_get_path (model)) == 0)
    g_settings_reset (self->settings, "model");
  facet_model_library_trash_async (self->library, model, trashed_cb, g_object_ref (self));
}

static void
remove_clicked_cb (GtkButton *button, FacetModelsPage *self)
{
  FacetLocalModel *model = g_object_get_data (G_OBJECT (button), "model");
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  g_autofree char *shown = g_filename_display_name (facet_local_model_get_path (model));
  GtkWidget *dialog = adw_message_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                              _("Move This Model to the Trash?"), shown);

  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"), "remove", _("_Move to Trash"),
                                    NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "remove", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "model", g_object_ref (model), g_object_unref);
  g_signal_connect_object (dialog, "response", G_CALLBACK (remove_response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static char *
describe_local (FacetLocalModel *model)
{
  const FacetMemoryPlan *plan = facet_local_model_get_memory (model);
  const FacetModelInfo *info = facet_local_model_get_info (model);
  g_autofree char *first = facet_local_model_describe (model);
  g_autoptr (GString) text = g_string_new (NULL);

  /* names stand first, but the line runs as the window does */
  if (gtk_widget_get_default_direction () == GTK_TEXT_DIR_RTL)
    g_string_append (text, "\u200f");
  g_string_append (text, first);
  if (info == NULL)
    return g_string_free (g_steal_pointer (&text), FALSE);
  g_string_append_printf (text, "\n%s", facet_senses_describe (facet_local_model_get_senses (model)));
  if (info->is_safety)
    g_string_append_printf (text, " · %s", C_("kind of model", "checks pictures by policies, not made for chats"));
  else if (!info->has_chat_template)
    g_string_append_printf (text, " · %s", C_("kind of model", "continues text, not made for chats"));
  if (plan != NULL) {
    g_autofree char *needed = g_format_size (plan->total);
    g_autofree char *available = g_format_size (plan->available);

    g_string_append (text, " · ");
    /* Translators: amounts of memory, such as “1.2 GB”. */
    g_string_append_printf (text, plan->total <= plan->available ? _("needs %s of memory, %s are free")
                                                                 : _("needs %s of memory, only %s are free"),
                            needed, available);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
add_warning (AdwActionRow *row)
{
  GtkWidget *icon = gtk_image_new_from_icon_name ("dialog-warning-symbolic");

  gtk_widget_add_css_class (icon, "warning");
  gtk_accessible_update_property (GTK_ACCESSIBLE (icon), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Warning"), -1);
  adw_action_row_add_suffix (row, icon);
}

static GtkWidget *
add_check (FacetModelsPage *self, AdwActionRow *row, FacetLocalModel *model)
{
  GtkWidget *check = gtk_check_button_new ();

  gtk_widget_set_valign (check, GTK_ALIGN_CENTER);
  gtk_check_button_set_group (GTK_CHECK_BUTTON (check), self->radio);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (check), is_chosen (self, model));
  if (model != NULL)
    g_object_set_data_full (G_OBJECT (check), "model", g_object_ref (model), g_object_unref);
  g_signal_connect (check, "toggled", G_CALLBACK (toggled_cb), self);
  adw_action_row_add_prefix (row, check);
  adw_action_row_set_activatable_widget (row, check);
  return check;
}

static void
add_remove_button (FacetModelsPage *self, AdwActionRow *row, FacetLocalModel *model)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("user-trash-symbolic");
  /* Translators: %s is the name of a model. */
  g_autofree char *name = g_strdup_printf (_("Move %s to the Trash…"), facet_local_model_get_title (model));

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data_full (G_OBJECT (button), "model", g_object_ref (model), g_object_unref);
  g_signal_connect (button, "clicked", G_CALLBACK (remove_clicked_cb), self);
  adw_action_row_add_suffix (row, button);
}

static GtkWidget *
new_local_row (FacetModelsPage *self, FacetLocalModel *model)
{
  g_autofree char *facts = describe_local (model);
  const FacetMemoryPlan *plan = facet_local_model_get_memory (model);
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), facet_local_model_get_title (model));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), facts);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 2);
  gtk_widget_set_tooltip_text (row, facet_local_model_get_path (model));
  if (facet_local_model_get_info (model) != NULL)
    g_object_set_data (G_OBJECT (row), "check", add_check (self, ADW_ACTION_ROW (row), model));
  if (facet_local_model_get_problem (model) != NULL || (plan != NULL && plan->total > plan->available))
    add_warning (ADW_ACTION_ROW (row));
  add_remove_button (self, ADW_ACTION_ROW (row), model);
  return row;
}

/* The program chooses: it says which one. */
static GtkWidget *
new_automatic_row (FacetModelsPage *self)
{
  FacetLocalModel *model = facet_model_library_get_automatic (self->library);
  g_autofree char *name = model ? facet_local_model_name_file (model) : NULL;
  GtkWidget *row = adw_action_row_new ();
  g_autoptr (GString) text = g_string_new (_("The most capable model that fits the memory, in the file for the chosen precision"));

  if (name != NULL) {
    g_string_append_c (text, '\n');
    /* Translators: %s is the name of a model. */
    g_string_append_printf (text, _("Now: %s"), name);
  }
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), C_("model", "Automatic"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text->str);
  g_object_set_data (G_OBJECT (row), "check", add_check (self, ADW_ACTION_ROW (row), NULL));
  return row;
}

static GtkWidget *
new_empty_row (void)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _("No Models Yet"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), _("Get one below, or add a GGUF file that you have."));
  return row;
}

static void
clear_rows (AdwPreferencesGroup *group, GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    adw_preferences_group_remove (group, rows->pdata[i]);
  g_ptr_array_set_size (rows, 0);
}

static void
add_row (AdwPreferencesGroup *group, GPtrArray *rows, GtkWidget *row)
{
  g_ptr_array_add (rows, row);
  adw_preferences_group_add (group, row);
}

static void
fill_local (FacetModelsPage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->library));

  clear_rows (self->local_group, self->local_rows);
  if (n > 0)
    add_row (self->local_group, self->local_rows, new_automatic_row (self));
  for (guint i = 0; i < n; i++) {
    g_autoptr (FacetLocalModel) model = g_list_model_get_item (G_LIST_MODEL (self->library), i);

    add_row (self->local_group, self->local_rows, new_local_row (self, model));
  }
  if (n == 0)
    add_row (self->local_group, self->local_rows, new_empty_row ());
}

/* Only the marks: a row that was just pressed keeps its focus. */
static void
model_changed_cb (FacetModelsPage *self)
{
  gtk_check_button_set_active (self->radio, TRUE);
  for (guint i = 0; i < self->local_rows->len; i++) {
    GtkCheckButton *check = g_object_get_data (self->local_rows->pdata[i], "check");

    if (check != NULL)
      gtk_check_button_set_active (check, is_chosen (self, g_object_get_data (G_OBJECT (check), "model")));
  }
}

static void
recommend (FacetModelsPage *self)
{
  static const FacetSenses wanted[] = {
    FACET_SENSE_TEXT, FACET_SENSE_TEXT | FACET_SENSE_IMAGES, FACET_SENSE_TEXT | FACET_SENSE_SOUND
  };
  guint purpose = MIN (adw_combo_row_get_selected (self->purpose_row), G_N_ELEMENTS (wanted) - 1);
  /* Half a gigabyte is often kept back by the firmware. */
  guint64 memory = facet_catalog_machine_memory () + (G_GUINT64_CONSTANT (1) << 29);
  FacetCatalogModel *best = facet_catalog_recommend (self->catalog, memory, self->gpu != NULL, wanted[purpose]);

  for (guint i = 0; i < self->catalog_rows->len; i++) {
    FacetCatalogRow *row = self->catalog_rows->pdata[i];

    facet_catalog_row_set_recommended (row, facet_catalog_row_get_model (row) == best);
    gtk_widget_set_visible (GTK_WIDGET (row),
                            (facet_catalog_model_get_senses (facet_catalog_row_get_model (row)) & wanted[purpose])
                              == wanted[purpose]);
  }
}

static void
fill_catalog (FacetModelsPage *self)
{
  g_autofree char *folder = facet_model_library_directory ();
  int precision = g_settings_get_enum (self->settings, "precision");

  for (guint i = 0; i < self->catalog_rows->len; i++) {
    /* A download goes on with the files it was started with. */
    if (facet_catalog_row_is_busy (self->catalog_rows->pdata[i]))
      return;
  }
  clear_rows (self->catalog_group, self->catalog_rows);
  for (guint i = 0; i < g_list_model_get_n_items (self->catalog); i++) {
    g_autoptr (FacetCatalogModel) model = g_list_model_get_item (self->catalog, i);
    FacetCatalogRow *row = facet_catalog_row_new (model, precision, folder);

    g_signal_connect_object (row, "fetched", G_CALLBACK (facet_model_library_scan), self->library, G_CONNECT_SWAPPED);
    add_row (self->catalog_group, self->catalog_rows, GTK_WIDGET (row));
  }
  recommend (self);
}

static void
scanning_cb (FacetModelsPage *self)
{
  gtk_spinner_set_spinning (self->spinner, facet_model_library_is_scanning (self->library));
}

static void
files_chosen_cb (GtkNativeDialog *dialog, int response, FacetModelsPage *self)
{
  g_autoptr (GListModel) files = NULL;

  files = response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog)) : NULL;
  for (guint i = 0; files != NULL && i < g_list_model_get_n_items (files); i++) {
    g_autoptr (GFile) file = g_list_model_get_item (files, i);

    facet_model_library_add (self->library, file);
  }
  g_clear_object (&self->chooser);
}

static void
open_chooser (FacetModelsPage *self, const char *title, GtkFileChooserAction action)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  g_clear_object (&self->chooser);
  self->chooser = gtk_file_chooser_native_new (title, GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL, action, _("_Add"),
                                               _("_Cancel"));
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (self->chooser), TRUE);
  if (action == GTK_FILE_CHOOSER_ACTION_OPEN) {
    g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

    gtk_file_filter_set_name (filter, _("Models (GGUF)"));
    gtk_file_filter_add_suffix (filter, "gguf");
    gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (self->chooser), filter);
  }
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (files_chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
add_file_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  open_chooser (FACET_MODELS_PAGE (widget), _("Add Model Files"), GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void
add_folder_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  open_chooser (FACET_MODELS_PAGE (widget), _("Add Folders with Models"), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
}

static void
facet_models_page_dispose (GObject *object)
{
  FacetModelsPage *self = FACET_MODELS_PAGE (object);

  g_clear_object (&self->chooser);
  g_clear_object (&self->radio);
  g_clear_object (&self->library);
  g_clear_object (&self->settings);
  g_clear_object (&self->catalog);
  G_OBJECT_CLASS (facet_models_page_parent_class)->dispose (object);
}

static void
facet_models_page_finalize (GObject *object)
{
  FacetModelsPage *self = FACET_MODELS_PAGE (object);

  g_free (self->gpu);
  g_ptr_array_unref (self->local_rows);
  g_ptr_array_unref (self->catalog_rows);
  G_OBJECT_CLASS (facet_models_page_parent_class)->finalize (object);
}

static void
facet_models_page_class_init (FacetModelsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = facet_models_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = facet_models_page_finalize;
  chosen_signal = g_signal_new ("chosen", FACET_TYPE_MODELS_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                G_TYPE_STRING);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-models-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetModelsPage, toasts);
  gtk_widget_class_bind_template_child (widget_class, FacetModelsPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, FacetModelsPage, local_group);
  gtk_widget_class_bind_template_child (widget_class, FacetModelsPage, purpose_group);
  gtk_widget_class_bind_template_child (widget_class, FacetModelsPage, purpose_row);
  gtk_widget_class_bind_template_child (widget_class, FacetModelsPage, catalog_group);
  gtk_widget_class_install_action (widget_class, "models.add-file", NULL, add_file_cb);
  gtk_widget_class_install_action (widget_class, "models.add-folder", NULL, add_folder_cb);
}

static void
facet_models_page_init (FacetModelsPage *self)
{
  self->radio = g_object_ref_sink (GTK_CHECK_BUTTON (gtk_check_button_new ()));
  self->local_rows = g_ptr_array_new ();
  self->catalog_rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
describe_machine (FacetModelsPage *self)
{
  guint memory = (facet_catalog_machine_memory () + (1 << 29)) >> 30;
  g_autofree char *text = g_strdup_printf (ngettext ("This machine has %u GB of memory.",
                                                     "This machine has %u GB of memory.", memory), memory);
  g_autofree char *gpu = NULL;
  g_autofree char *both = NULL;
  g_autofree char *escaped = NULL;

  if (memory == 0)
    return;
  /* Translators: %s is the name of a graphics processor */
  gpu = self->gpu != NULL ? g_strdup_printf (_("Facet can compute on its graphics processor: %s."), self->gpu)
                          : g_strdup (_("Models run on its processor."));
  /* Translators: two sentences, one after the other */
  both = g_strdup_printf (C_("sentences", "%s %s"), text, gpu);
  escaped = g_markup_escape_text (both, -1);
  adw_preferences_group_set_description (self->purpose_group, escaped);
}

static void
gpu_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, facet_machine_find_gpu (), g_free);
}

static void
gpu_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetModelsPage) self = data;

  if (self->catalog == NULL) /* closed meanwhile */
    return;
  self->gpu = g_task_propagate_pointer (G_TASK (result), NULL);
  describe_machine (self);
  recommend (self);
}

static void
look_for_gpu (FacetModelsPage *self)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, gpu_cb, g_object_ref (self));

  g_task_run_in_thread (task, gpu_thread);
}

FacetModelsPage *
facet_models_page_new (FacetModelLibrary *library, GSettings *settings)
{
  FacetModelsPage *self = g_object_new (FACET_TYPE_MODELS_PAGE, NULL);
  g_autoptr (GError) error = NULL;

  self->library = g_object_ref (library);
  self->settings = g_object_ref (settings);
  self->catalog = facet_catalog_load (&error);
  if (self->catalog == NULL)
    g_error ("%s", error->message);
  g_signal_connect_object (library, "items-changed", G_CALLBACK (fill_local), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (library, "notify::scanning", G_CALLBACK (scanning_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "changed::model", G_CALLBACK (model_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "changed::precision", G_CALLBACK (fill_catalog), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->purpose_row, "notify::selected", G_CALLBACK (recommend), self, G_CONNECT_SWAPPED);
  describe_machine (self);
  look_for_gpu (self);
  fill_local (self);
  fill_catalog (self);
  scanning_cb (self);
  return self;
}
