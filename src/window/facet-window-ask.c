#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

/* Five seconds. */
#define LOCKED_RETRY_MS 100
#define LOCKED_TRIES 50

/* What is asked, on its way: the files are copied into the store in a thread,
 * which waits for the disk. */
typedef struct {
  FacetWindow       *window;
  gboolean           holds_window; /* else it is borrowed */
  FacetStore        *store;
  FacetConversation *conversation;
  FacetMessage      *editing; /* or NULL */
  FacetMessage      *message; /* once it is stored */
  char              *text;
  char              *choice;
  GPtrArray         *files;   /* File */
  GPtrArray         *taken;   /* FacetStoreAttachment */
  guint              tries;
} Question;

typedef struct {
  FacetAttachmentKind kind;
  GBytes             *bytes;
  char               *name;
  char               *mime;
} File;

static void
file_free (gpointer data)
{
  File *file = data;

  g_bytes_unref (file->bytes);
  g_free (file->name);
  g_free (file->mime);
  g_free (file);
}

static void
question_free (gpointer data)
{
  Question *question = data;

  if (question->holds_window)
    g_object_unref (question->window);
  g_clear_object (&question->message);
  g_clear_object (&question->store);
  g_clear_object (&question->conversation);
  g_clear_object (&question->editing);
  g_ptr_array_unref (question->files);
  g_ptr_array_unref (question->taken);
  g_free (question->text);
  g_free (question->choice);
  g_free (question);
}

static void
take_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Question *question = data;
  GError *error = NULL;

  for (guint i = 0; i < question->files->len; i++) {
    const File *file = question->files->pdata[i];
    FacetStoreAttachment *stored = facet_store_take_bytes (question->store, file->kind, file->bytes, file->name,
                                                           file->mime, &error);

    if (stored == NULL) {
      g_task_return_error (task, error);
      return;
    }
    g_ptr_array_add (question->taken, stored);
  }
  g_task_return_boolean (task, TRUE);
}

/* What was written beside an edited message is there again. */
static void
sent (Question *question)
{
  FacetWindow *self = question->window;

  if (question->editing == NULL)
    _facet_window_forget_draft (self, question->conversation);
  else
    _facet_window_forget_revision (self, question->editing);
  if (question->conversation != self->conversation)
    return; /* another chat is shown meanwhile */
  facet_composer_clear (self->composer);
  facet_composer_set_editing (self->composer, FALSE);
  g_clear_object (&self->editing);
  _facet_window_show_draft (self);
  facet_chat_view_scroll_to_end (FACET_CHAT_VIEW (self->view));
}

/* An edited message keeps the files that came with it. */
static void
take_over_files (Question *question)
{
  const FacetStoreMessage *record = question->editing != NULL ? facet_message_get_record (question->editing) : NULL;

  for (guint i = 0; record != NULL && record->attachments != NULL && i < record->attachments->len; i++)
    g_ptr_array_add (question->taken, facet_store_attachment_copy (record->attachments->pdata[i]));
}

/* Stored is the question once, whatever becomes of its answer. */
static gboolean
put (Question *question, GError **error)
{
  if (question->message == NULL) {
    FacetMessage *message = facet_conversation_ask (question->conversation, question->text, question->taken, question->choice,
                                                    question->editing, error);

    if (message == NULL)
      return FALSE;
    question->message = g_object_ref (message);
    sent (question);
  }
  return facet_replier_answer (question->window->replier, question->conversation, question->message, error);
}

static void
set_asking (FacetWindow *self, gboolean asking)
{
  self->asking = asking;
  gtk_widget_set_sensitive (GTK_WIDGET (self->composer), !asking);
}

/* Whether that was the end of it: asked, or refused with a sentence. While
 * another program has the chats locked, the question stays in the composer. */
static gboolean
try (Question *question)
{
  FacetWindow *self = question->window;
  g_autoptr (GError) error = NULL;

  if (!put (question, &error) && g_error_matches (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY)
      && ++question->tries < LOCKED_TRIES)
    return FALSE;
  set_asking (self, FALSE);
  if (error != NULL)
    facet_window_say (self, error->message);
  facet_composer_focus (self->composer);
  return TRUE;
}

static gboolean
try_again_cb (gpointer data)
{
  Question *question = data;

  if (!try (question))
    return G_SOURCE_CONTINUE;
  question->window->ask_timer = 0;
  return G_SOURCE_REMOVE;
}

/* Takes @question. A window that waits may be closed. */
static void
put_or_wait (Question *question)
{
  FacetWindow *self = question->window;

  if (self->replier == NULL || try (question)) { /* no replier: the window was closed meanwhile */
    question_free (question);
    return;
  }
  set_asking (self, TRUE);
  self->ask_timer = g_timeout_add_full (G_PRIORITY_DEFAULT, LOCKED_RETRY_MS, try_again_cb, question, question_free);
  question->holds_window = FALSE;
  g_object_unref (self);
}

static void
taken_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Question *question = data;
  FacetWindow *self = question->window;
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    take_over_files (question);
    put_or_wait (question);
    return;
  }
  if (self->replier != NULL) { /* else the window was closed meanwhile */
    set_asking (self, FALSE);
    facet_window_say (self, error->message);
    facet_composer_focus (self->composer);
  }
  question_free (question);
}

static GPtrArray *
collect_files (FacetWindow *self)
{
  GListModel *attachments = facet_composer_get_attachments (self->composer);
  GPtrArray *files = g_ptr_array_new_with_free_func (file_free);

  for (guint i = 0; i < g_list_model_get_n_items (attachments); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments, i);
    File *file = g_new0 (File, 1);

    file->kind = facet_attachment_get_kind (attachment);
    file->bytes = g_bytes_ref (facet_attachment_get_bytes (attachment));
    file->name = g_strdup (facet_attachment_get_name (attachment));
    file->mime = g_strdup (facet_attachment_get_mime (attachment));
    g_ptr_array_add (files, file);
  }
  return files;
}

void
_facet_window_ask (FacetWindow *self)
{
  Question *question;
  g_autoptr (GTask) task = NULL;

  if (self->asking)
    return;
  if (facet_replier_is_running (self->replier)) {
    facet_window_say (self, _("Another answer is being written."));
    return;
  }
  question = g_new0 (Question, 1);
  question->window = g_object_ref (self);
  question->holds_window = TRUE;
  question->store = g_object_ref (self->store);
  question->conversation = g_object_ref (self->conversation);
  g_set_object (&question->editing, self->editing);
  question->text = facet_composer_get_text (self->composer);
  question->choice = facet_mode_choice (facet_composer_get_mode (self->composer), self->settings);
  question->files = collect_files (self);
  question->taken = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_store_attachment_free);
  if (question->files->len == 0) {
    take_over_files (question);
    put_or_wait (question);
    return;
  }
  set_asking (self, TRUE);
  task = g_task_new (NULL, NULL, taken_cb, question);
  g_task_set_task_data (task, question, NULL);
  g_task_run_in_thread (task, take_thread);
}
