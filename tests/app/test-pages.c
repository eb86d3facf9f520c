/* The preferences window and the page of models, as widgets. With
 * FACET_SCREENSHOTS=folder a picture of each page is written there. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <string.h>

#include "data-folder.h"
#include "facet-activity-log.h"
#include "facet-catalog-row.h"
#include "facet-models-page.h"
#include "facet-preferences.h"
#include "modes/facet-mode.h"
#include "facet-settings.h"
#include "http-fixture.h"
#include "widget-find.h"
#include "widget-picture.h"

static gboolean
has_title (GtkWidget *widget, const char *text)
{
  return g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), text) == 0;
}

static gboolean
is_recommended (GtkWidget *widget, const char *text)
{
  GtkWidget *label = widget_find (widget, GTK_TYPE_BUTTON, NULL, NULL);

  for (GtkWidget *child = label; child; child = gtk_widget_get_next_sibling (child))
    if (gtk_widget_has_css_class (child, "suggested-action"))
      return TRUE;
  return FALSE;
}

static gboolean
has_tooltip (GtkWidget *widget, const char *text)
{
  return g_strcmp0 (gtk_widget_get_tooltip_text (widget), text) == 0;
}

static void
use_scheme (GSettings *settings, gboolean dark)
{
  g_settings_set_enum (settings, "color-scheme", dark ? 2 : 1);
}

static void
test_preferences (void)
{
  static const char *const pages[] = { "general", "modes", "model", "generation", "privacy" };
  GSettings *settings = facet_settings_get_default ();
  FacetPreferences *preferences = facet_preferences_new (NULL, settings);
  GtkWidget *row, *spin;

  facet_activity_log_add (FACET_ACTIVITY_READ, "/home/person/Pictures/<b>chart & co</b>.png");
  facet_activity_log_add (FACET_ACTIVITY_NETWORK, "https://user:secret@example.org/models/x.gguf?token=1#f");
  gtk_window_present (GTK_WINDOW (preferences));
  settle (400);
  for (int dark = 0; dark < 2; dark++) {
    use_scheme (settings, dark);
    for (gsize i = 0; i < G_N_ELEMENTS (pages); i++) {
      g_autofree char *name = g_strdup_printf ("preferences-%s-%s", pages[i], dark ? "dark" : "light");

      adw_preferences_window_set_visible_page_name (ADW_PREFERENCES_WINDOW (preferences), pages[i]);
      settle (50);
      widget_picture (GTK_WIDGET (preferences), name, 600);
    }
  }
  row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Model");
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, "None on this machine yet");
  facet_preferences_set_automatic_model (preferences, "Q & A · Q8_0");
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, "Chosen automatically: Q & A · Q8_0");
  g_settings_set_string (settings, "model", "/models/a<b.gguf");
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==,
                   "a<b.gguf, chosen by hand; the precision changes its cache alone");
  g_settings_reset (settings, "model");
  row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_COMBO_ROW, has_title, "Precision");
  adw_combo_row_set_selected (ADW_COMBO_ROW (row), 2);
  g_assert_cmpint (g_settings_get_enum (settings, "precision"), ==, FACET_PRECISION_BEST);
  g_settings_set_enum (settings, "precision", FACET_PRECISION_SMALLEST);
  g_assert_cmpuint (adw_combo_row_get_selected (ADW_COMBO_ROW (row)), ==, 0);
  g_assert_cmpint (facet_settings_get_kv_type (settings), ==, FACET_KV_Q8_0);
  row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_COMBO_ROW, has_title, "Language");
  adw_combo_row_set_selected (ADW_COMBO_ROW (row), 3);
  g_assert_cmpstr (facet_languages[2].code, ==, "de");
  g_assert_cmpstr (g_variant_get_string (g_settings_get_value (settings, "language"), NULL), ==, "de");
  row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Temperature");
  g_assert_false (gtk_widget_is_sensitive (row));
  g_settings_set_boolean (settings, "model-sampling", FALSE);
  g_assert_true (gtk_widget_is_sensitive (row));
  spin = widget_find (row, GTK_TYPE_SPIN_BUTTON, NULL, NULL);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), 0.4);
  g_assert_cmpfloat_with_epsilon (g_settings_get_double (settings, "temperature"), 0.4, 1e-9);
  /* The log is filled when the main loop has nothing better to do. */
  for (int i = 0; i < 200 && !widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title,
                                    "https://example.org/models/x.gguf"); i++)
    settle (50);
  g_assert_nonnull (widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title,
                          "https://example.org/models/x.gguf"));
  g_assert_nonnull (widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title,
                          "/home/person/Pictures/<b>chart & co</b>.png"));
  gtk_window_destroy (GTK_WINDOW (preferences));
  g_settings_reset (settings, "precision");
  g_settings_reset (settings, "language");
  settle (300);
}

