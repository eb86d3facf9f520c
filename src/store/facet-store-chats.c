#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-store-private.h"

void
facet_chat_record_free (FacetChatRecord *record)
{
  g_free (record->title);
  g_free (record);
}

#define CHAT_COLUMNS "id, title, pinned, created, updated"

static FacetChatRecord *
read_chat (FacetStatement *statement)
{
  FacetChatRecord *record = g_new0 (FacetChatRecord, 1);

  record->id = sqlite3_column_int64 (statement, 0);
  record->title = facet_statement_text (statement, 1);
  record->pinned = sqlite3_column_int (statement, 2) != 0;
  record->created = sqlite3_column_int64 (statement, 3);
  record->updated = sqlite3_column_int64 (statement, 4);
  return record;
}

GPtrArray *
facet_store_db_list_chats (FacetStoreDb *db, GError **error)
{
  g_autoptr (GPtrArray) chats = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_chat_record_free);
  g_autoptr (FacetStatement) statement = NULL;
  GError *local = NULL;

  statement = facet_store_db_query (db, error,
                                    "SELECT " CHAT_COLUMNS " FROM chats WHERE deleted = 0"
                                    " ORDER BY pinned DESC, updated DESC, id DESC", "");
  if (statement == NULL)
    return NULL;
  while (facet_store_db_next (db, statement, &local))
    g_ptr_array_add (chats, read_chat (statement));
  if (local != NULL) {
    g_propagate_error (error, local);
    return NULL;
  }
  return g_steal_pointer (&chats);
}

GPtrArray *
facet_store_list_chats (FacetStore *self, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  return facet_store_db_list_chats (facet_store_get_db (self), error);
}

static void
set_no_chat (GError **error)
{
  if (error != NULL && *error == NULL)
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND, _("This chat no longer exists."));
}

FacetChatRecord *
facet_store_get_chat (FacetStore *self, gint64 chat_id, GError **error)
{
  g_autoptr (FacetStatement) statement = NULL;
  FacetStoreDb *db;

  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  db = facet_store_get_db (self);
  statement = facet_store_db_query (db, error, "SELECT " CHAT_COLUMNS " FROM chats WHERE id = ? AND deleted = 0", "i",
                                    chat_id);
  if (statement == NULL)
    return NULL;
  if (!facet_store_db_next (db, statement, error)) {
    set_no_chat (error);
    return NULL;
  }
  return read_chat (statement);
}

gint64
facet_store_db_add_chat (FacetStoreDb *db,
                         const char   *title,
                         gboolean      pinned,
                         gint64        created,
                         gint64        updated,
                         GError      **error)
{
  g_autofree char *valid = g_utf8_make_valid (title ? title : "", -1);

  if (!facet_store_db_run (db, error, "INSERT INTO chats (title, pinned, created, updated) VALUES (?, ?, ?, ?)",
                           "siii", valid, (gint64) pinned, created, updated))
    return 0;
  return sqlite3_last_insert_rowid (db->handle);
}

gint64
facet_store_add_chat (FacetStore *self, const char *title, GError **error)
{
  gint64 now = g_get_real_time ();
  gint64 id;

  g_return_val_if_fail (FACET_IS_STORE (self), 0);

  id = facet_store_db_add_chat (facet_store_get_db (self), title, FALSE, now, now, error);
  if (id != 0)
    facet_store_emit (self, "chat-added", id);
  return id;
}

/* Runs an UPDATE of one chat and tells the list. */
static gboolean
change_chat (FacetStore *self, gint64 chat_id, gboolean ok, const char *signal, GError **error)
{
  if (!ok)
    return FALSE;
  if (sqlite3_changes (facet_store_get_db (self)->handle) == 0) {
    set_no_chat (error);
    return FALSE;
  }
  if (signal != NULL)
    facet_store_emit (self, signal, chat_id);
  return TRUE;
}

