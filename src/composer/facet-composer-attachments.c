#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-composer-private.h"

#include "application/facet-announce.h"
#include "chat/facet-text-widgets.h"
#include "facet-attachment-chip.h"

#define LONGEST_INSERTION 32768

void
facet_composer_remove (FacetComposer *self, FacetAttachment *attachment)
{
  g_autoptr (FacetAttachment) kept = g_object_ref (attachment);
  guint position;

  if (!g_list_store_find (self->attachments, attachment, &position))
    return;
  g_signal_handlers_disconnect_by_data (attachment, self);
  g_list_store_remove (self->attachments, position);
  g_signal_emit_by_name (self, "removed", attachment);
}

static void
removed_cb (FacetAttachment *attachment, gpointer data)
{
  facet_composer_remove (data, attachment);
}

static GtkWidget *
create_chip_cb (gpointer item, gpointer data)
{
  FacetComposer *self = data;
  GtkWidget *child = gtk_flow_box_child_new ();

  gtk_flow_box_child_set_child (GTK_FLOW_BOX_CHILD (child), facet_attachment_chip_new (item, self->settings, removed_cb, self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (child), GTK_ACCESSIBLE_PROPERTY_LABEL, facet_attachment_get_name (item), -1);
  return child;
}

static void
attachments_changed_cb (FacetComposer *self)
{
  facet_widget_set_shown (self->chips_pane, g_list_model_get_n_items (G_LIST_MODEL (self->attachments)) > 0);
  _facet_composer_changed (self);
}

/* What was found in a file, or why it is refused, which nobody hears who does not see its chip. */
static void
looked_at_cb (FacetAttachment *attachment, GParamSpec *pspec, FacetComposer *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  /* Translators: the name of a file, and what is known of it */
  g_autofree char *sentence = g_strdup_printf (C_("file", "%s: %s"), facet_attachment_get_name (attachment),
                                               facet_attachment_get_details (attachment));

  if (root != NULL && facet_attachment_get_state (attachment) != FACET_ATTACHMENT_LOOKING)
    facet_announce (GTK_WINDOW (root), sentence);
  _facet_composer_changed (self);
}

void
_facet_composer_add (FacetComposer *self, FacetAttachment *attachment)
{
  g_signal_connect_object (attachment, "notify::state", G_CALLBACK (looked_at_cb), self, 0);
  g_list_store_append (self->attachments, attachment);
  g_object_unref (attachment);
}

GPtrArray *
facet_composer_take_attachments (FacetComposer *self)
{
  GPtrArray *attachments = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->attachments)); i++) {
    FacetAttachment *attachment = g_list_model_get_item (G_LIST_MODEL (self->attachments), i);

    g_signal_handlers_disconnect_by_data (attachment, self);
    g_ptr_array_add (attachments, attachment);
  }
  g_list_store_remove_all (self->attachments);
  return attachments;
}

void
facet_composer_put_attachment (FacetComposer *self, FacetAttachment *attachment)
{
  _facet_composer_add (self, g_object_ref (attachment));
}

void
facet_composer_add_file (FacetComposer *self, GFile *file)
{
  _facet_composer_add (self, facet_attachment_new_for_file (file));
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, FacetComposer *self)
{
  g_autoptr (GListModel) files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));

  for (guint i = 0; response == GTK_RESPONSE_ACCEPT && i < g_list_model_get_n_items (files); i++) {
    g_autoptr (GFile) file = g_list_model_get_item (files, i);

    facet_composer_add_file (self, file);
  }
  g_clear_object (&self->chooser);
}

static void
attach_cb (FacetComposer *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_("Attach Files"), GTK_WINDOW (root), GTK_FILE_CHOOSER_ACTION_OPEN,
                                               _("_Attach"), _("_Cancel"));
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static gboolean
drop_cb (GtkDropTarget *target, const GValue *value, double x, double y, FacetComposer *self)
{
  if (G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST)) {
    g_autoptr (GSList) files = gdk_file_list_get_files (g_value_get_boxed (value));

    for (GSList *link = files; link != NULL; link = link->next)
      facet_composer_add_file (self, link->data);
    return TRUE;
  }
  if (G_VALUE_HOLDS (value, GDK_TYPE_TEXTURE)) {
    _facet_composer_add (self, facet_attachment_new_for_texture (g_value_get_object (value)));
    return TRUE;
  }
  return FALSE;
}