static GtkWidget *
find_dialog (void)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
    g_autoptr (GtkWidget) window = g_list_model_get_item (windows, i);

    if (ADW_IS_MESSAGE_DIALOG (window))
      return window;
  }
  return NULL;
}

/* As its buttons do; the signal alone leaves it there, and the next one found might be this. */
static void
respond (const char *response)
{
  GtkWidget *dialog = find_dialog ();

  adw_message_dialog_response (ADW_MESSAGE_DIALOG (dialog), response);
  gtk_window_destroy (GTK_WINDOW (dialog));
}

/* The words of a mode: edited, refused without {text}, reset. */
static void
test_modes (void)
{
  GSettings *settings = facet_settings_get_default ();
  FacetPreferences *preferences = facet_preferences_new (NULL, settings);
  const FacetMode *chart = facet_mode_find ("chart");
  GtkWidget *row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Analyse Chart");
  GtkWidget *dialog;
  GtkTextBuffer *buffer;

  g_assert_null (widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Chat"));
  gtk_window_present (GTK_WINDOW (preferences));
  adw_action_row_activate (ADW_ACTION_ROW (row));
  dialog = find_dialog ();
  buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (widget_find (dialog, GTK_TYPE_TEXT_VIEW, NULL, NULL)));
  g_assert_false (adw_message_dialog_get_response_enabled (ADW_MESSAGE_DIALOG (dialog), "reset"));
  gtk_text_buffer_set_text (buffer, "No place for words", -1);
  g_assert_false (adw_message_dialog_get_response_enabled (ADW_MESSAGE_DIALOG (dialog), "save"));
  gtk_text_buffer_set_text (buffer, "Numbers only.\n{text}", -1);
  g_assert_true (adw_message_dialog_get_response_enabled (ADW_MESSAGE_DIALOG (dialog), "save"));
  widget_picture (dialog, "mode-words", 500);
  respond ("save");
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, "Numbers only. {text}");

  adw_action_row_activate (ADW_ACTION_ROW (row));
  respond ("reset");
  g_assert_true (g_str_has_prefix (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), "Read this chart"));
  g_assert_cmpstr (facet_mode_get_template (chart, settings), ==, chart->template);
  gtk_window_destroy (GTK_WINDOW (preferences));
}

/* A file with the person's own tools: named, or what is wrong with it. */
static void
test_tools (void)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-tools-XXXXXX", NULL), *path = g_build_filename (folder, "tools.json", NULL);
  GSettings *settings = facet_settings_get_default ();
  FacetPreferences *preferences = facet_preferences_new (NULL, settings);
  GtkWidget *row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Your Own Tools");
  GtkWidget *forget = widget_find (row, GTK_TYPE_BUTTON, has_tooltip, "Forget Your Own Tools");

  g_assert_nonnull (strstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), "None"));
  g_assert_false (gtk_widget_get_visible (forget));
  g_assert_true (g_file_set_contents (path, "{\"tools\":[{\"name\":\"weather\"}]}", -1, NULL));
  g_settings_set_string (settings, "tools-file", path);
  g_assert_nonnull (strstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), "cannot be used"));
  g_settings_reset (settings, "tools-file");
  g_assert_true (g_file_set_contents (path, "{\"tools\":[{\"name\":\"weather\",\"description\":\"d\",\"command\":[\"true\"]}]}", -1, NULL));
  g_settings_set_string (settings, "tools-file", path);
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, path);
  g_assert_true (gtk_widget_get_visible (forget));
  g_signal_emit_by_name (forget, "clicked");
  g_assert_cmpstr (g_variant_get_string (g_settings_get_value (settings, "tools-file"), NULL), ==, "");
  gtk_window_destroy (GTK_WINDOW (preferences));
  g_remove (path);
  g_rmdir (folder);
}

