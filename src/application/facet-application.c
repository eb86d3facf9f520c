#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-application.h"

#include "chat/facet-call-task.h"
#include "facet-spoken-names.h"
#include "facet-model-loader.h"
#include "facet-models-page.h"
#include "facet-preferences.h"
#include "facet-settings.h"
#include "facet-trouble.h"
#include "window/facet-window.h"

#define LOCKED_PATIENCE_USEC (2 * G_USEC_PER_SEC)
#define LOCKED_STEP_USEC (50 * 1000)

struct _FacetApplication {
  AdwApplication parent_instance;

  const FacetEngineBackend *backend;
  gpointer                  config;
  GSettings                *settings;
  FacetStore               *store;
  FacetModelLibrary        *library;
  FacetEngineService       *service;
  FacetModelLoader         *loader;
  FacetStoreRecovery        recovery;
  char                     *trouble_text; /* why there is no store */
  FacetWindow              *window;  /* borrowed */
  GtkWindow                *trouble; /* borrowed: in place of window while there is no store */
  GtkWindow                *models;  /* borrowed */
  GtkWindow                *preferences; /* borrowed */
  GtkWindow                *shortcuts; /* borrowed */
};

G_DEFINE_FINAL_TYPE (FacetApplication, facet_application, ADW_TYPE_APPLICATION)

/* ---- the model ---------------------------------------------------------- */

static void
show_automatic (FacetApplication *self)
{
  FacetLocalModel *model = facet_model_library_get_automatic (self->library);
  g_autofree char *name = model != NULL ? facet_local_model_name_file (model) : NULL;

  if (self->preferences != NULL)
    facet_preferences_set_automatic_model (FACET_PREFERENCES (self->preferences), name);
}

/* ---- actions ------------------------------------------------------------ */

/* A window beside the conversation, at *@window while it is open: it has the program's actions and
 * shortcuts, and goes with the conversation's. */
static void
present_beside (FacetApplication *self, GtkWindow **window)
{
  g_object_add_weak_pointer (G_OBJECT (*window), (gpointer *) window);
  gtk_window_set_application (*window, GTK_APPLICATION (self));
  gtk_window_set_destroy_with_parent (*window, TRUE);
  gtk_window_present (*window);
}

static void
models_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetApplication *self = data;
  GtkEventController *escape;
  GtkWidget *box;
  GtkWidget *page;

  facet_model_library_scan (self->library); /* files come and go without this program, too */
  if (self->models != NULL) {
    gtk_window_present (self->models);
    return;
  }
  escape = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (escape),
                                        gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                                                          gtk_named_action_new ("window.close")));
  box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  page = GTK_WIDGET (facet_models_page_new (self->library, self->settings));
  self->models = g_object_new (ADW_TYPE_WINDOW, "title", _("Models"), "transient-for", self->window, "default-width",
                               640, "default-height", 640, NULL);
  gtk_widget_set_vexpand (page, TRUE);
  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  gtk_box_append (GTK_BOX (box), page);
  adw_window_set_content (ADW_WINDOW (self->models), box);
  gtk_widget_add_controller (GTK_WIDGET (self->models), escape);
  present_beside (self, &self->models);
}

static void
preferences_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetApplication *self = data;

  if (self->preferences != NULL) {
    gtk_window_present (self->preferences);
    return;
  }
  self->preferences = GTK_WINDOW (facet_preferences_new (GTK_WINDOW (self->window), self->settings));
  show_automatic (self);
  present_beside (self, &self->preferences);
}

/* Made anew each time: where a hidden window is among its windows, GTK 4.8 crashes when a
 * screen reader asks for one that has just gone. A help overlay would be hidden. */
static void
shortcuts_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetApplication *self = data;
  g_autoptr (GtkBuilder) builder = NULL;

  if (self->shortcuts != NULL) {
    gtk_window_present (self->shortcuts);
    return;
  }
  builder = gtk_builder_new_from_resource ("/io/github/facet_desktop/Facet/facet-shortcuts.ui");
  self->shortcuts = GTK_WINDOW (gtk_builder_get_object (builder, "shortcuts"));
  gtk_window_set_transient_for (self->shortcuts, GTK_WINDOW (self->window));
  present_beside (self, &self->shortcuts);
}

