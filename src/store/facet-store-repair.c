#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "facet-store-private.h"

/* Moves the database and its log aside under one new name. */
static char *
move_aside (const char *directory, GError **error)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *stamp = g_date_time_format (now, "%Y%m%dT%H%M%S");
  g_autofree char *path = facet_store_db_path (directory);
  g_autofree char *target = g_strdup_printf ("%s.damaged-%s", path, stamp);

  for (int i = 1; g_file_test (target, G_FILE_TEST_EXISTS); i++) {
    g_free (target);
    target = g_strdup_printf ("%s.damaged-%s-%d", path, stamp, i);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *from = g_strconcat (path, suffixes[i], NULL);
    g_autofree char *to = g_strconcat (target, suffixes[i], NULL);

    if (g_rename (from, to) != 0 && errno != ENOENT) {
      g_message ("%s: %s", from, g_strerror (errno));
      g_set_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO,
                   _("The damaged file with your chats cannot be moved aside in “%s”."), directory);
      return NULL;
    }
  }
  return g_steal_pointer (&target);
}

/* Inserts one row as it was read. Rows that break a rule of the schema are
 * left out. */
static gboolean
copy_row (sqlite3_stmt *from, sqlite3_stmt *to)
{
  gboolean ok;

  for (int i = 0; i < sqlite3_column_count (from); i++)
    sqlite3_bind_value (to, i + 1, sqlite3_column_value (from, i));
  ok = sqlite3_step (to) == SQLITE_DONE;
  sqlite3_reset (to);
  return ok;
}

/* Copies one table in both directions, so that a damaged page in its middle
 * costs only what lies on it. */
static guint
copy_table (sqlite3 *old, FacetStoreDb *db, const char *table, const char *columns, const char *marks)
{
  g_autofree char *insert = g_strdup_printf ("INSERT OR IGNORE INTO %s (%s) VALUES (%s)", table, columns, marks);
  sqlite3_stmt *to = NULL;
  guint copied = 0;

  if (sqlite3_prepare_v2 (db->handle, insert, -1, &to, NULL) != SQLITE_OK)
    return 0;
  for (int pass = 0; pass < 2; pass++) {
    g_autofree char *select = g_strdup_printf ("SELECT %s FROM %s ORDER BY rowid %s", columns, table,
                                               pass ? "DESC" : "ASC");
    sqlite3_stmt *from = NULL;
    gboolean complete = FALSE;

    if (sqlite3_prepare_v2 (old, select, -1, &from, NULL) == SQLITE_OK) {
      int result;

      while ((result = sqlite3_step (from)) == SQLITE_ROW)
        copied += copy_row (from, to) && sqlite3_changes (db->handle) > 0;
      complete = result == SQLITE_DONE;
    }
    sqlite3_finalize (from);
    if (complete)
      break;
  }
  sqlite3_finalize (to);
  return copied;
}

#define MESSAGE_COLUMNS \
  "id, chat_id, parent_id, active_child, role, status, text, thinking, stats, failure, model, mode, created, deleted"

static void
salvage (const char *damaged, FacetStoreDb *db, FacetStoreRecovery *recovery)
{
  sqlite3 *old = NULL;

  if (sqlite3_open_v2 (damaged, &old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
      && facet_store_tokenizer_register (old) == SQLITE_OK
      && sqlite3_db_config (old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK) {
    recovery->chats = copy_table (old, db, "chats",
                                  "id, title, pinned, created, updated, deleted, active_child, draft, options",
                                  "?,?,?,?,?,?,?,?,?");
    recovery->messages = copy_table (old, db, "messages", MESSAGE_COLUMNS ", calls, edited, revision",
                                     "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?");
    /* by the columns of an older version, if that is what it is */
    recovery->messages += copy_table (old, db, "messages", MESSAGE_COLUMNS ", calls, edited", "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?");
    recovery->messages += copy_table (old, db, "messages", MESSAGE_COLUMNS ", calls", "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?");
    recovery->messages += copy_table (old, db, "messages", MESSAGE_COLUMNS, "?,?,?,?,?,?,?,?,?,?,?,?,?,?");
    copy_table (old, db, "notes", "name, value", "?,?");
    copy_table (old, db, "attachments", "id, message_id, kind, hash, extension, name, mime, size", "?,?,?,?,?,?,?,?");
  }
  sqlite3_close (old);
}

/* Mends what the lost rows leave dangling. A message whose chat is lost gets
 * one, so that its text is not. */
static gboolean
reconnect (FacetStoreDb *db, GError **error)
{
  return facet_store_db_script (db,
    "INSERT INTO chats (id, title, created, updated)"
    " SELECT chat_id, '', min (created), max (created) FROM messages"
    " WHERE chat_id NOT IN (SELECT id FROM chats) GROUP BY chat_id;"
    "DELETE FROM attachments WHERE message_id NOT IN (SELECT id FROM messages);"
    "UPDATE messages SET parent_id = 0 WHERE parent_id NOT IN (SELECT id FROM messages);"
    "UPDATE messages SET active_child = coalesce ((SELECT max (c.id) FROM messages c"
    "  WHERE c.chat_id = messages.chat_id AND c.parent_id = messages.id AND c.deleted = 0), 0)"
    " WHERE active_child NOT IN (SELECT id FROM messages);"
    "UPDATE chats SET active_child = coalesce ((SELECT max (c.id) FROM messages c"
    "  WHERE c.chat_id = chats.id AND c.parent_id = 0 AND c.deleted = 0), 0)"
    " WHERE active_child NOT IN (SELECT id FROM messages)", error);
}

static gboolean
fill (const char *directory, const char *damaged, FacetStoreRecovery *recovery, GError **error)
{
  g_autoptr (FacetStoreDb) db = facet_store_db_open (directory, FALSE, error);
  gboolean ok;

  if (db == NULL || !facet_store_schema_prepare (db, error))
    return FALSE;
  /* Foreign keys cannot be switched within a transaction. */
  if (!facet_store_db_script (db, "PRAGMA foreign_keys = 0", error) || !facet_store_db_begin (db, error))
    return FALSE;
  salvage (damaged, db, recovery);
  ok = reconnect (db, error);
  return facet_store_db_end (db, ok, error);
}

gboolean
facet_store_repair (const char *directory, FacetStoreRecovery *recovery, GError **error)
{
  g_autofree char *mark = facet_store_damage_path (directory);
  FacetStoreRecovery found = { 0 };

  found.moved_to = move_aside (directory, error);
  if (found.moved_to == NULL)
    return FALSE;
  g_unlink (mark);
  g_message ("%s: damaged, moved to %s", directory, found.moved_to);
  if (!fill (directory, found.moved_to, &found, error)) {
    facet_store_recovery_clear (&found);
    return FALSE;
  }
  if (recovery != NULL)
    *recovery = found;
  else
    facet_store_recovery_clear (&found);
  return TRUE;
}
