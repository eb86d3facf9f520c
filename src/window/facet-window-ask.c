#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

/* What is asked, on its way: the files are copied into the store in a thread,
 * which waits for the disk. */
typedef struct {
  FacetWindow       *window; /* borrowed */
  FacetStore        *store;
  FacetConversation *conversation;
  FacetMessage      *editing; /* or NULL */
  FacetMessage      *message; /* once it is stored */
  char              *text;
  char              *choice;
  GPtrArray         *files;   /* File */
  GPtrArray         *taken;   /* FacetStoreAttachment */
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

static void
set_asking (FacetWindow *self, FacetConversation *conversation)
{
  g_set_object (&self->asking, conversation);
  gtk_widget_set_sensitive (GTK_WIDGET (self->composer), conversation == NULL);
}

/* Asked or not: what was not is still in the composer. */
static void
end (gpointer data)
{
  Question *question = data;
  FacetWindow *self = question->window;

  if (!self->closing) {
    set_asking (self, NULL);
    facet_composer_focus (self->composer);
  }
  question_free (question);
}

static gboolean
check_idle (FacetWindow *self, GError **error)
{
  gboolean running = facet_replier_is_running (self->replier);

  if (running)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, _("Another answer is being written."));
  return !running;
}

/* Stored is the question once, whatever becomes of its answer. */
static gboolean
put (FacetWindow *self, gpointer data, GError **error)
{
  Question *question = data;

  if (self->closing)
    return TRUE; /* it stays a draft */
  if (!check_idle (self, error))
    return FALSE;
  if (question->message == NULL) {
    FacetMessage *message = facet_conversation_ask (question->conversation, question->text, question->taken, question->choice,
                                                    question->editing, error);

    if (message == NULL)
      return FALSE;
    question->message = g_object_ref (message);
    sent (question);
  }
  return facet_replier_answer (self->replier, question->conversation, question->message, error);
}

/* Takes @question. */
static void
put_or_wait (Question *question)
{
  FacetWindow *self = question->window;
  g_autoptr (FacetConversation) conversation = g_object_ref (question->conversation);

  if (!_facet_window_change (self, put, 0, question, end))
    set_asking (self, conversation);
}

static void
taken_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Question *question = data;
  g_autoptr (FacetWindow) self = question->window; /* the thread's */
  g_autoptr (GError) error = NULL;

  if (self->closing) {
    question_free (question);
  } else if (g_task_propagate_boolean (G_TASK (result), &error)) {
    take_over_files (question);
    put_or_wait (question);
  } else {
    facet_window_say (self, error->message);
    end (question);
  }
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
  g_autoptr (GError) error = NULL;

  if (self->asking != NULL)
    return;
  if (!check_idle (self, &error)) {
    facet_window_say (self, error->message);
    return;
  }
  question = g_new0 (Question, 1);
  question->window = self;
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
  set_asking (self, question->conversation);
  g_object_ref (self);
  task = g_task_new (NULL, NULL, taken_cb, question);
  g_task_set_task_data (task, question, NULL);
  g_task_run_in_thread (task, take_thread);
}
