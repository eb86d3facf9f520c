/* The program as the desktop starts it: files to open, a second start, options. */
#include <glib/gstdio.h>
#include <locale.h>

#include "application/facet-application.h"
#include "facet-settings.h"
#include "process.h"
#include "script-backend.h"
#include "tree.h"
#include "window/facet-window-private.h"

static Script script = { .answer = "An answer." };

/* One for all tests, as a process has one place on the session bus. */
static FacetApplication *
get_application (void)
{
  static FacetApplication *application;
  g_autoptr (GError) error = NULL;

  if (application == NULL) {
    application = facet_application_new (&script_backend, &script, facet_settings_get_default ());
    g_application_register (G_APPLICATION (application), NULL, &error);
    g_assert_no_error (error);
  }
  return application;
}

static FacetWindow *
window_of (FacetApplication *application)
{
  GList *windows = gtk_application_get_windows (GTK_APPLICATION (application));

  g_assert_cmpuint (g_list_length (windows), ==, 1);
  return FACET_WINDOW (windows->data);
}

static FacetAttachment *
wait_for_attachment (FacetWindow *window, guint position)
{
  GListModel *attachments = facet_composer_get_attachments (window->composer);
  FacetAttachment *attachment;

  g_assert_cmpuint (g_list_model_get_n_items (attachments), ==, position + 1);
  attachment = g_list_model_get_item (attachments, position);
  g_object_unref (attachment); /* the list keeps it */
  while (facet_attachment_get_state (attachment) == FACET_ATTACHMENT_LOOKING)
    g_main_context_iteration (NULL, TRUE);
  return attachment;
}

static void
open_file (FacetApplication *application, const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", "images", name, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_application_open (G_APPLICATION (application), &file, 1, "");
}

/* GTK 4.8 crashes over a hidden window when a screen reader asks for one that has just gone. */
static void
assert_no_hidden_window (void)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
    g_autoptr (GtkWidget) window = g_list_model_get_item (windows, i);

    g_assert_true (gtk_widget_get_visible (window));
  }
}

/* Each file becomes an attachment of the one window, which the first one opens. */
static void
test_open (void)
{
  FacetApplication *application = get_application ();
  FacetAttachment *attachment;
  FacetWindow *window;

  open_file (application, "rgb-8.png");
  window = window_of (application);
  assert_no_hidden_window ();
  attachment = wait_for_attachment (window, 0);
  g_assert_cmpint (facet_attachment_get_state (attachment), ==, FACET_ATTACHMENT_READY);
  g_assert_cmpint (facet_attachment_get_kind (attachment), ==, FACET_ATTACHMENT_IMAGE);
  g_assert_cmpstr (facet_attachment_get_name (attachment), ==, "rgb-8.png");

  open_file (application, "rgb.jpg");
  g_assert_true (window_of (application) == window);
  attachment = wait_for_attachment (window, 1);
  g_assert_cmpstr (facet_attachment_get_name (attachment), ==, "rgb.jpg");

  g_action_group_activate_action (G_ACTION_GROUP (application), "quit", NULL);
  g_assert_null (gtk_application_get_windows (GTK_APPLICATION (application)));
}

/* ---- shortcuts ---------------------------------------------------------- */

static void
add_accelerator (GHashTable *into, guint key, GdkModifierType modifiers)
{
  g_hash_table_add (into, gtk_accelerator_name (gdk_keyval_to_lower (key), modifiers));
}

