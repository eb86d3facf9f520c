#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-window-private.h"

#include "service/facet-error-text.h"

#define MAX_TITLE 60
#define TITLE_TOKENS 16

typedef struct {
  gint64  chat;
  char   *title;
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->title);
  g_free (change);
}

static gboolean
set_title_now (FacetWindow *self, gpointer data, GError **error)
{
  const Change *change = data;

  return facet_store_set_chat_title (self->store, change->chat, change->title, error);
}

static void
set_title (FacetWindow *self, gint64 chat_id, const char *title)
{
  Change change = { chat_id, g_strdup (title) };

  _facet_window_change (self, set_title_now, chat_id, g_memdup2 (&change, sizeof change), change_free);
}

static void
renamed_cb (AdwMessageDialog *dialog, const char *response, FacetWindow *self)
{
  GtkEditable *entry = GTK_EDITABLE (adw_message_dialog_get_extra_child (dialog));
  gint64 chat_id = *(gint64 *) g_object_get_data (G_OBJECT (dialog), "chat");

  if (g_str_equal (response, "rename"))
    set_title (self, chat_id, gtk_editable_get_text (entry));
}

void
_facet_window_rename_chat (FacetWindow *self)
{
  FacetChat *chat = _facet_window_get_chat (self);
  GtkWidget *dialog;
  GtkWidget *entry;
  gint64 id;

  if (chat == NULL)
    return;
  id = facet_chat_get_id (chat);
  dialog = adw_message_dialog_new (GTK_WINDOW (self), _("Rename Chat"), NULL);
  entry = gtk_entry_new ();
  gtk_editable_set_text (GTK_EDITABLE (entry), facet_chat_get_title (chat));
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Title"), -1);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"), "rename", _("_Rename"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "rename", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "rename");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "chat", g_memdup2 (&id, sizeof id), g_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (renamed_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
title_text_cb (const char *text, gsize length, gpointer data)
{
  g_string_append_len (((FacetWindow *) data)->title_text, text, length);
}

/* A model may wrap its title in quotation marks or add an explanation. */
static char *
tidy_title (const char *text)
{
  g_autofree char *line = g_strndup (text, strcspn (text, "\n"));
  char *start = line;

  g_strstrip (start);
  while (*start != '\0' && strchr ("\"#*' ", *start) != NULL)
    start++;
  for (gsize length = strlen (start); length > 0 && strchr ("\"*'. ", start[length - 1]) != NULL; length--)
    start[length - 1] = '\0';
  return g_utf8_substring (start, 0, MIN (MAX_TITLE, g_utf8_strlen (start, -1)));
}

static void
title_done_cb (const FacetReplySummary *answer, const GError *error, gpointer data)
{
  FacetWindow *self = data;
  g_autofree char *title = tidy_title (self->title_text->str);

  self->title_job = 0;
  if (error != NULL)
    facet_window_say (self, facet_error_text (error));
  else if (*title == '\0')
    facet_window_say (self, _("The model found no title"));
  else
    set_title (self, self->title_chat, title);
}

void
_facet_window_suggest_title (FacetWindow *self)
{
  static const char question[] = "Give this conversation a title of at most five words, in its own language. "
                                 "Answer with the title only.";
  const FacetReplyEvents events = { .text = title_text_cb, .done = title_done_cb };
  g_autoptr (FacetRequest) request = NULL;

  if (self->title_job != 0 || _facet_window_get_chat (self) == NULL ||
      facet_engine_service_get_loaded (self->service) == NULL)
    return;
  if (facet_replier_is_running (self->replier)) {
    facet_window_say (self, _("Another answer is being written."));
    return;
  }
  if (facet_engine_service_get_loaded (self->service)->judges) {
    facet_window_say (self, _("This model only checks pictures. Choose another one to chat."));
    return;
  }
  request = facet_replier_build_request (self->replier, self->conversation,
                                         facet_conversation_get_last (self->conversation), question, NULL, NULL);
  /* a title is words and nothing else */
  request->max_tokens = TITLE_TOKENS;
  request->thinking = FALSE;
  g_clear_pointer (&request->tools, g_ptr_array_unref);
  self->title_chat = facet_conversation_get_chat_id (self->conversation);
  if (self->title_text == NULL)
    self->title_text = g_string_new (NULL);
  g_string_truncate (self->title_text, 0);
  self->title_job = facet_engine_service_reply (self->service, request, &events, self);
}
