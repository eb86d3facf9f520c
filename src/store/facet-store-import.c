#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "facet-call-record.h"
#include "facet-store-private.h"

#define MAX_CHATS 100000
#define MAX_MESSAGES 1000000
#define MAX_ATTACHMENTS 1000
#define MAX_DEPTH 16

/* 3000-01-01; a later time is no time. */
#define MAX_TIME (G_GINT64_CONSTANT (32503680000) * G_USEC_PER_SEC)

static gboolean G_GNUC_PRINTF (2, 3)
refuse (GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_message ("import: %s", what);
  g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_INVALID,
                       _("This file is not an export of Facet’s chats, or it is damaged."));
  return FALSE;
}

/* json-glib recurses without a limit: a file of brackets would exhaust the
 * stack. */
static gboolean
is_shallow (const char *text, gsize length)
{
  gboolean inside = FALSE;
  int depth = 0;

  for (gsize i = 0; i < length; i++) {
    if (inside && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      inside = !inside;
    else if (!inside && (text[i] == '[' || text[i] == '{') && ++depth > MAX_DEPTH)
      return FALSE;
    else if (!inside && (text[i] == ']' || text[i] == '}'))
      depth--;
  }
  return TRUE;
}

static const char *
get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static gboolean
get_truth (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node);
}

static gint64
get_number (JsonObject *object, const char *name, gint64 fallback)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : fallback;
}

static gint64
get_time (JsonObject *object, const char *name)
{
  gint64 when = get_number (object, name, -1);

  return when > 0 && when < MAX_TIME ? when : g_get_real_time ();
}

static JsonArray *
get_array (JsonObject *object, const char *name, guint max, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)) {
    refuse (error, "\"%s\" is no array", name);
    return NULL;
  }
  if (json_array_get_length (json_node_get_array (node)) > max) {
    refuse (error, "\"%s\" has %u elements, the limit is %u", name,
            json_array_get_length (json_node_get_array (node)), max);
    return NULL;
  }
  return json_node_get_array (node);
}

static JsonObject *
get_element (JsonArray *array, guint i, GError **error)
{
  JsonNode *node = json_array_get_element (array, i);

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    refuse (error, "element %u is no object", i);
    return NULL;
  }
  return json_node_get_object (node);
}

/* The bytes are written below their own hash; what the file claims it to be
 * must agree. */
static FacetStoreAttachment *
import_attachment (FacetStoreDb *db, JsonObject *object, GError **error)
{
  int kind = facet_store_kind_from_name (get_string (object, "kind"));
  const char *data = get_string (object, "data");
  const char *hash = get_string (object, "sha256");
  g_autoptr (FacetStoreAttachment) attachment = NULL;
  g_autoptr (GInputStream) stream = NULL;
  guchar *bytes;
  gsize length;

  if (kind < 0 || hash == NULL || strlen (hash) != 64 || strspn (hash, "0123456789abcdef") != 64) {
    refuse (error, "attachment of kind \"%s\", sha256 \"%s\"", get_string (object, "kind"), hash);
    return NULL;
  }
  if (data == NULL) {
    /* Its file was gone when the chat was exported: keep what is known. */
    FacetStoreAttachment known = { kind, (char *) hash, (char *) "", (char *) get_string (object, "name"),
                                   (char *) get_string (object, "mime"), 0 };

    return facet_store_attachment_copy (&known);
  }
  bytes = g_base64_decode (data, &length);
  stream = g_memory_input_stream_new_from_data (bytes, length, g_free);
  attachment = facet_store_take_stream (db->directory, kind, stream, get_string (object, "name"),
                                        get_string (object, "mime"), NULL, error);
  if (attachment != NULL && !g_str_equal (attachment->hash, hash)) {
    refuse (error, "attachment's sha256 is %s, not %s", attachment->hash, hash);
    return NULL;
  }
  return g_steal_pointer (&attachment);
}