/* Every accelerator that the shortcuts window shows. */
static void
collect_shown (GtkWidget *widget, GHashTable *into)
{
  if (GTK_IS_SHORTCUTS_SHORTCUT (widget)) {
    g_autofree char *text = NULL;
    g_auto (GStrv) names = NULL;

    g_object_get (widget, "accelerator", &text, NULL);
    names = g_strsplit (text, " ", -1);
    for (char **name = names; *name != NULL; name++) {
      GdkModifierType modifiers;
      guint key;

      g_assert_true (gtk_accelerator_parse (*name, &key, &modifiers));
      add_accelerator (into, key, modifiers);
    }
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    collect_shown (child, into);
}

/* Every accelerator of the program's own actions: those of the application and those bound to the window's class. */
static void
collect_bound (FacetApplication *application, FacetWindow *window, GHashTable *into)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (GTK_WIDGET (window));
  g_auto (GStrv) actions = gtk_application_list_action_descriptions (GTK_APPLICATION (application));

  for (char **action = actions; *action != NULL; action++) {
    g_auto (GStrv) names = gtk_application_get_accels_for_action (GTK_APPLICATION (application), *action);

    for (char **name = names; *name != NULL; name++) {
      GdkModifierType modifiers;
      guint key;

      g_assert_true (gtk_accelerator_parse (*name, &key, &modifiers));
      add_accelerator (into, key, modifiers);
    }
  }
  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GObject) controller = g_list_model_get_item (controllers, i);

    for (guint k = 0; G_IS_LIST_MODEL (controller) && k < g_list_model_get_n_items (G_LIST_MODEL (controller)); k++) {
      g_autoptr (GtkShortcut) shortcut = g_list_model_get_item (G_LIST_MODEL (controller), k);
      GtkShortcutAction *action = gtk_shortcut_get_action (shortcut);
      GtkShortcutTrigger *trigger = gtk_shortcut_get_trigger (shortcut);

      if (!GTK_IS_NAMED_ACTION (action) || !GTK_IS_KEYVAL_TRIGGER (trigger) ||
          !g_str_has_prefix (gtk_named_action_get_action_name (GTK_NAMED_ACTION (action)), "win."))
        continue;
      add_accelerator (into, gtk_keyval_trigger_get_keyval (GTK_KEYVAL_TRIGGER (trigger)),
                       gtk_keyval_trigger_get_modifiers (GTK_KEYVAL_TRIGGER (trigger)));
    }
  }
}

/* The shortcuts window leaves none of them out. */
static void
test_shortcuts (void)
{
  FacetApplication *application = get_application ();
  g_autoptr (GtkBuilder) builder = gtk_builder_new_from_resource ("/io/github/facet_desktop/Facet/facet-shortcuts.ui");
  g_autoptr (GHashTable) shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) bound = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GtkWidget *overlay = GTK_WIDGET (gtk_builder_get_object (builder, "shortcuts"));
  GHashTableIter iter;
  gpointer name;

  g_application_activate (G_APPLICATION (application));
  collect_shown (overlay, shown);
  collect_bound (application, window_of (application), bound);
  g_assert_true (g_hash_table_contains (bound, "<Control>n"));
  g_assert_true (g_hash_table_contains (bound, "<Control>comma"));
  g_hash_table_iter_init (&iter, bound);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    if (!g_hash_table_contains (shown, name)) {
      g_test_message ("the shortcuts window does not show %s", (char *) name);
      g_test_fail ();
    }
  }
  gtk_window_destroy (GTK_WINDOW (overlay));
  g_action_group_activate_action (G_ACTION_GROUP (application), "quit", NULL);
}

/* ---- settings ----------------------------------------------------------- */

/* Until the model is loaded as the settings now say: changes are gathered first. */
static const FacetLoadSpec *
wait_for_load (FacetWindow *window, int threads)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  while (facet_engine_service_get_state (window->service) != FACET_ENGINE_READY || script.spec == NULL ||
         script.spec->threads != threads) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
  return script.spec;
}

static void
ask (FacetWindow *window)
{
  facet_composer_set_text (window->composer, "Hello");
  g_signal_emit_by_name (window->composer, "send");
  do
    g_main_context_iteration (NULL, TRUE);
  while (window->asking || facet_replier_is_running (window->replier));
}

