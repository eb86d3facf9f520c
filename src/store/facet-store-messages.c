#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-store-private.h"

#define TITLE_CHARS 60

/* A damaged pointer from child to parent must not loop for ever. */
#define MAX_DEPTH "100000"

#define COLUMNS \
  "m.id, m.chat_id, m.parent_id, m.role, m.status, m.text, m.thinking, m.stats, m.failure, m.model, m.mode, m.created, m.calls, m.edited, m.revision," \
  " (SELECT count(*) FROM messages s WHERE s.chat_id = m.chat_id AND s.parent_id = m.parent_id AND s.deleted = 0" \
  "  AND s.id < m.id)," \
  " (SELECT count(*) FROM messages s WHERE s.chat_id = m.chat_id AND s.parent_id = m.parent_id AND s.deleted = 0)"

#define BELOW \
  "WITH RECURSIVE below (id) AS (SELECT ?1 UNION SELECT m.id FROM messages m JOIN below b ON m.parent_id = b.id" \
  " WHERE m.chat_id = ?2) "

void
facet_store_message_free (FacetStoreMessage *message)
{
  g_free (message->text);
  g_free (message->thinking);
  g_free (message->stats);
  g_free (message->failure);
  g_free (message->model);
  g_free (message->mode);
  g_free (message->calls);
  g_free (message->revision);
  g_clear_pointer (&message->attachments, g_ptr_array_unref);
  g_free (message);
}

void
facet_store_set_no_message (GError **error)
{
  if (error != NULL && *error == NULL)
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND, _("This message no longer exists."));
}

static FacetStoreMessage *
read_message (FacetStatement *statement)
{
  FacetStoreMessage *message = g_new0 (FacetStoreMessage, 1);

  message->id = sqlite3_column_int64 (statement, 0);
  message->chat_id = sqlite3_column_int64 (statement, 1);
  message->parent_id = sqlite3_column_int64 (statement, 2);
  message->role = sqlite3_column_int (statement, 3);
  message->status = sqlite3_column_int (statement, 4);
  message->text = facet_statement_text (statement, 5);
  message->thinking = facet_statement_text (statement, 6);
  message->stats = facet_statement_text (statement, 7);
  message->failure = facet_statement_text (statement, 8);
  message->model = facet_statement_text (statement, 9);
  message->mode = facet_statement_text (statement, 10);
  message->created = sqlite3_column_int64 (statement, 11);
  message->calls = facet_statement_text (statement, 12);
  message->edited = sqlite3_column_int (statement, 13) != 0;
  message->revision = facet_statement_text (statement, 14);
  message->sibling_index = sqlite3_column_int (statement, 15);
  message->sibling_count = sqlite3_column_int (statement, 16);
  message->attachments = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_store_attachment_free);
  return message;
}

static gboolean
read_attachments (FacetStoreDb *db, FacetStoreMessage *message, GError **error)
{
  g_autoptr (FacetStatement) statement = NULL;
  GError *local = NULL;

  statement = facet_store_db_query (db, error,
                                    "SELECT kind, hash, extension, name, mime, size FROM attachments"
                                    " WHERE message_id = ? ORDER BY id", "i", message->id);
  if (statement == NULL)
    return FALSE;
  while (facet_store_db_next (db, statement, &local)) {
    FacetStoreAttachment *attachment = g_new0 (FacetStoreAttachment, 1);

    attachment->kind = sqlite3_column_int (statement, 0);
    attachment->hash = facet_statement_text (statement, 1);
    attachment->extension = facet_statement_text (statement, 2);
    attachment->name = facet_statement_text (statement, 3);
    attachment->mime = facet_statement_text (statement, 4);
    attachment->size = sqlite3_column_int64 (statement, 5);
    g_ptr_array_add (message->attachments, attachment);
  }
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

static GPtrArray *
read_messages (FacetStoreDb *db, FacetStatement *statement, GError **error)
{
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_store_message_free);
  GError *local = NULL;

  while (facet_store_db_next (db, statement, &local))
    g_ptr_array_add (messages, read_message (statement));
  for (guint i = 0; i < messages->len && local == NULL; i++)
    read_attachments (db, messages->pdata[i], &local);
  if (local != NULL) {
    g_propagate_error (error, local);
    return NULL;
  }
  return g_steal_pointer (&messages);
}