static GPtrArray *
import_attachments (FacetStoreDb *db, JsonObject *object, GError **error)
{
  g_autoptr (GPtrArray) attachments = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_store_attachment_free);
  JsonArray *array = get_array (object, "attachments", MAX_ATTACHMENTS, error);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *element = get_element (array, i, error);
    FacetStoreAttachment *attachment = element ? import_attachment (db, element, error) : NULL;

    if (attachment == NULL)
      return NULL;
    g_ptr_array_add (attachments, attachment);
  }
  return array ? g_steal_pointer (&attachments) : NULL;
}

/* Read and written again, so that nothing but calls is stored. */
static char *
import_calls (JsonObject *object, const char *text)
{
  JsonNode *node = json_object_get_member (object, "calls");
  g_autofree char *json = node != NULL ? json_to_string (node, FALSE) : g_strdup ("");
  g_autoptr (GPtrArray) records = facet_call_records_parse (json, text);

  return facet_call_records_write (records);
}

/* @ids maps the file's ids to ours. A parent must come before its children,
 * so no circle can be built. */
static gboolean
import_message (FacetStoreDb *db, gint64 chat_id, JsonObject *object, GHashTable *ids, GError **error)
{
  gint64 id = get_number (object, "id", 0);
  gint64 parent = get_number (object, "parent", -1);
  gint64 *parent_id = g_hash_table_lookup (ids, &parent);
  int role = facet_store_role_from_name (get_string (object, "role"));
  int status = facet_store_status_from_name (get_string (object, "status"));
  g_autoptr (GPtrArray) attachments = NULL;
  g_autofree char *calls = NULL;
  FacetStoreMessage message = { 0 };
  gint64 stored;

  if (id <= 0 || g_hash_table_contains (ids, &id) || (parent != 0 && parent_id == NULL) || role < 0 || status < 0
      || get_string (object, "text") == NULL)
    return refuse (error, "message %" G_GINT64_FORMAT " with parent %" G_GINT64_FORMAT ", role \"%s\", status \"%s\"",
                   id, parent, get_string (object, "role"), get_string (object, "status"));
  attachments = import_attachments (db, object, error);
  if (attachments == NULL)
    return FALSE;
  message.chat_id = chat_id;
  message.parent_id = parent_id ? *parent_id : 0;
  message.role = role;
  message.status = status == FACET_MESSAGE_RUNNING ? FACET_MESSAGE_STOPPED : status;
  message.created = get_time (object, "created");
  message.text = (char *) get_string (object, "text");
  message.thinking = (char *) get_string (object, "thinking");
  message.stats = (char *) get_string (object, "stats");
  message.failure = (char *) get_string (object, "failure");
  message.model = (char *) get_string (object, "model");
  message.mode = (char *) get_string (object, "mode");
  message.edited = role == FACET_STORE_ROLE_MODEL && get_truth (object, "edited");
  calls = import_calls (object, message.text);
  message.calls = calls;
  message.attachments = attachments;
  stored = facet_store_db_add_message (db, &message, error);
  if (stored == 0)
    return FALSE;
  g_hash_table_insert (ids, g_memdup2 (&id, sizeof id), g_memdup2 (&stored, sizeof stored));
  return TRUE;
}

static gint64
import_chat (FacetStoreDb *db, JsonObject *object, GError **error)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  JsonArray *messages = get_array (object, "messages", MAX_MESSAGES, error);
  gint64 shown = get_number (object, "shown", 0);
  gint64 updated = get_time (object, "updated");
  gint64 *last;
  gint64 chat_id;

  if (messages == NULL)
    return 0;
  chat_id = facet_store_db_add_chat (db, get_string (object, "title"), get_truth (object, "pinned"),
                                     get_time (object, "created"), updated, error);
  for (guint i = 0; chat_id != 0 && i < json_array_get_length (messages); i++) {
    JsonObject *element = get_element (messages, i, error);

    if (element == NULL || !import_message (db, chat_id, element, ids, error))
      return 0;
  }
  last = g_hash_table_lookup (ids, &shown);
  if (chat_id == 0 || (last != NULL && !facet_store_db_show_message (db, *last, error)))
    return 0;
  return facet_store_db_run (db, error, "UPDATE chats SET updated = ? WHERE id = ?", "ii", updated, chat_id) ? chat_id
                                                                                                             : 0;
}