static void
assert_loading (FacetWindow *window, GSettings *settings)
{
  const FacetLoadSpec *spec;

  g_settings_set_string (settings, "model", "/models/chosen.gguf");
  g_settings_set_string (settings, "projector", "/models/eyes.gguf");
  g_settings_set_string (settings, "graphics-device", "Some Card");
  g_settings_set_enum (settings, "backend", FACET_BACKEND_VULKAN);
  g_settings_set_int (settings, "context-length", 2048);
  g_settings_set_enum (settings, "precision", FACET_PRECISION_SMALLEST);
  g_settings_set_int (settings, "threads", 3);
  spec = wait_for_load (window, 3);
  g_assert_cmpstr (spec->path, ==, "/models/chosen.gguf");
  g_assert_cmpstr (spec->projector, ==, "/models/eyes.gguf");
  g_assert_cmpstr (spec->device, ==, "Some Card");
  g_assert_cmpint (spec->backend, ==, FACET_BACKEND_VULKAN);
  g_assert_cmpint (spec->context, ==, 2048);
  g_assert_cmpint (spec->kv_type, ==, FACET_KV_Q8_0);

  g_settings_set_enum (settings, "backend", FACET_BACKEND_CPU);
  g_settings_set_enum (settings, "precision", FACET_PRECISION_BEST);
  g_settings_set_int (settings, "threads", 1);
  spec = wait_for_load (window, 1);
  g_assert_cmpint (spec->backend, ==, FACET_BACKEND_CPU);
  g_assert_cmpint (spec->kv_type, ==, FACET_KV_F16);
}

static void
assert_asking (FacetWindow *window, GSettings *settings)
{
  ask (window);
  g_assert_false (script.own_sampling);
  g_assert_null (strstr (script.asked->str, "system:"));
  g_settings_set_boolean (settings, "model-sampling", FALSE);
  g_settings_set_double (settings, "temperature", 0.3);
  g_settings_set_int (settings, "top-k", 7);
  g_settings_set_double (settings, "top-p", 0.8);
  g_settings_set_double (settings, "min-p", 0.2);
  g_settings_set_double (settings, "repeat-penalty", 1.25);
  g_settings_set_string (settings, "system-prompt", "Be brief.");
  ask (window);
  g_assert_true (script.own_sampling);
  g_assert_cmpfloat_with_epsilon (script.sampling.temperature, 0.3, 1e-6);
  g_assert_cmpint (script.sampling.top_k, ==, 7);
  g_assert_cmpfloat_with_epsilon (script.sampling.top_p, 0.8, 1e-6);
  g_assert_cmpfloat_with_epsilon (script.sampling.min_p, 0.2, 1e-6);
  g_assert_cmpfloat_with_epsilon (script.sampling.repeat_penalty, 1.25, 1e-6);
  g_assert_nonnull (strstr (script.asked->str, "system: Be brief.\nuser: Hello\n"));
}

/* Each of the preferences does what it says, at once. Language, instructions, Enter and devices for sound have tests of their own. */
static void
test_settings (void)
{
  static const char *const keys[] = { "model", "projector", "graphics-device", "backend", "context-length", "precision", "threads",
                                      "model-sampling", "temperature", "top-k", "top-p", "min-p", "repeat-penalty", "system-prompt",
                                      "color-scheme" };
  FacetApplication *application = get_application ();
  GSettings *settings = facet_settings_get_default ();
  AdwStyleManager *style = adw_style_manager_get_default ();
  FacetWindow *window;

  script.asked = g_string_new (NULL);
  g_application_activate (G_APPLICATION (application));
  window = window_of (application);
  assert_loading (window, settings);
  assert_asking (window, settings);
  g_settings_set_enum (settings, "color-scheme", 2);
  g_assert_true (adw_style_manager_get_dark (style));
  g_settings_set_enum (settings, "color-scheme", 1);
  g_assert_false (adw_style_manager_get_dark (style));
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_settings_reset (settings, keys[i]);
  g_action_group_activate_action (G_ACTION_GROUP (application), "quit", NULL);
  g_string_free (g_steal_pointer (&script.asked), TRUE);
}

