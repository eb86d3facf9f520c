#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

/* Attachments that were taken out, each for as long as its toast offers to
 * bring it back: into the chat that it came from, whichever is shown. */

typedef struct {
  FacetAttachment   *attachment;
  FacetConversation *conversation; /* a new one gets its id with its first question */
} Removed;

/* Nobody wants it back: a recording's file goes. */
static void
forget (gpointer data)
{
  Removed *removed = data;

  if (removed->attachment != NULL)
    facet_attachment_discard (removed->attachment);
  g_clear_object (&removed->attachment);
  g_object_unref (removed->conversation);
  g_free (removed);
}

static void
dismissed_cb (AdwToast *toast, FacetWindow *self)
{
  if (self->removed != NULL) /* else the window goes, and has forgotten them all */
    g_hash_table_remove (self->removed, g_object_get_data (G_OBJECT (toast), "removed"));
}

static void
removed_cb (FacetWindow *self, FacetAttachment *attachment)
{
  /* Translators: %s is the name of a file */
  g_autofree char *sentence = g_strdup_printf (_("“%s” removed"), facet_attachment_get_name (attachment));
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);
  AdwToast *toast = adw_toast_new (escaped);
  gpointer id = GUINT_TO_POINTER (++self->last_removed);
  Removed *removed = g_new (Removed, 1);

  *removed = (Removed){ g_object_ref (attachment), g_object_ref (self->conversation) };
  g_hash_table_insert (self->removed, id, removed);
  adw_toast_set_button_label (toast, _("_Undo"));
  adw_toast_set_action_name (toast, "win.restore-attachment");
  adw_toast_set_action_target (toast, "u", self->last_removed);
  g_object_set_data (G_OBJECT (toast), "removed", id);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (dismissed_cb), self, 0);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

void
_facet_window_restore_attachment (FacetWindow *self, guint id)
{
  Removed *removed = g_hash_table_lookup (self->removed, GUINT_TO_POINTER (id));
  g_autoptr (FacetAttachment) attachment = NULL;
  gint64 chat;

  if (removed == NULL)
    return;
  attachment = g_steal_pointer (&removed->attachment);
  chat = facet_conversation_get_chat_id (removed->conversation);
  if (chat == facet_conversation_get_chat_id (self->conversation))
    facet_composer_put_attachment (self->composer, attachment);
  else
    _facet_window_stash_attachment (self, chat, attachment);
  g_hash_table_remove (self->removed, GUINT_TO_POINTER (id));
}

void
_facet_window_setup_removed (FacetWindow *self)
{
  self->removed = g_hash_table_new_full (NULL, NULL, NULL, forget);
  g_signal_connect_swapped (self->composer, "removed", G_CALLBACK (removed_cb), self);
}
