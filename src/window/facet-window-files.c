#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

#include "facet-activity-log.h"

static void
log_file (FacetActivityKind kind, GFile *file)
{
  g_autofree char *path = g_file_get_path (file);

  if (path != NULL)
    facet_activity_log_add (kind, path);
}

static void
exported_cb (GObject *store, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetWindow) self = data;
  g_autoptr (GError) error = NULL;

  if (facet_store_export_finish (FACET_STORE (store), result, &error))
    facet_window_say (self, _("Chat exported"));
  else
    facet_window_say (self, error->message);
}

static void
export_response_cb (GtkNativeDialog *dialog, int response, FacetWindow *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  FacetExportFormat format = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (dialog), "format"));

  if (response == GTK_RESPONSE_ACCEPT && file != NULL) {
    log_file (FACET_ACTIVITY_WRITE, file);
    facet_store_export_async (self->store, facet_conversation_get_chat_id (self->conversation), format, file, NULL,
                              exported_cb, g_object_ref (self));
  }
  g_clear_object (&self->chooser);
}

void
_facet_window_export (FacetWindow *self, FacetExportFormat format)
{
  FacetChat *chat = _facet_window_get_chat (self);
  g_autofree char *name = NULL;

  if (chat == NULL || self->chooser != NULL)
    return;
  name = g_strdup_printf ("%s.%s", facet_chat_get_title (chat), format == FACET_EXPORT_MARKDOWN ? "md" : "json");
  g_strdelimit (name, "/\\", '-');
  self->chooser = gtk_file_chooser_native_new (_("Export Chat"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_SAVE,
                                               _("_Export"), _("_Cancel"));
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (self->chooser), name);
  g_object_set_data (G_OBJECT (self->chooser), "format", GINT_TO_POINTER (format));
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (export_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
imported_cb (GObject *store, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetWindow) self = data;
  g_autoptr (GError) error = NULL;
  guint n = facet_store_import_finish (FACET_STORE (store), result, &error);
  g_autofree char *sentence = NULL;

  if (error == NULL)
    sentence = g_strdup_printf (ngettext ("%u chat imported", "%u chats imported", n), n);
  facet_window_say (self, error != NULL ? error->message : sentence);
}

static void
import_response_cb (GtkNativeDialog *dialog, int response, FacetWindow *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));

  if (response == GTK_RESPONSE_ACCEPT && file != NULL) {
    log_file (FACET_ACTIVITY_READ, file);
    facet_store_import_async (self->store, file, NULL, imported_cb, g_object_ref (self));
  }
  g_clear_object (&self->chooser);
}

void
_facet_window_import (FacetWindow *self)
{
  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_("Import Chats"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_OPEN,
                                               _("_Import"), _("_Cancel"));
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (import_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}