/* Devices come from a thread; one that is not there now stays chosen. */
static void
test_devices (void)
{
  GSettings *settings = facet_settings_get_default ();
  FacetPreferences *preferences;
  GtkWidget *row, *other;
  gpointer unknown, other_unknown;
  g_autofree char *chosen = NULL;

  g_settings_set_string (settings, "microphone", "ALSA/gone");
  preferences = facet_preferences_new (NULL, settings);
  row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_COMBO_ROW, has_title, "Microphone");
  other = widget_find (GTK_WIDGET (preferences), ADW_TYPE_COMBO_ROW, has_title, "Loudspeaker");
  unknown = g_object_get_data (G_OBJECT (row), "ids");
  other_unknown = g_object_get_data (G_OBJECT (other), "ids");
  while (g_object_get_data (G_OBJECT (row), "ids") == unknown || g_object_get_data (G_OBJECT (other), "ids") == other_unknown)
    g_main_context_iteration (NULL, TRUE);
  chosen = g_settings_get_string (settings, "microphone");
  g_assert_cmpstr (chosen, ==, "ALSA/gone");
  g_assert_cmpuint (adw_combo_row_get_selected (ADW_COMBO_ROW (row)), >, 0);
  adw_combo_row_set_selected (ADW_COMBO_ROW (row), 0);
  g_free (chosen);
  chosen = g_settings_get_string (settings, "microphone");
  g_assert_cmpstr (chosen, ==, "");
  gtk_window_destroy (GTK_WINDOW (preferences));
}

/* Graphics devices by name; the chosen one stays chosen while it is away, and a
 * long name asks for no more room than there is. */
static void
test_graphics (void)
{
  static const char name[] = "A Graphics Card with a Name That Goes On and On and Tells of Its Memory, Its Clock and Its Fans";
  GSettings *settings = facet_settings_get_default ();
  FacetPreferences *preferences;
  GtkWidget *row;
  gpointer unknown;
  g_autofree char *chosen = NULL;
  int minimum;

  g_settings_set_string (settings, "graphics-device", name);
  preferences = facet_preferences_new (NULL, settings);
  row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_COMBO_ROW, has_title, "Graphics Device");
  unknown = g_object_get_data (G_OBJECT (row), "ids");
  while (g_object_get_data (G_OBJECT (row), "ids") == unknown)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (gtk_string_object_get_string (adw_combo_row_get_selected_item (ADW_COMBO_ROW (row))), ==, name);
  g_assert_cmpstr (gtk_widget_get_tooltip_text (row), ==, name);
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, "The chosen device is not there now");
  gtk_window_set_default_size (GTK_WINDOW (preferences), 360, 640);
  adw_preferences_window_set_visible_page_name (ADW_PREFERENCES_WINDOW (preferences), "model");
  gtk_window_present (GTK_WINDOW (preferences));
  settle (300);
  gtk_widget_measure (row, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 320);
  widget_picture (GTK_WIDGET (preferences), "preferences-graphics", 300);
  chosen = g_settings_get_string (settings, "graphics-device");
  g_assert_cmpstr (chosen, ==, name);

  g_settings_set_enum (settings, "backend", FACET_BACKEND_CPU);
  g_assert_false (gtk_widget_get_sensitive (row));
  g_settings_reset (settings, "backend");
  g_assert_true (gtk_widget_get_sensitive (row));
  adw_combo_row_set_selected (ADW_COMBO_ROW (row), 0);
  g_free (chosen);
  chosen = g_settings_get_string (settings, "graphics-device");
  g_assert_cmpstr (chosen, ==, "");
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, "");
  gtk_window_destroy (GTK_WINDOW (preferences));
}