GPtrArray *
facet_store_db_get_messages (FacetStoreDb *db, gint64 chat_id, gboolean all, GError **error)
{
  g_autoptr (FacetStatement) statement = NULL;

  statement = facet_store_db_query (db, error,
                                    all ? "WITH RECURSIVE tree (id, depth) AS ("
                                          " SELECT id, 0 FROM messages WHERE chat_id = ?1 AND parent_id = 0 UNION ALL"
                                          " SELECT m.id, depth + 1 FROM messages m JOIN tree t ON m.parent_id = t.id"
                                          " WHERE m.chat_id = ?1)"
                                          " SELECT " COLUMNS " FROM tree t JOIN messages m ON m.id = t.id"
                                          " WHERE m.deleted = 0 ORDER BY t.depth, m.id"
                                        : "WITH RECURSIVE branch (id, depth) AS ("
                                          " SELECT active_child, 0 FROM chats WHERE id = ?1 UNION ALL"
                                          " SELECT m.active_child, depth + 1 FROM messages m JOIN branch b ON m.id = b.id"
                                          " WHERE m.active_child <> 0 LIMIT " MAX_DEPTH ")"
                                          " SELECT " COLUMNS " FROM branch b JOIN messages m ON m.id = b.id"
                                          " ORDER BY b.depth",
                                    "i", chat_id);
  return statement ? read_messages (db, statement, error) : NULL;
}

GPtrArray *
facet_store_get_branch (FacetStore *self, gint64 chat_id, GError **error)
{
  g_autoptr (FacetChatRecord) chat = NULL;
  GPtrArray *branch;

  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  chat = facet_store_get_chat (self, chat_id, error);
  branch = chat ? facet_store_db_get_messages (facet_store_get_db (self), chat_id, FALSE, error) : NULL;
  for (guint i = 0; branch != NULL && i < branch->len; i++)
    facet_store_late_apply (facet_store_get_late (self), branch->pdata[i]);
  return branch;
}

FacetStoreMessage *
facet_store_db_get_message (FacetStoreDb *db, gint64 message_id, GError **error)
{
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (FacetStatement) statement = NULL;

  statement = facet_store_db_query (db, error, "SELECT " COLUMNS " FROM messages m WHERE m.id = ?", "i", message_id);
  messages = statement ? read_messages (db, statement, error) : NULL;
  if (messages == NULL)
    return NULL;
  if (messages->len == 0) {
    facet_store_set_no_message (error);
    return NULL;
  }
  return g_ptr_array_steal_index (messages, 0);
}

FacetStoreMessage *
facet_store_get_message (FacetStore *self, gint64 message_id, GError **error)
{
  FacetStoreMessage *message;

  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  message = facet_store_db_get_message (facet_store_get_db (self), message_id, error);
  if (message != NULL)
    facet_store_late_apply (facet_store_get_late (self), message);
  return message;
}

gboolean
facet_store_db_set_active_child (FacetStoreDb *db, gint64 chat_id, gint64 parent_id, gint64 child_id, GError **error)
{
  if (parent_id == 0)
    return facet_store_db_run (db, error, "UPDATE chats SET active_child = ? WHERE id = ?", "ii", child_id, chat_id);
  return facet_store_db_run (db, error, "UPDATE messages SET active_child = ? WHERE id = ?", "ii", child_id, parent_id);
}

gboolean
facet_store_db_show_message (FacetStoreDb *db, gint64 message_id, GError **error)
{
  while (message_id != 0) {
    g_autoptr (FacetStoreMessage) message = facet_store_db_get_message (db, message_id, error);

    if (message == NULL || !facet_store_db_set_active_child (db, message->chat_id, message->parent_id, message_id, error))
      return FALSE;
    message_id = message->parent_id;
  }
  return TRUE;
}

gboolean
facet_store_show_message (FacetStore *self, gint64 message_id, GError **error)
{
  FacetStoreDb *db;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  db = facet_store_get_db (self);
  if (!facet_store_db_begin (db, error))
    return FALSE;
  return facet_store_db_end (db, facet_store_db_show_message (db, message_id, error), error);
}

gint64
facet_store_show_sibling (FacetStore *self, gint64 message_id, guint sibling_index, GError **error)
{
  FacetStoreDb *db;
  gint64 sibling;

  g_return_val_if_fail (FACET_IS_STORE (self), 0);

  db = facet_store_get_db (self);
  sibling = facet_store_db_number (db, 0,
                                   "SELECT s.id FROM messages m JOIN messages s ON s.chat_id = m.chat_id AND"
                                   " s.parent_id = m.parent_id AND s.deleted = 0 WHERE m.id = ?"
                                   " ORDER BY s.id LIMIT 1 OFFSET ?", "ii", message_id, (gint64) sibling_index);
  if (sibling == 0)
    facet_store_set_no_message (error);
  return sibling != 0 && facet_store_show_message (self, sibling, error) ? sibling : 0;
}

/* The first line of the first question names the chat, without words its first
 * file. */