gboolean
facet_store_set_chat_title (FacetStore *self, gint64 chat_id, const char *title, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (title ? title : "", -1);
  gboolean ok;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  ok = facet_store_db_run (facet_store_get_db (self), error, "UPDATE chats SET title = ? WHERE id = ?", "si", valid,
                           chat_id);
  return change_chat (self, chat_id, ok, "chat-changed", error);
}

gboolean
facet_store_set_chat_pinned (FacetStore *self, gint64 chat_id, gboolean pinned, GError **error)
{
  gboolean ok;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  ok = facet_store_db_run (facet_store_get_db (self), error, "UPDATE chats SET pinned = ? WHERE id = ?", "ii",
                           (gint64) (pinned != FALSE), chat_id);
  return change_chat (self, chat_id, ok, "chat-changed", error);
}

gboolean
facet_store_set_chat_deleted (FacetStore *self, gint64 chat_id, gboolean deleted, GError **error)
{
  gint64 stamp = deleted ? g_get_real_time () : 0;
  gboolean ok;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  ok = facet_store_db_run (facet_store_get_db (self), error, "UPDATE chats SET deleted = ? WHERE id = ?", "ii", stamp,
                           chat_id);
  return change_chat (self, chat_id, ok, deleted ? "chat-removed" : "chat-added", error);
}

/* Names of columns, and of the notes of the chat that is not there yet. */
static const char *const columns[] = { "draft", "options", "calls", "revision" };

gboolean
facet_store_db_set_text (FacetStoreDb *db, FacetStoreText which, gint64 id, const char *text, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (text ? text : "", -1);
  gboolean of_message = which == FACET_STORE_CALLS || which == FACET_STORE_REVISION;
  g_autofree char *sql = NULL;

  if (id == 0)
    return facet_store_db_run (db, error, "INSERT INTO notes (name, value) VALUES (?, ?)"
                                          " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                               "ss", columns[which], valid);
  sql = g_strdup_printf ("UPDATE %s SET %s = ? WHERE id = ?", of_message ? "messages" : "chats", columns[which]);
  if (!facet_store_db_run (db, error, sql, "si", valid, id))
    return FALSE;
  if (sqlite3_changes (db->handle) > 0)
    return TRUE;
  if (of_message)
    facet_store_set_no_message (error);
  else
    set_no_chat (error);
  return FALSE;
}

static char *
get_text (FacetStore *self, gint64 chat_id, FacetStoreText which, GError **error)
{
  FacetStoreDb *db = facet_store_get_db (self);
  g_autofree char *sql = g_strdup_printf ("SELECT %s FROM chats WHERE id = ?", columns[which]);
  const char *late = facet_store_late_get (facet_store_get_late (self), which, chat_id);
  g_autoptr (FacetStatement) statement = NULL;
  GError *local = NULL;

  if (late != NULL)
    return g_strdup (late);
  if (chat_id == 0)
    statement = facet_store_db_query (db, error, "SELECT value FROM notes WHERE name = ?", "s", columns[which]);
  else
    statement = facet_store_db_query (db, error, sql, "i", chat_id);
  if (statement == NULL)
    return NULL;
  if (facet_store_db_next (db, statement, &local))
    return facet_statement_text (statement, 0);
  if (local == NULL && chat_id == 0)
    return g_strdup ("");
  if (local != NULL)
    g_propagate_error (error, local);
  set_no_chat (error);
  return NULL;
}

gboolean
facet_store_set_draft (FacetStore *self, gint64 chat_id, const char *draft, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  return facet_store_late_set (facet_store_get_late (self), FACET_STORE_DRAFT, chat_id, draft, error);
}

char *
facet_store_get_draft (FacetStore *self, gint64 chat_id, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  return get_text (self, chat_id, FACET_STORE_DRAFT, error);
}

gboolean
facet_store_set_options (FacetStore *self, gint64 chat_id, const char *json, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  return facet_store_late_set (facet_store_get_late (self), FACET_STORE_OPTIONS, chat_id, json, error);
}

char *
facet_store_get_options (FacetStore *self, gint64 chat_id, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  return get_text (self, chat_id, FACET_STORE_OPTIONS, error);
}
