/* The program as the desktop starts it: files to open, a second start, options. */
#include <locale.h>

#include "application/facet-application.h"
#include "facet-settings.h"
#include "script-backend.h"
#include "tree.h"
#include "window/facet-window-private.h"

static Script script = { .answer = "An answer." };

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

/* Each file becomes an attachment of the one window, which the first one opens. */
static void
test_open (void)
{
  g_autoptr (FacetApplication) application = facet_application_new (&script_backend, &script,
                                                                    facet_settings_get_default ());
  g_autoptr (GError) error = NULL;
  FacetAttachment *attachment;
  FacetWindow *window;

  g_application_register (G_APPLICATION (application), NULL, &error);
  g_assert_no_error (error);
  open_file (application, "rgb-8.png");
  window = window_of (application);
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
  g_test_add_func ("/application/open", test_open);
  status = g_test_run ();
  tree_remove (folder);
  return status;
}