static void
about_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetApplication *self = data;

  adw_show_about_window (GTK_WINDOW (self->window), "application-name", "Facet", "application-icon", FACET_APP_ID,
                         "version", FACET_VERSION, "comments",
                         _("A private assistant that runs on this computer"), "license-type", GTK_LICENSE_MIT_X11,
                         NULL);
}

static void
quit_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetApplication *self = data;

  if (self->window != NULL)
    gtk_window_destroy (GTK_WINDOW (self->window));
  g_application_quit (G_APPLICATION (self));
}

/* ---- the chats ---------------------------------------------------------- */

/* @patience: microseconds to wait for another program that has the chats
 * locked; only before there is a window, which would wait, too. */
static void
open_store (FacetApplication *self, gint64 patience)
{
  g_autofree char *directory = facet_store_default_directory ();
  gint64 end = g_get_monotonic_time () + patience;
  g_autoptr (GError) error = NULL;

  for (;;) {
    facet_store_recovery_clear (&self->recovery);
    self->store = facet_store_open (directory, FACET_STORE_READ_WRITE, &self->recovery, &error);
    if (!g_error_matches (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY) || g_get_monotonic_time () >= end)
      break;
    g_clear_error (&error);
    g_usleep (LOCKED_STEP_USEC);
  }
  g_clear_pointer (&self->trouble_text, g_free);
  if (self->store == NULL) {
    g_printerr ("%s\n", error->message);
    self->trouble_text = g_strdup (error->message);
  }
}

static void
tell_recovery (FacetApplication *self)
{
  const FacetStoreRecovery *recovery = &self->recovery;
  g_autofree char *name = NULL, *sentence = NULL;

  if (recovery->moved_to == NULL)
    return;
  name = g_filename_display_name (recovery->moved_to);
  /* Translators: %s is the path of a file */
  sentence = g_strdup_printf (ngettext ("The file with your chats was damaged. %u chat could be saved; the damaged file was kept as “%s”.",
                                        "The file with your chats was damaged. %u chats could be saved; the damaged file was kept as “%s”.",
                                        recovery->chats), recovery->chats, name);
  facet_window_tell (self->window, sentence);
}

static void retry_cb (gpointer data);

/* Whether there is a store; else a window says why, and offers to try again. */
static gboolean
require_store (FacetApplication *self)
{
  if (self->store == NULL && self->trouble == NULL) {
    self->trouble = facet_trouble_new (GTK_APPLICATION (self), self->trouble_text, retry_cb, self);
    g_object_add_weak_pointer (G_OBJECT (self->trouble), (gpointer *) &self->trouble);
  }
  if (self->store == NULL)
    gtk_window_present (self->trouble);
  return self->store != NULL;
}

/* The new window comes first: without one the program would end. */
static void
retry_cb (gpointer data)
{
  FacetApplication *self = data;
  GtkWindow *old = self->trouble;

  g_clear_weak_pointer (&self->trouble);
  open_store (self, 0);
  g_application_activate (G_APPLICATION (self));
  gtk_window_destroy (old);
}

/* ---- life --------------------------------------------------------------- */

