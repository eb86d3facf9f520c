#include "ui-fixture.h"

#include <locale.h>
#include <time.h>

#include "facet-settings.h"
#include "tree.h"
#include "widget-picture.h"

static void
add_style (const char *path)
{
  g_autoptr (GtkCssProvider) style = gtk_css_provider_new ();

  gtk_css_provider_load_from_resource (style, path);
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (style),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

gboolean
fixture_start (int *argc, char ***argv)
{
  gtk_disable_setlocale ();
  setlocale (LC_ALL, "C.UTF-8");
  if (!gtk_init_check ()) {
    g_print ("1..0 # SKIP no display\n");
    return FALSE;
  }
  g_test_init (argc, argv, NULL);
  adw_init ();
  /* the program's own style and icons come with its application */
  gtk_icon_theme_add_resource_path (gtk_icon_theme_get_for_display (gdk_display_get_default ()),
                                    "/io/github/facet_desktop/Facet/icons");
  add_style ("/io/github/facet_desktop/Facet/style.css");
  if (adw_style_manager_get_high_contrast (adw_style_manager_get_default ()))
    add_style ("/io/github/facet_desktop/Facet/style-hc.css");
  return TRUE;
}

void
fixture_wait (gboolean (*condition) (Fixture *self), Fixture *self)
{
  gint64 end = g_get_monotonic_time () + (self->backend != NULL ? 120 : 5) * G_USEC_PER_SEC;

  while (!condition (self)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
  }
}

gboolean
fixture_idle (Fixture *self)
{
  return facet_engine_service_get_state (self->service) == FACET_ENGINE_READY &&
         !facet_replier_is_running (self->window->replier);
}

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  FacetLoadSpec spec = { .path = data != NULL ? (char *) data : (char *) "model.gguf" };
  g_autoptr (GError) error = NULL;

  self->backend = data != NULL ? &facet_engine_backend_native : NULL;
  self->folder = g_dir_make_tmp ("facet-ui-XXXXXX", NULL);
  self->script.answer = "A short answer.";
  self->script.asked = g_string_new (NULL);
  self->settings = facet_settings_get_default ();
  g_settings_reset (self->settings, "assistant-mode");
  g_settings_reset (self->settings, "tools-file");
  self->store = facet_store_open (self->folder, FACET_STORE_READ_WRITE, NULL, &error);
  g_assert_no_error (error);
  self->service = facet_engine_service_new (data != NULL ? self->backend : &script_backend, &self->script);
  self->library = facet_model_library_new (self->settings);
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (self->window));
  g_object_unref (self->service);
  g_object_unref (self->library);
  g_object_unref (self->store);
  settle (50);
  tree_remove (self->folder);
  g_free (self->folder);
  g_string_free (self->script.asked, TRUE);
}

/* Attached files are copied in a thread first. */
gboolean
fixture_not_asking (Fixture *self)
{
  return !self->window->asking;
}

void
fixture_ask (Fixture *self, const char *text)
{
  facet_composer_set_text (self->window->composer, text);
  g_signal_emit_by_name (self->window->composer, "send");
  fixture_wait (fixture_not_asking, self);
}

void
fixture_ask_and_wait (Fixture *self, const char *text)
{
  fixture_ask (self, text);
  fixture_wait (fixture_idle, self);
  settle (50);
}

guint
fixture_n_attached (Fixture *self)
{
  return g_list_model_get_n_items (facet_composer_get_attachments (self->window->composer));
}

FacetAttachment *
fixture_attached (Fixture *self, guint i)
{
  FacetAttachment *attachment = g_list_model_get_item (facet_composer_get_attachments (self->window->composer), i);

  g_object_unref (attachment);
  return attachment;
}

gboolean
fixture_looked_at (Fixture *self)
{
  for (guint i = 0; i < fixture_n_attached (self); i++)
    if (facet_attachment_get_state (fixture_attached (self, i)) == FACET_ATTACHMENT_LOOKING)
      return FALSE;
  return fixture_n_attached (self) > 0;
}

FacetMessage *
fixture_last (Fixture *self)
{
  return facet_conversation_get_last (self->window->conversation);
}

char *
fixture_words (guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "word%u %s", i, i % 40 == 39 ? "\n\n" : "");
  return g_string_free (text, FALSE);
}

void
fixture_picture (Fixture *self, const char *name)
{
  widget_picture (GTK_WIDGET (self->window), name, 800);
}

gint64
fixture_thread_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}