static void
test_instructions (void)
{
  GSettings *settings = facet_settings_get_default ();
  FacetPreferences *preferences = facet_preferences_new (NULL, settings);
  g_autofree char *chosen = NULL;
  GtkWidget *row = widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Explain simply");
  GtkWidget *check = widget_find (row, GTK_TYPE_CHECK_BUTTON, NULL, NULL);

  gtk_check_button_set_active (GTK_CHECK_BUTTON (check), TRUE);
  chosen = g_settings_get_string (settings, "system-prompt");
  g_assert_true (g_str_has_prefix (chosen, "Explain everything"));
  g_settings_set_value (settings, "system-prompt-presets", g_variant_new_parsed ("[('<i>', '&')]"));
  g_assert_nonnull (widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "<i>"));
  g_assert_null (widget_find (GTK_WIDGET (preferences), ADW_TYPE_ACTION_ROW, has_title, "Explain simply"));
  g_settings_reset (settings, "system-prompt-presets");
  g_settings_reset (settings, "system-prompt");
  gtk_window_destroy (GTK_WINDOW (preferences));
}

static void
copy (const char *name, const char *as)
{
  g_autofree char *folder = facet_model_library_directory ();
  g_autofree char *from = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", "gemma3-tiny", name, NULL);
  g_autofree char *to = g_build_filename (folder, as, NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  g_mkdir_with_parents (folder, 0700);
  g_assert_true (g_file_get_contents (from, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (to, bytes, length, NULL));
}

static void
chosen_cb (FacetModelsPage *page, const char *path, char **chosen)
{
  g_free (*chosen);
  *chosen = g_strdup (path);
}

static GtkWidget *
open_page (FacetModelLibrary *library, GSettings *settings, GtkWidget **window, int width)
{
  GtkWidget *page = GTK_WIDGET (facet_models_page_new (library, settings));

  *window = adw_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (*window), width, 900);
  adw_window_set_content (ADW_WINDOW (*window), page);
  gtk_window_present (GTK_WINDOW (*window));
  while (facet_model_library_is_scanning (library))
    g_main_context_iteration (NULL, TRUE);
  settle (300);
  return page;
}

static void
test_models (void)
{
  GSettings *settings = facet_settings_get_default ();
  g_autoptr (FacetModelLibrary) library = NULL;
  g_autofree char *folder = facet_model_library_directory ();
  g_autofree char *bad = g_build_filename (folder, "broken.gguf", NULL);
  g_autofree char *part = g_build_filename (folder, "gemma-3-1b-it-Q4_K_M.gguf.part", NULL);
  g_autofree char *state = g_strconcat (part, ".state", NULL);
  g_autofree char *chosen = NULL, *now = NULL;
  GtkWidget *window, *page, *check, *automatic, *purpose;

  copy ("text-q8_0.gguf", "tiny.gguf");
  copy ("mmproj.gguf", "eyes.gguf");
  g_assert_true (g_file_set_contents (bad, "x", 1, NULL));
  g_assert_true (g_file_set_contents (part, "the first thirty of all bytes.", 30, NULL));
  g_assert_true (g_file_set_contents (state, "[download]\nvalidator=\"x\"\ntotal=100\naddress=https://huggingface.co/ggml-org/"
                                      "gemma-3-1b-it-GGUF/resolve/main/gemma-3-1b-it-Q4_K_M.gguf\n", -1, NULL));
  library = facet_model_library_new (settings);
  page = open_page (library, settings, &window, 760);
  g_signal_connect (page, "chosen", G_CALLBACK (chosen_cb), &chosen);
  for (int dark = 0; dark < 2; dark++) {
    use_scheme (settings, dark);
    widget_picture (window, dark ? "models-dark" : "models-light", 600);
  }
  automatic = widget_find (widget_find (page, ADW_TYPE_ACTION_ROW, has_title, "Automatic"), GTK_TYPE_CHECK_BUTTON, NULL, NULL);
  check = widget_find (widget_find (page, ADW_TYPE_ACTION_ROW, has_title, "gemma3-tiny-random"), GTK_TYPE_CHECK_BUTTON, NULL, NULL);
  g_assert_nonnull (strstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (widget_find (page, ADW_TYPE_ACTION_ROW, has_title, "Automatic"))),
                            "\nNow: gemma3-tiny-random · Q8_0"));
  g_assert_true (gtk_check_button_get_active (GTK_CHECK_BUTTON (automatic)));
  g_assert_false (gtk_check_button_get_active (GTK_CHECK_BUTTON (check)));
  g_assert_null (chosen);
  g_settings_set_string (settings, "model", "/nowhere.gguf");
  g_assert_false (gtk_check_button_get_active (GTK_CHECK_BUTTON (automatic)));
  g_assert_false (gtk_check_button_get_active (GTK_CHECK_BUTTON (check)));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (check), TRUE);
  g_assert_true (g_str_has_suffix (chosen, "/tiny.gguf"));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (automatic), TRUE);
  g_assert_false (gtk_check_button_get_active (GTK_CHECK_BUTTON (check)));
  now = g_settings_get_string (settings, "model");
  g_assert_cmpstr (now, ==, "");
  purpose = widget_find (page, ADW_TYPE_COMBO_ROW, has_title, "I Want To");
  if (facet_catalog_machine_memory () > G_GUINT64_CONSTANT (6) << 30) {
    GtkWidget *row;

    adw_combo_row_set_selected (ADW_COMBO_ROW (purpose), 2);
    row = widget_find (page, FACET_TYPE_CATALOG_ROW, is_recommended, NULL);
    g_assert_nonnull (row);
    g_assert_true (facet_catalog_model_get_senses (facet_catalog_row_get_model (FACET_CATALOG_ROW (row))) & FACET_SENSE_SOUND);
  }
  gtk_window_destroy (GTK_WINDOW (window));
  settle (100);
}

