#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-call-record.h"
#include "facet-store-private.h"

/* Base64 is written in pieces of whole triplets. */
#define PIECE (3 * 16384)

/* One export under way. The first error is kept and stops all further writing. */
typedef struct {
  FacetStoreDb  *db;
  GOutputStream *stream;
  GCancellable  *cancellable;
  GError        *error;
} Export;

static void
put (Export *self, const char *text)
{
  if (self->error == NULL)
    g_output_stream_write_all (self->stream, text, strlen (text), NULL, self->cancellable, &self->error);
}

static void G_GNUC_PRINTF (2, 3)
put_format (Export *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  put (self, text);
}

static void
put_json_string (Export *self, const char *text)
{
  g_autoptr (GString) out = g_string_sized_new (strlen (text) + 2);

  g_string_append_c (out, '"');
  for (const char *p = text; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf (out, "\\%c", *p);
    else if ((guchar) *p < 0x20)
      g_string_append_printf (out, "\\u%04x", *p);
    else
      g_string_append_c (out, *p);
  }
  g_string_append_c (out, '"');
  put (self, out->str);
}

static void
put_member (Export *self, const char *name, const char *value)
{
  put_format (self, ", \"%s\": ", name);
  put_json_string (self, value);
}

/* The file's bytes in Base64, or null if it is gone. */
static void
put_data (Export *self, const FacetStoreAttachment *attachment)
{
  g_autofree char *path = facet_store_file_path (self->db->directory, attachment);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, self->cancellable, NULL);
  g_autofree guchar *bytes = g_malloc (PIECE);
  gsize n = PIECE;

  if (stream == NULL) {
    put (self, "null");
    return;
  }
  put (self, "\"");
  while (self->error == NULL && n == PIECE) {
    g_autofree char *text = NULL;

    if (!g_input_stream_read_all (G_INPUT_STREAM (stream), bytes, PIECE, &n, self->cancellable, &self->error))
      return;
    text = g_base64_encode (bytes, n);
    put (self, text);
  }
  put (self, "\"");
}

static void
put_json_attachments (Export *self, GPtrArray *attachments)
{
  put (self, ", \"attachments\": [");
  for (guint i = 0; i < attachments->len; i++) {
    const FacetStoreAttachment *attachment = attachments->pdata[i];

    put_format (self, "%s{\"kind\": \"%s\"", i ? ", " : "", facet_store_kind_name (attachment->kind));
    put_member (self, "name", attachment->name);
    put_member (self, "mime", attachment->mime);
    put_member (self, "sha256", attachment->hash);
    put (self, ", \"data\": ");
    put_data (self, attachment);
    put (self, "}");
  }
  put (self, "]");
}

static void
put_json_calls (Export *self, const FacetStoreMessage *message)
{
  g_autoptr (GPtrArray) calls = facet_call_records_parse (message->calls, message->text);
  g_autofree char *json = facet_call_records_write (calls);

  if (calls->len > 0)
    put_format (self, ", \"calls\": %s", json);
}

static void
put_json_message (Export *self, const FacetStoreMessage *message)
{
  put_format (self, "    {\"id\": %" G_GINT64_FORMAT ", \"parent\": %" G_GINT64_FORMAT ", \"role\": \"%s\","
              " \"status\": \"%s\", \"created\": %" G_GINT64_FORMAT, message->id, message->parent_id,
              facet_store_role_name (message->role), facet_store_status_name (message->status), message->created);
  put_member (self, "text", message->text);
  put_member (self, "thinking", message->thinking);
  put_member (self, "stats", message->stats);
  put_member (self, "failure", message->failure);
  put_member (self, "model", message->model);
  put_member (self, "mode", message->mode);
  if (message->edited)
    put (self, ", \"edited\": true");
  put_json_calls (self, message);
  put_json_attachments (self, message->attachments);
  put (self, "}");
}