static char *
title_from (const char *text, const GPtrArray *attachments)
{
  g_autofree char *line = g_strstrip (g_strdup (text));
  g_autofree char *cut = NULL;
  const char *space;

  if (*line == '\0' && attachments != NULL && attachments->len > 0)
    return title_from (((const FacetStoreAttachment *) attachments->pdata[0])->name, NULL);
  line[strcspn (line, "\r\n")] = '\0';
  if (g_utf8_strlen (line, -1) <= TITLE_CHARS)
    return g_steal_pointer (&line);
  cut = g_utf8_substring (line, 0, TITLE_CHARS - 1);
  space = strrchr (cut, ' ');
  if (space != NULL && space - cut > (gssize) strlen (cut) / 2)
    cut[space - cut] = '\0';
  return g_strconcat (g_strchomp (cut), "…", NULL);
}

static gboolean
touch_chat (FacetStoreDb *db, const FacetStoreMessage *message, const char *text, gint64 when, GError **error)
{
  gboolean asks = message->role == FACET_STORE_ROLE_USER;
  g_autofree char *title = asks ? title_from (text, message->attachments) : g_strdup ("");

  return facet_store_db_run (db, error,
                             "UPDATE chats SET updated = max (updated, ?1),"
                             " title = CASE WHEN title = '' THEN ?2 ELSE title END WHERE id = ?3",
                             "isi", when, title, message->chat_id);
}

static gboolean
add_attachments (FacetStoreDb *db, gint64 id, GPtrArray *attachments, GError **error)
{
  for (guint i = 0; attachments != NULL && i < attachments->len; i++) {
    const FacetStoreAttachment *a = attachments->pdata[i];

    if (!facet_store_db_run (db, error,
                             "INSERT INTO attachments (message_id, kind, hash, extension, name, mime, size)"
                             " VALUES (?, ?, ?, ?, ?, ?, ?)", "iissssi", id, (gint64) a->kind, a->hash, a->extension,
                             a->name, a->mime, (gint64) a->size))
      return FALSE;
  }
  return TRUE;
}

static char *
valid (const char *text)
{
  return g_utf8_make_valid (text ? text : "", -1);
}

gint64
facet_store_db_add_message (FacetStoreDb *db, const FacetStoreMessage *message, GError **error)
{
  gint64 created = message->created ? message->created : g_get_real_time ();
  g_autofree char *text = valid (message->text);
  g_autofree char *thinking = valid (message->thinking);
  g_autofree char *failure = valid (message->failure);
  g_autofree char *calls = valid (message->calls);
  gint64 id;

  if (facet_store_db_number (db, 0,
                             "SELECT count(*) FROM chats c WHERE c.id = ?1 AND (?2 = 0 OR EXISTS"
                             " (SELECT 1 FROM messages m WHERE m.id = ?2 AND m.chat_id = ?1))",
                             "ii", message->chat_id, message->parent_id) == 0) {
    g_message ("message for chat %" G_GINT64_FORMAT " below %" G_GINT64_FORMAT ": no such place", message->chat_id,
               message->parent_id);
    facet_store_set_no_message (error);
    return 0;
  }
  if (!facet_store_db_run (db, error,
                           "INSERT INTO messages (chat_id, parent_id, role, status, text, thinking, stats, failure,"
                           " model, mode, calls, edited, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiisssssssii",
                           message->chat_id, message->parent_id, (gint64) message->role, (gint64) message->status,
                           text, thinking, message->stats, failure, message->model, message->mode, calls,
                           (gint64) (message->edited != FALSE), created))
    return 0;
  id = sqlite3_last_insert_rowid (db->handle);
  if (!add_attachments (db, id, message->attachments, error)
      || !facet_store_db_set_active_child (db, message->chat_id, message->parent_id, id, error)
      || !touch_chat (db, message, text, created, error))
    return 0;
  return id;
}

gint64
facet_store_add_message (FacetStore *self, const FacetStoreMessage *message, GError **error)
{
  FacetStoreDb *db;
  gint64 id;

  g_return_val_if_fail (FACET_IS_STORE (self) && message != NULL, 0);

  db = facet_store_get_db (self);
  if (!facet_store_db_begin (db, error))
    return 0;
  id = facet_store_db_add_message (db, message, error);
  if (!facet_store_db_end (db, id != 0, error))
    return 0;
  facet_store_emit (self, "chat-changed", message->chat_id);
  return id;
}

static gboolean
changed_one (FacetStoreDb *db, gboolean ok, GError **error)
{
  if (ok && sqlite3_changes (db->handle) == 0) {
    facet_store_set_no_message (error);
    return FALSE;
  }
  return ok;
}

gboolean
facet_store_save_running (FacetStore *self, gint64 message_id, const char *text, const char *thinking, GError **error)
{
  g_autofree char *valid_text = valid (text);
  g_autofree char *valid_thinking = valid (thinking);
  FacetStoreDb *db;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  db = facet_store_get_db (self);
  return changed_one (db,
                      facet_store_db_run (db, error,
                                          "UPDATE messages SET text = ?, thinking = ? WHERE id = ? AND status = ?",
                                          "ssii", valid_text, valid_thinking, message_id,
                                          (gint64) FACET_MESSAGE_RUNNING),
                      error);
}