static void
texture_cb (GObject *clipboard, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  g_autoptr (GdkTexture) texture = gdk_clipboard_read_texture_finish (GDK_CLIPBOARD (clipboard), result, NULL);

  if (texture != NULL)
    _facet_composer_add (self, facet_attachment_new_for_texture (texture));
}

static void
files_cb (GObject *clipboard, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetComposer) self = data;
  const GValue *value = gdk_clipboard_read_value_finish (GDK_CLIPBOARD (clipboard), result, NULL);

  if (value != NULL)
    drop_cb (NULL, value, 0, 0, self);
}

static void
paste_cb (GtkTextView *view, FacetComposer *self)
{
  GdkClipboard *clipboard = gtk_widget_get_clipboard (GTK_WIDGET (view));
  GdkContentFormats *formats = gdk_clipboard_get_formats (clipboard);

  if (gdk_content_formats_contain_gtype (formats, GDK_TYPE_FILE_LIST))
    gdk_clipboard_read_value_async (clipboard, GDK_TYPE_FILE_LIST, G_PRIORITY_DEFAULT, NULL, files_cb,
                                    g_object_ref (self));
  else if (gdk_content_formats_contain_gtype (formats, GDK_TYPE_TEXTURE))
    gdk_clipboard_read_texture_async (clipboard, NULL, texture_cb, g_object_ref (self));
  else
    return;
  g_signal_stop_emission_by_name (view, "paste-clipboard");
}

/* More than anybody writes by hand; pasted or dropped, it becomes a file beside
 * the words that are being written. */
static void
insert_cb (GtkTextBuffer *buffer, GtkTextIter *at, const char *text, int length, FacetComposer *self)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;

  if (size <= LONGEST_INSERTION)
    return;
  g_signal_stop_emission_by_name (buffer, "insert-text");
  _facet_composer_add (self, facet_attachment_new_for_text (text, length));
}

void
facet_composer_set_text (FacetComposer *self, const char *text)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);

  g_signal_handlers_block_by_func (buffer, insert_cb, self);
  gtk_text_buffer_set_text (buffer, text, -1);
  g_signal_handlers_unblock_by_func (buffer, insert_cb, self);
}

void
facet_composer_accept_drops (FacetComposer *self, GtkWidget *area)
{
  GtkDropTarget *target = gtk_drop_target_new (G_TYPE_INVALID, GDK_ACTION_COPY);
  /* a picture dragged out of a web page comes with an address, too, which is not looked up */
  GType types[] = { GDK_TYPE_TEXTURE, GDK_TYPE_FILE_LIST };

  gtk_drop_target_set_gtypes (target, types, G_N_ELEMENTS (types));
  /* file managers offer names as text, too, which the words being written would take */
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (target), GTK_PHASE_CAPTURE);
  g_signal_connect_object (target, "drop", G_CALLBACK (drop_cb), self, 0);
  gtk_widget_add_controller (area, GTK_EVENT_CONTROLLER (target));
}

void
_facet_composer_setup_attachments (FacetComposer *self)
{
  self->attachments = g_list_store_new (FACET_TYPE_ATTACHMENT);
  gtk_flow_box_bind_model (GTK_FLOW_BOX (self->chips), G_LIST_MODEL (self->attachments), create_chip_cb, self, NULL);
  g_signal_connect_object (self->attachments, "items-changed", G_CALLBACK (attachments_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect (gtk_text_view_get_buffer (self->view), "insert-text", G_CALLBACK (insert_cb), self);
  g_signal_connect (self->view, "paste-clipboard", G_CALLBACK (paste_cb), self);
  g_signal_connect_swapped (self->attach, "clicked", G_CALLBACK (attach_cb), self);
}