static gboolean
import_chats (FacetStoreDb *db, JsonArray *chats, GArray *added, GError **error)
{
  gboolean ok = TRUE;

  if (!facet_store_db_begin (db, error))
    return FALSE;
  for (guint i = 0; ok && i < json_array_get_length (chats); i++) {
    JsonObject *chat = get_element (chats, i, error);
    gint64 id = chat ? import_chat (db, chat, error) : 0;

    ok = id != 0;
    g_array_append_val (added, id);
  }
  return facet_store_db_end (db, ok, error);
}

static JsonArray *
check_frame (JsonNode *root, GError **error)
{
  JsonObject *object = root && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;

  if (object == NULL || g_strcmp0 (get_string (object, "format"), FACET_EXPORT_NAME) != 0) {
    refuse (error, "\"format\" is not \"%s\"", FACET_EXPORT_NAME);
    return NULL;
  }
  if (get_number (object, "version", 0) != FACET_EXPORT_VERSION) {
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_VERSION,
                         _("This export was written by another version of Facet."));
    return NULL;
  }
  return get_array (object, "chats", MAX_CHATS, error);
}

static GBytes *
load (GFile *file, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, NULL);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 buffer[16384];
  gssize n = 0;

  while (stream != NULL && (n = g_input_stream_read (G_INPUT_STREAM (stream), buffer, sizeof buffer, cancellable, NULL)) > 0) {
    if (bytes->len + n > FACET_STORE_MAX_IMPORT) {
      g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_TOO_LARGE,
                           _("This file is larger than an import may be (256 MB)."));
      return NULL;
    }
    g_byte_array_append (bytes, buffer, n);
  }
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (stream == NULL || n < 0) {
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO, _("The file cannot be read."));
    return NULL;
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static JsonParser *
parse (GBytes *bytes, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  if (text == NULL || !g_utf8_validate (text, length, NULL) || !is_shallow (text, length)) {
    refuse (error, "not UTF-8, or nested deeper than %d", MAX_DEPTH);
    return NULL;
  }
  if (!json_parser_load_from_data (parser, text, length, &local)) {
    refuse (error, "%s", local->message);
    return NULL;
  }
  return g_steal_pointer (&parser);
}

static void
import_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (FacetStoreDb) db = NULL;
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GBytes) bytes = NULL;
  GError *error = NULL;
  JsonArray *chats = NULL;
  gboolean ok = FALSE;

  bytes = load (data, cancellable, &error);
  parser = bytes ? parse (bytes, &error) : NULL;
  chats = parser ? check_frame (json_parser_get_root (parser), &error) : NULL;
  db = chats ? facet_store_db_for_task (task, &error) : NULL;
  if (db != NULL)
    ok = import_chats (db, chats, added, &error);
  g_clear_pointer (&db, facet_store_db_close);
  if (ok)
    g_task_return_pointer (task, g_steal_pointer (&added), (GDestroyNotify) g_array_unref);
  else
    g_task_return_error (task, error);
}

void
facet_store_import_async (FacetStore          *self,
                          GFile               *file,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (FACET_IS_STORE (self) && G_IS_FILE (file));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, facet_store_import_async);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  g_task_run_in_thread (task, import_thread);
}

guint
facet_store_import_finish (FacetStore *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GArray) added = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);

  added = g_task_propagate_pointer (G_TASK (result), error);
  for (guint i = 0; added != NULL && i < added->len; i++)
    facet_store_emit (self, "chat-added", g_array_index (added, gint64, i));
  return added ? added->len : 0;
}