gboolean
facet_store_save_calls (FacetStore *self, gint64 message_id, const char *calls, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  return facet_store_late_set (facet_store_get_late (self), FACET_STORE_CALLS, message_id, calls, error);
}

gboolean
facet_store_db_finish_message (FacetStoreDb *db, const FacetStoreMessage *end, GError **error)
{
  g_autofree char *text = valid (end->text);
  g_autofree char *thinking = valid (end->thinking);
  g_autofree char *failure = valid (end->failure);

  return changed_one (db,
                      facet_store_db_run (db, error,
                                          "UPDATE messages SET status = ?, text = ?, thinking = ?, stats = ?, failure = ?"
                                          " WHERE id = ?", "issssi", (gint64) end->status, text, thinking, end->stats,
                                          failure, end->id),
                      error)
         && facet_store_db_run (db, error, "UPDATE chats SET updated = max (updated, ?) WHERE id = ?", "ii",
                                g_get_real_time (), end->chat_id);
}

gboolean
facet_store_finish_message (FacetStore         *self,
                            gint64              message_id,
                            FacetMessageStatus  status,
                            const char         *text,
                            const char         *thinking,
                            const char         *stats,
                            const char         *failure,
                            GError            **error)
{
  FacetStoreMessage end = {
    .id = message_id,
    .status = status,
    .text = (char *) text,
    .thinking = (char *) thinking,
    .stats = (char *) stats,
    .failure = (char *) failure,
  };

  g_return_val_if_fail (FACET_IS_STORE (self) && status != FACET_MESSAGE_RUNNING, FALSE);

  end.chat_id = facet_store_db_number (facet_store_get_db (self), 0, "SELECT chat_id FROM messages WHERE id = ?", "i", message_id);
  return facet_store_late_finish (facet_store_get_late (self), &end, error);
}

gboolean
facet_store_resume_message (FacetStore *self, gint64 message_id, GError **error)
{
  FacetStoreDb *db;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  /* its own end must not come after this */
  if (!facet_store_late_flush (facet_store_get_late (self), error))
    return FALSE;
  db = facet_store_get_db (self);
  return changed_one (db,
                      facet_store_db_run (db, error, "UPDATE messages SET status = ?, failure = '' WHERE id = ?", "ii",
                                          (gint64) FACET_MESSAGE_RUNNING, message_id),
                      error);
}

/* What is shown instead of a hidden message: the sibling before it, else the
 * one after it. */
static gint64
neighbour (FacetStoreDb *db, const FacetStoreMessage *message)
{
  return facet_store_db_number (db, 0,
                                "SELECT id FROM messages WHERE chat_id = ?1 AND parent_id = ?2 AND deleted = 0"
                                " AND id <> ?3 ORDER BY id > ?3, abs (id - ?3) LIMIT 1",
                                "iii", message->chat_id, message->parent_id, message->id);
}

gboolean
facet_store_db_hide_message (FacetStoreDb *db, const FacetStoreMessage *message, GError **error)
{
  return facet_store_db_run (db, error,
                             BELOW "UPDATE messages SET deleted = ?3 WHERE deleted = 0 AND id IN (SELECT id FROM below)",
                             "iii", message->id, message->chat_id, g_get_real_time ())
         && facet_store_db_set_active_child (db, message->chat_id, message->parent_id, neighbour (db, message), error);
}

static gboolean
bring_back (FacetStoreDb *db, const FacetStoreMessage *message, GError **error)
{
  gint64 stamp = facet_store_db_number (db, 0, "SELECT deleted FROM messages WHERE id = ?", "i", message->id);

  return facet_store_db_run (db, error,
                             BELOW "UPDATE messages SET deleted = 0 WHERE deleted = ?3 AND id IN (SELECT id FROM below)",
                             "iii", message->id, message->chat_id, stamp)
         && facet_store_db_set_active_child (db, message->chat_id, message->parent_id, message->id, error);
}

gboolean
facet_store_set_message_deleted (FacetStore *self, gint64 message_id, gboolean deleted, GError **error)
{
  g_autoptr (FacetStoreMessage) message = NULL;
  FacetStoreDb *db;
  gboolean ok;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  db = facet_store_get_db (self);
  message = facet_store_db_get_message (db, message_id, error);
  if (message == NULL || !facet_store_db_begin (db, error))
    return FALSE;
  ok = deleted ? facet_store_db_hide_message (db, message, error) : bring_back (db, message, error);
  return facet_store_db_end (db, ok, error);
}