static void
facet_application_startup (GApplication *application)
{
  FacetApplication *self = FACET_APPLICATION (application);
  const GActionEntry entries[] = {
    { "models", models_cb }, { "preferences", preferences_cb }, { "shortcuts", shortcuts_cb }, { "about", about_cb }, { "quit", quit_cb }
  };
  const char *const preferences_keys[] = { "<Control>comma", NULL };
  const char *const quit_keys[] = { "<Control>q", NULL };
  const char *const close_keys[] = { "<Control>w", NULL };
  const char *const models_keys[] = { "<Control>m", NULL };
  const char *const shortcuts_keys[] = { "<Control>question", NULL };

  G_APPLICATION_CLASS (facet_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (FACET_APP_ID);
  if (facet_settings_is_rtl ())
    gtk_widget_set_default_direction (GTK_TEXT_DIR_RTL);
  facet_settings_follow_color_scheme (self->settings);
  facet_spoken_names_set_up ();
  /* where all of a text is marked, Tab skips the links in it */
  g_object_set (gtk_settings_get_default (), "gtk-label-select-on-focus", FALSE, NULL);
  g_action_map_add_action_entries (G_ACTION_MAP (self), entries, G_N_ELEMENTS (entries), self);
  gtk_application_set_accels_for_action (GTK_APPLICATION (self), "app.preferences", preferences_keys);
  gtk_application_set_accels_for_action (GTK_APPLICATION (self), "app.quit", quit_keys);
  gtk_application_set_accels_for_action (GTK_APPLICATION (self), "app.models", models_keys);
  gtk_application_set_accels_for_action (GTK_APPLICATION (self), "app.shortcuts", shortcuts_keys);
  gtk_application_set_accels_for_action (GTK_APPLICATION (self), "window.close", close_keys);

  open_store (self, LOCKED_PATIENCE_USEC);
  self->service = facet_engine_service_new (self->backend, self->config);
  self->library = facet_model_library_new (self->settings);
  self->loader = facet_model_loader_new (self->settings, self->library, self->service);
  g_signal_connect_object (self->library, "items-changed", G_CALLBACK (show_automatic), self, G_CONNECT_SWAPPED);
}

static int
facet_application_handle_local_options (GApplication *application, GVariantDict *options)
{
  if (!g_variant_dict_contains (options, "version"))
    return -1; /* go on */
  g_print ("facet %s\n", FACET_VERSION);
  return EXIT_SUCCESS;
}

static void
facet_application_activate (GApplication *application)
{
  FacetApplication *self = FACET_APPLICATION (application);

  if (!require_store (self))
    return;
  if (self->window == NULL) {
    self->window = facet_window_new (GTK_APPLICATION (self), self->store, self->service, self->library,
                                     self->settings);
    g_object_add_weak_pointer (G_OBJECT (self->window), (gpointer *) &self->window);
    tell_recovery (self);
    facet_store_recovery_clear (&self->recovery);
  }
  gtk_window_present (GTK_WINDOW (self->window));
}

static void
facet_application_open (GApplication *application, GFile **files, int n, const char *hint)
{
  FacetApplication *self = FACET_APPLICATION (application);

  facet_application_activate (application);
  for (int i = 0; i < n && self->window != NULL; i++)
    facet_window_attach (self->window, files[i]);
}

static void
facet_application_shutdown (GApplication *application)
{
  FacetApplication *self = FACET_APPLICATION (application);

  if (self->window != NULL)
    gtk_window_destroy (GTK_WINDOW (self->window));
  if (self->trouble != NULL)
    gtk_window_destroy (self->trouble);
  g_clear_pointer (&self->loader, facet_model_loader_free);
  g_clear_object (&self->service); /* joins the engine thread */
  facet_call_task_wait_all ();
  g_clear_object (&self->library);
  g_clear_object (&self->store);
  G_APPLICATION_CLASS (facet_application_parent_class)->shutdown (application);
}

static void
facet_application_finalize (GObject *object)
{
  FacetApplication *self = FACET_APPLICATION (object);

  g_clear_object (&self->settings);
  g_free (self->trouble_text);
  facet_store_recovery_clear (&self->recovery);
  G_OBJECT_CLASS (facet_application_parent_class)->finalize (object);
}

FacetApplication *
facet_application_new (const FacetEngineBackend *backend, gpointer config, GSettings *settings)
{
  static const GOptionEntry options[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Show the version"), NULL },
    { NULL }
  };
  FacetApplication *self = g_object_new (FACET_TYPE_APPLICATION, "application-id", FACET_APP_ID, "flags",
                                         G_APPLICATION_HANDLES_OPEN, "resource-base-path",
                                         "/io/github/facet_desktop/Facet", NULL);

  self->backend = backend;
  self->config = config;
  self->settings = g_object_ref (settings);
  g_application_add_main_option_entries (G_APPLICATION (self), options);
  return self;
}

static void
facet_application_class_init (FacetApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = facet_application_finalize;
  application_class->handle_local_options = facet_application_handle_local_options;
  application_class->startup = facet_application_startup;
  application_class->activate = facet_application_activate;
  application_class->open = facet_application_open;
  application_class->shutdown = facet_application_shutdown;
}

static void
facet_application_init (FacetApplication *self)
{
}