/* ---- the automatic choice ----------------------------------------------- */

static void
put_model (const char *name, const char *as)
{
  g_autofree char *from = g_test_build_filename (G_TEST_DIST, "data", "kit", "models", "gemma3-tiny", name, NULL);
  g_autofree char *folder = facet_model_library_directory ();
  g_autofree char *to = g_build_filename (folder, as, NULL);
  g_autoptr (GFile) source = g_file_new_for_path (from), target = g_file_new_for_path (to);
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (folder, 0700);
  g_file_copy (source, target, G_FILE_COPY_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
remove_model (const char *name)
{
  g_autofree char *folder = facet_model_library_directory ();
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
wait_for_file (FacetWindow *window, const char *name)
{
  gint64 end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (facet_engine_service_get_state (window->service) != FACET_ENGINE_READY || script.spec == NULL ||
         !g_str_has_suffix (script.spec->path, name)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
}

/* What is found meanwhile waits for the end of the answer. */
static void
assert_answer_kept (FacetWindow *window)
{
  g_autoptr (GString) answer = g_string_new (NULL);

  for (int i = 0; i < 2000; i++)
    g_string_append (answer, "word ");
  script.answer = answer->str;
  script.delay_usec = 1000;
  facet_composer_set_text (window->composer, "Hello");
  g_signal_emit_by_name (window->composer, "send");
  while (facet_engine_service_get_state (window->service) != FACET_ENGINE_ANSWERING)
    g_main_context_iteration (NULL, TRUE);
  remove_model ("large.gguf");
  facet_model_library_scan (window->library);
  while (facet_model_library_is_scanning (window->library) || facet_replier_is_running (window->replier))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (facet_message_get_status (facet_conversation_get_last (window->conversation)), ==, FACET_MESSAGE_DONE);
  wait_for_file (window, "/small.gguf");
  script.answer = "An answer.";
  script.delay_usec = 0;
}

static void
wait_for_models (FacetWindow *window, guint n)
{
  gint64 end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (facet_model_library_is_scanning (window->library) || g_list_model_get_n_items (G_LIST_MODEL (window->library)) != n) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
}

/* Files that come are found when the page of models opens; one that is gone, when it cannot be loaded. */
static void
assert_files_followed (FacetApplication *application, FacetWindow *window, GSettings *settings)
{
  g_autofree char *folder = facet_model_library_directory ();
  g_autofree char *path = g_build_filename (folder, "copied.gguf", NULL);

  put_model ("text-q4_k.gguf", "copied.gguf");
  g_action_group_activate_action (G_ACTION_GROUP (application), "models", NULL);
  wait_for_models (window, 2);
  gtk_window_close (gtk_application_get_active_window (GTK_APPLICATION (application)));
  remove_model ("copied.gguf");
  script.fail_load = FACET_ERROR_IO + 1;
  g_settings_set_string (settings, "model", path);
  wait_for_models (window, 1);
  g_assert_cmpint (facet_engine_service_get_state (window->service), ==, FACET_ENGINE_EMPTY);
  script.fail_load = 0;
  g_settings_reset (settings, "model");
  wait_for_file (window, "/small.gguf");
  remove_model ("small.gguf");
}

/* Without a chosen file the precision picks one of the same model, and what is gone is replaced. */
static void
test_automatic (void)
{
  FacetApplication *application = get_application ();
  GSettings *settings = facet_settings_get_default ();
  FacetWindow *window;

  script.asked = g_string_new (NULL);
  g_application_activate (G_APPLICATION (application));
  window = window_of (application);
  put_model ("text-q4_0.gguf", "small.gguf");
  put_model ("text-q8_0.gguf", "large.gguf");
  g_settings_set_enum (settings, "precision", FACET_PRECISION_SMALLEST);
  wait_for_file (window, "/small.gguf");
  g_assert_cmpint (script.spec->kv_type, ==, FACET_KV_Q8_0);
  g_settings_set_enum (settings, "precision", FACET_PRECISION_BEST);
  wait_for_file (window, "/large.gguf");
  g_assert_cmpint (script.spec->kv_type, ==, FACET_KV_F16);
  assert_answer_kept (window);
  assert_files_followed (application, window, settings);
  g_settings_reset (settings, "precision");
  g_action_group_activate_action (G_ACTION_GROUP (application), "quit", NULL);
  g_string_free (g_steal_pointer (&script.asked), TRUE);
}

/* ---- leaving ------------------------------------------------------------ */

typedef struct {
  FacetApplication *application;
  const char       *pid_file;
  int               child; /* of the command */
} Leaving;

/* What a person does, one thing after the other. */
static gboolean
leave_cb (gpointer data)
{
  Leaving *leaving = data;
  FacetWindow *window = window_of (leaving->application);
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };

  if (window->question != NULL) {
    adw_message_dialog_response (ADW_MESSAGE_DIALOG (window->question), "once");
  } else if (facet_engine_service_get_loaded (window->service) == NULL) {
    if (facet_engine_service_get_state (window->service) == FACET_ENGINE_EMPTY)
      facet_engine_service_load (window->service, &spec);
  } else if (!facet_replier_is_running (window->replier)) {
    g_assert_true (facet_conversation_set_tools (window->conversation, TRUE, NULL));
    facet_composer_set_text (window->composer, "Wait");
    g_signal_emit_by_name (window->composer, "send");
  } else if ((leaving->child = process_read_id (leaving->pid_file)) != 0) {
    g_action_group_activate_action (G_ACTION_GROUP (leaving->application), "quit", NULL);
    return G_SOURCE_REMOVE;
  }
  return G_SOURCE_CONTINUE;
}

/* A command that a tool runs ends with the program. */
static void
test_leave (void)
{
  static const ScriptCall waits = { "wait", "{}" };
  g_autoptr (FacetApplication) application = facet_application_new (&script_backend, &script, facet_settings_get_default ());
  g_autofree char *folder = g_dir_make_tmp ("facet-leave-XXXXXX", NULL);
  g_autofree char *pid_file = g_build_filename (folder, "pid", NULL), *tools = g_build_filename (folder, "tools.json", NULL);
  g_autofree char *json = g_strdup_printf ("{\"tools\":[{\"name\":\"wait\",\"description\":\"Waits.\",\"command\":"
                                           "[\"sh\",\"-c\",\"echo $$ > $0; exec sleep 60\",\"%s\"]}]}", pid_file);
  Leaving leaving = { application, pid_file, 0 };

  g_assert_true (g_file_set_contents (tools, json, -1, NULL));
  g_settings_set_string (facet_settings_get_default (), "tools-file", tools);
  script.calls = &waits;
  script.n_calls = 1;
  script.asked = g_string_new (NULL);
  g_timeout_add (50, leave_cb, &leaving);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  g_assert_cmpint (leaving.child, >, 1);
  g_assert_false (process_goes_on (leaving.child));
  g_string_free (script.asked, TRUE);
  script = (Script){ .answer = "An answer." };
  g_settings_reset (facet_settings_get_default (), "tools-file");
  tree_remove (folder);
}

int
main (int argc, char *argv[])
{
  g_autofree char *folder = g_dir_make_tmp ("facet-application-XXXXXX", NULL);
  int status;

  g_setenv ("XDG_DATA_HOME", folder, TRUE);
  gtk_disable_setlocale ();
  setlocale (LC_ALL, "C.UTF-8");
  if (!gtk_init_check ()) {
    g_print ("1..0 # SKIP no display\n");
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/application/leave", test_leave); /* with an application of its own, before the others' takes the place */
  g_test_add_func ("/application/open", test_open);
  g_test_add_func ("/application/shortcuts", test_shortcuts);
  g_test_add_func ("/application/settings", test_settings);
  g_test_add_func ("/application/automatic", test_automatic);
  status = g_test_run ();
  tree_remove (folder);
  return status;
}