static GListModel *
local_catalog (const char *address)
{
  g_autofree char *json = g_strdup_printf ("{\"models\": [{\"id\": \"t\", \"name\": \"Tiny\", \"licence\": \"MIT\","
                                           " \"terms\": \"https://example.org\", \"memory_gib\": 1, \"senses\": [\"text\"],"
                                           " \"files\": [{\"role\": \"model\", \"name\": \"fetched.gguf\", \"url\": \"%s\"},"
                                           " {\"role\": \"projector\", \"name\": \"second.gguf\", \"url\": \"%s\"}]}]}",
                                           address, address);
  g_autoptr (GError) error = NULL;
  GListModel *catalog = facet_catalog_parse (json, -1, &error);

  g_assert_no_error (error);
  return catalog;
}

/* Nothing is asked for before the person agrees; then both files arrive. */
static void
test_download (void)
{
  const HttpAnswer answers[] = { { .cut_after = 300000 }, { 0 } };
  g_autofree char *model = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q8_0.gguf", NULL);
  g_autofree char *folder = g_dir_make_tmp ("facet-fetch-XXXXXX", NULL);
  g_autofree char *first = g_build_filename (folder, "fetched.gguf", NULL);
  g_autofree char *second = g_build_filename (folder, "second.gguf", NULL);
  g_autofree char *bytes = NULL;
  g_autoptr (GListModel) catalog = NULL;
  g_autoptr (FacetCatalogModel) entry = NULL;
  HttpFixture http = { 0 };
  FacetCatalogRow *row;
  GtkWidget *window = adw_window_new ();
  GtkWidget *list = gtk_list_box_new ();
  GtkWidget *button;
  gsize size;

  g_assert_true (g_file_get_contents (model, &bytes, &size, NULL));
  http_fixture_start (&http, size, answers, 2);
  http.bytes = bytes;
  catalog = local_catalog (http.address);
  entry = g_list_model_get_item (catalog, 0);
  row = facet_catalog_row_new (entry, FACET_PRECISION_BALANCED, folder);
  gtk_list_box_append (GTK_LIST_BOX (list), GTK_WIDGET (row));
  adw_window_set_content (ADW_WINDOW (window), list);
  gtk_window_present (GTK_WINDOW (window));
  settle (100);
  button = widget_find (GTK_WIDGET (row), GTK_TYPE_BUTTON, has_tooltip, "Download Tiny");
  g_signal_emit_by_name (button, "clicked");
  settle (100);
  g_assert_cmpuint (http.requests, ==, 0);
  widget_picture (find_dialog (), "models-consent", 600);
  respond ("download");
  g_assert_true (facet_catalog_row_is_busy (row));
  while (facet_catalog_row_is_busy (row))
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (widget_find (GTK_WIDGET (row), GTK_TYPE_IMAGE, has_tooltip, "On this machine"));
  g_assert_true (g_file_test (first, G_FILE_TEST_IS_REGULAR) && g_file_test (second, G_FILE_TEST_IS_REGULAR));
  gtk_window_destroy (GTK_WINDOW (window));
  http_fixture_stop (&http);
  g_unlink (first);
  g_unlink (second);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_narrow (void)
{
  GSettings *settings = facet_settings_get_default ();
  g_autoptr (FacetModelLibrary) library = facet_model_library_new (settings);
  GtkWidget *window;
  GtkWidget *page = open_page (library, settings, &window, 360);
  int minimum;

  gtk_widget_measure (page, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  use_scheme (settings, FALSE);
  widget_picture (window, "models-narrow", 600);
  g_assert_cmpint (minimum, <=, 360);
  gtk_window_destroy (GTK_WINDOW (window));
  settle (100);
}

/* Right to left, and at twice the size of text, nothing may stick out. */
static void
test_rtl_and_large_text (void)
{
  GSettings *settings = facet_settings_get_default ();
  g_autoptr (FacetModelLibrary) library = facet_model_library_new (settings);
  GtkSettings *gtk = gtk_settings_get_default ();
  GtkWidget *window, *page;
  int dpi, minimum;

  g_object_get (gtk, "gtk-xft-dpi", &dpi, NULL);
  g_object_set (gtk, "gtk-xft-dpi", 192 * 1024, NULL);
  gtk_widget_set_default_direction (GTK_TEXT_DIR_RTL);
  page = open_page (library, settings, &window, 500);
  gtk_widget_measure (page, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  widget_picture (window, "models-rtl-large", 600);
  g_test_message ("minimum width at 200 %%: %d", minimum);
  g_assert_cmpint (minimum, <=, 500);
  gtk_window_destroy (GTK_WINDOW (window));
  gtk_widget_set_default_direction (GTK_TEXT_DIR_LTR);
  g_object_set (gtk, "gtk-xft-dpi", dpi, NULL);
  settle (100);
}

int
main (int argc, char *argv[])
{
  char *data = data_folder_begin ();

  g_test_init (&argc, &argv, NULL);
  if (!gtk_init_check ()) {
    g_print ("1..0 # SKIP no display\n");
    return data_folder_end (data, 0);
  }
  adw_init ();
  facet_settings_follow_color_scheme (facet_settings_get_default ());
  g_test_add_func ("/pages/preferences", test_preferences);
  g_test_add_func ("/pages/instructions", test_instructions);
  g_test_add_func ("/pages/modes", test_modes);
  g_test_add_func ("/pages/tools", test_tools);
  g_test_add_func ("/pages/devices", test_devices);
  g_test_add_func ("/pages/graphics", test_graphics);
  g_test_add_func ("/pages/models", test_models);
  g_test_add_func ("/pages/download", test_download);
  g_test_add_func ("/pages/narrow", test_narrow);
  g_test_add_func ("/pages/rtl-and-large-text", test_rtl_and_large_text);
  return data_folder_end (data, g_test_run ());
}