static void
put_json_chat (Export *self, const FacetChatRecord *chat)
{
  g_autoptr (GPtrArray) messages = facet_store_db_get_messages (self->db, chat->id, TRUE, &self->error);
  g_autoptr (GPtrArray) branch = messages ? facet_store_db_get_messages (self->db, chat->id, FALSE, &self->error) : NULL;
  const FacetStoreMessage *last;

  if (branch == NULL)
    return;
  last = branch->len > 0 ? branch->pdata[branch->len - 1] : NULL;
  put (self, "  {\"title\": ");
  put_json_string (self, chat->title);
  put_format (self, ", \"pinned\": %s, \"created\": %" G_GINT64_FORMAT ", \"updated\": %" G_GINT64_FORMAT
              ", \"shown\": %" G_GINT64_FORMAT ", \"messages\": [\n", chat->pinned ? "true" : "false", chat->created,
              chat->updated, last ? last->id : 0);
  for (guint i = 0; i < messages->len && self->error == NULL; i++) {
    put_json_message (self, messages->pdata[i]);
    put (self, i + 1 < messages->len ? ",\n" : "\n");
  }
  put (self, "  ]}");
}

static const char *
author (const FacetStoreMessage *message)
{
  switch (message->role) {
  case FACET_STORE_ROLE_SYSTEM:
    return C_("heading in an export", "Instructions");
  case FACET_STORE_ROLE_USER:
    return C_("heading in an export", "You");
  default:
    return *message->model ? message->model : C_("heading in an export", "Answer");
  }
}

static char *
make_heading (const FacetStoreMessage *message)
{
  if (!message->edited)
    return g_strdup (author (message));
  /* Translators: heading in an export; %s is the name of a model whose answer the person corrected */
  return g_strdup_printf (_("%s (edited)"), author (message));
}

/* As an indented block, which nothing in it can end. */
static void
put_markdown_block (Export *self, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    put_format (self, "    %s\n", *line);
  put (self, "\n");
}

/* The text, with the calls of tools where they were made. */
static void
put_markdown_text (Export *self, const FacetStoreMessage *message)
{
  g_autoptr (GPtrArray) calls = facet_call_records_parse (message->calls, message->text);
  gsize at = 0;

  for (guint i = 0; i < calls->len; i++) {
    const FacetCallRecord *call = calls->pdata[i];
    g_autofree char *before = g_strndup (message->text + at, call->offset - at);

    if (*before != '\0')
      put_format (self, "%s\n\n", before);
    at = call->offset;
    /* Translators: a line of an exported chat; the name of a tool that the model called. */
    put_format (self, _("*Tool: %s*"), call->tool);
    put (self, "\n\n");
    put_markdown_block (self, call->arguments);
    if (*call->result != '\0')
      put_markdown_block (self, call->result);
  }
  put_format (self, "%s\n", message->text + at);
}

static void
put_markdown_chat (Export *self, const FacetChatRecord *chat)
{
  g_autoptr (GPtrArray) branch = facet_store_db_get_messages (self->db, chat->id, FALSE, &self->error);
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_local (chat->created / G_USEC_PER_SEC);
  g_autofree char *date = when ? g_date_time_format (when, "%F %R") : g_strdup ("");

  put_format (self, "# %s\n\n%s\n", *chat->title ? chat->title : _("Untitled Chat"), date);
  for (guint i = 0; branch != NULL && i < branch->len; i++) {
    const FacetStoreMessage *message = branch->pdata[i];

    g_autofree char *heading = make_heading (message);

    put_format (self, "\n## %s\n\n", heading);
    for (guint j = 0; j < message->attachments->len; j++) {
      const FacetStoreAttachment *attachment = message->attachments->pdata[j];

      /* Translators: a line of an exported chat; the name of a file. */
      put_format (self, _("*Attached: %s*"), attachment->name);
      put (self, "\n\n");
    }
    put_markdown_text (self, message);
  }
}

static void
put_all (Export *self, GPtrArray *chats, FacetExportFormat format)
{
  if (format == FACET_EXPORT_JSON)
    put_format (self, "{\"format\": \"%s\", \"version\": %d, \"chats\": [\n", FACET_EXPORT_NAME, FACET_EXPORT_VERSION);
  for (guint i = 0; i < chats->len && self->error == NULL; i++) {
    if (format == FACET_EXPORT_JSON)
      put_json_chat (self, chats->pdata[i]);
    else
      put_markdown_chat (self, chats->pdata[i]);
    if (i + 1 < chats->len)
      put (self, format == FACET_EXPORT_JSON ? ",\n" : "\n");
  }
  if (format == FACET_EXPORT_JSON)
    put (self, "\n]}\n");
}

