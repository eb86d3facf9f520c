#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

#include "chat/facet-message-calls.h"
#include "facet-toolbox.h"

/* Whether a tool may do what the model wants of it. The dialog does not block
 * the window: what was said before can be read, and the answer be stopped. */

#define MAX_BODY 600 /* letters; all of it stands in the arguments */

static void
response_cb (AdwMessageDialog *dialog, const char *response, FacetWindow *self)
{
  FacetDecision decision = FACET_DECISION_DENY;

  if (self->question != GTK_WINDOW (dialog))
    return; /* it is no longer waited for */
  self->question = NULL;
  if (g_str_equal (response, "once"))
    decision = FACET_DECISION_ONCE;
  else if (g_str_equal (response, "always"))
    decision = FACET_DECISION_ALWAYS;
  facet_replier_decide (self->replier, decision);
}

static char *
body_of (FacetWindow *self, const char *question)
{
  g_autofree char *cut = g_utf8_strlen (question, -1) > MAX_BODY ? g_utf8_substring (question, 0, MAX_BODY) : NULL;
  g_autofree char *sentence = cut != NULL ? g_strconcat (cut, "…", NULL) : g_strdup (question);
  FacetConversation *asking = facet_replier_get_conversation (self->replier);
  FacetChat *chat = facet_chat_list_find (self->chat_list, facet_conversation_get_chat_id (asking));
  g_autofree char *where = NULL;

  if (asking == self->conversation || chat == NULL)
    return g_steal_pointer (&sentence);
  /* Translators: %s is the title of a chat */
  where = g_strdup_printf (_("In the chat “%s”"), facet_chat_get_title (chat));
  return g_strconcat (where, "\n\n", sentence, NULL);
}

static GtkWidget *
arguments_view (const char *arguments)
{
  GtkWidget *view = facet_message_calls_text_new (C_("call of a tool", "Arguments"));

  facet_message_calls_show_text (view, arguments);
  gtk_widget_add_css_class (view, "question-text");
  return view;
}

/* Enter, which somebody may be typing just then, allows nothing. */
static void
ask (FacetWindow *self, const char *question)
{
  const FacetCallRecord *call = facet_replier_get_asked (self->replier);
  /* Translators: %s is the name of a tool such as “File Reader” */
  g_autofree char *heading = g_strdup_printf (_("Allow “%s”?"), facet_toolbox_title (call->tool));
  g_autofree char *body = body_of (self, question);
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (adw_message_dialog_new (GTK_WINDOW (self), heading, body));

  adw_message_dialog_set_extra_child (dialog, arguments_view (call->arguments));
  adw_message_dialog_add_responses (dialog, "deny", _("_Deny"), "always", _("_Always in This Chat"), "once", _("Allow _Once"), NULL);
  adw_message_dialog_set_default_response (dialog, "deny");
  adw_message_dialog_set_close_response (dialog, "deny");
  gtk_window_set_modal (GTK_WINDOW (dialog), FALSE);
  gtk_window_set_destroy_with_parent (GTK_WINDOW (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), self, 0);
  self->question = GTK_WINDOW (dialog);
  gtk_window_present (self->question);
}

void
_facet_window_update_question (FacetWindow *self)
{
  g_autofree char *question = NULL;
  GtkWindow *over = self->question;

  self->question = NULL;
  if (over != NULL)
    gtk_window_destroy (over);
  g_object_get (self->replier, "question", &question, NULL);
  if (question != NULL)
    ask (self, question);
}