static gboolean
export (FacetStoreDb       *db,
        gint64              chat_id,
        FacetExportFormat   format,
        GOutputStream      *stream,
        GCancellable       *cancellable,
        GError            **error)
{
  Export self = { db, stream, cancellable, NULL };
  g_autoptr (GPtrArray) chats = NULL;

  /* One snapshot, whatever the window writes meanwhile. */
  if (!facet_store_db_script (db, "BEGIN", error))
    return FALSE;
  chats = facet_store_db_list_chats (db, &self.error);
  for (guint i = chats ? chats->len : 0; i-- > 0;) {
    const FacetChatRecord *chat = chats->pdata[i];

    if (chat_id != 0 && chat->id != chat_id)
      g_ptr_array_remove_index (chats, i);
  }
  if (chats != NULL && chat_id != 0 && chats->len == 0)
    g_set_error_literal (&self.error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND, _("This chat no longer exists."));
  if (chats != NULL && self.error == NULL)
    put_all (&self, chats, format);
  facet_store_db_end (db, FALSE, NULL);
  if (self.error == NULL)
    return TRUE;
  if (self.error->domain == G_IO_ERROR && self.error->code != G_IO_ERROR_CANCELLED) {
    g_message ("export: %s", self.error->message);
    g_clear_error (&self.error);
    g_set_error_literal (&self.error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO, _("The export cannot be written."));
  }
  g_propagate_error (error, self.error);
  return FALSE;
}

gboolean
facet_store_export (FacetStore         *self,
                    gint64              chat_id,
                    FacetExportFormat   format,
                    GOutputStream      *stream,
                    GCancellable       *cancellable,
                    GError            **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self) && G_IS_OUTPUT_STREAM (stream), FALSE);

  return export (facet_store_get_db (self), chat_id, format, stream, cancellable, error);
}

typedef struct {
  gint64            chat_id;
  FacetExportFormat format;
  GFile            *file;
} Wanted;

static void
wanted_free (Wanted *wanted)
{
  g_object_unref (wanted->file);
  g_free (wanted);
}

/* A cancelled close leaves the file that was there. */
static void
abandon (GOutputStream *stream)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  g_cancellable_cancel (cancelled);
  g_output_stream_close (stream, cancelled, NULL);
}

static gboolean
export_to_file (FacetStoreDb *db, const Wanted *wanted, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GFileOutputStream) stream = NULL;

  stream = g_file_replace (wanted->file, NULL, FALSE, G_FILE_CREATE_PRIVATE, cancellable, &local);
  if (stream == NULL) {
    g_message ("export: %s", local->message);
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO, _("The export cannot be written."));
    return FALSE;
  }
  if (export (db, wanted->chat_id, wanted->format, G_OUTPUT_STREAM (stream), cancellable, error)
      && g_output_stream_close (G_OUTPUT_STREAM (stream), cancellable, error))
    return TRUE;
  abandon (G_OUTPUT_STREAM (stream));
  return FALSE;
}

static void
export_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (FacetStoreDb) db = facet_store_db_for_task (task, &error);
  gboolean ok = db != NULL && export_to_file (db, data, cancellable, &error);

  g_clear_pointer (&db, facet_store_db_close);
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
facet_store_export_async (FacetStore          *self,
                          gint64               chat_id,
                          FacetExportFormat    format,
                          GFile               *file,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;
  Wanted *wanted;

  g_return_if_fail (FACET_IS_STORE (self) && G_IS_FILE (file));

  wanted = g_new0 (Wanted, 1);
  wanted->chat_id = chat_id;
  wanted->format = format;
  wanted->file = g_object_ref (file);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, facet_store_export_async);
  g_task_set_task_data (task, wanted, (GDestroyNotify) wanted_free);
  g_task_run_in_thread (task, export_thread);
}

gboolean
facet_store_export_finish (FacetStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
