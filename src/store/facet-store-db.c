#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "facet-store-db.h"

#define BUSY_MS 2000

G_DEFINE_QUARK (facet-store-error-quark, facet_store_error)

char *
facet_store_db_path (const char *directory)
{
  return g_build_filename (directory, "chats.db", NULL);
}

char *
facet_store_damage_path (const char *directory)
{
  return g_build_filename (directory, "chats.db.damaged", NULL);
}

void
facet_statement_end (FacetStatement *statement)
{
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
}

static void
finalize_statement (gpointer statement)
{
  sqlite3_finalize (statement);
}

static void
remember_damage (FacetStoreDb *db)
{
  g_autofree char *path = facet_store_damage_path (db->directory);

  if (!db->read_only && !g_file_set_contents (path, "", 0, NULL))
    g_message ("%s: cannot be written", path);
}

void
facet_store_db_set_error (FacetStoreDb *db, int result, GError **error)
{
  g_message ("%s/chats.db: %s (%d)", db->directory, db->handle ? sqlite3_errmsg (db->handle) : "", result);

  switch (result & 0xff) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    remember_damage (db);
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_CORRUPT,
                         _("The file with your chats is damaged. Start Facet again to repair it."));
    break;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY,
                         _("Another program is using the file with your chats."));
    break;
  case SQLITE_INTERRUPT:
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Cancelled."));
    break;
  case SQLITE_FULL:
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO,
                         _("Your chats cannot be saved: the disk is full."));
    break;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    g_set_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO,
                 _("The folder “%s” with your chats cannot be opened or written."), db->directory);
    break;
  default:
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO,
                         _("Your chats cannot be read or saved."));
  }
}

static int
configure (FacetStoreDb *db)
{
  int result;

  sqlite3_extended_result_codes (db->handle, 1);
  sqlite3_busy_timeout (db->handle, BUSY_MS);
  sqlite3_db_config (db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  result = facet_store_tokenizer_register (db->handle);
  if (result == SQLITE_OK)
    result = sqlite3_exec (db->handle,
                           db->read_only ? "PRAGMA query_only = 1; PRAGMA foreign_keys = 1"
                                         : "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                           "PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = 1",
                           NULL, NULL, NULL);
  return result;
}

FacetStoreDb *
facet_store_db_open (const char *directory, gboolean read_only, GError **error)
{
  g_autoptr (FacetStoreDb) db = g_new0 (FacetStoreDb, 1);
  g_autofree char *path = facet_store_db_path (directory);
  int result;

  db->directory = g_strdup (directory);
  db->read_only = read_only;
  db->statements = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, finalize_statement);
  if (read_only && !g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND, _("There are no chats yet."));
    return NULL;
  }
  if (!read_only && g_mkdir_with_parents (directory, 0700) != 0) {
    g_message ("%s: %s", directory, g_strerror (errno));
    facet_store_db_set_error (db, SQLITE_CANTOPEN, error);
    return NULL;
  }
  result = sqlite3_open_v2 (path, &db->handle,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (read_only ? 0 : SQLITE_OPEN_CREATE),
                            NULL);
  if (result == SQLITE_OK)
    result = configure (db);
  if (result != SQLITE_OK) {
    facet_store_db_set_error (db, result, error);
    return NULL;
  }
  g_chmod (path, 0600);
  return g_steal_pointer (&db);
}

void
facet_store_db_close (FacetStoreDb *db)
{
  g_hash_table_unref (db->statements);
  sqlite3_close (db->handle);
  g_free (db->directory);
  g_free (db);
}

static int
bind_all (sqlite3_stmt *statement, const char *types, va_list args)
{
  int result = SQLITE_OK;

  for (int i = 0; types[i] != '\0' && result == SQLITE_OK; i++) {
    if (types[i] == 'i') {
      result = sqlite3_bind_int64 (statement, i + 1, va_arg (args, gint64));
    } else {
      const char *text = va_arg (args, const char *);

      result = sqlite3_bind_text (statement, i + 1, text ? text : "", -1, SQLITE_STATIC);
    }
  }
  return result;
}

static FacetStatement *
query_valist (FacetStoreDb *db, GError **error, const char *sql, const char *types, va_list args)
{
  sqlite3_stmt *statement = g_hash_table_lookup (db->statements, sql);
  int result = SQLITE_OK;

  if (statement == NULL) {
    result = sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (result == SQLITE_OK)
      g_hash_table_insert (db->statements, (char *) sqlite3_sql (statement), statement);
  }
  if (result == SQLITE_OK)
    result = bind_all (statement, types, args);
  if (result != SQLITE_OK) {
    facet_store_db_set_error (db, result, error);
    return NULL;
  }
  return statement;
}

FacetStatement *
facet_store_db_query (FacetStoreDb *db, GError **error, const char *sql, const char *types, ...)
{
  FacetStatement *statement;
  va_list args;

  va_start (args, types);
  statement = query_valist (db, error, sql, types, args);
  va_end (args);
  return statement;
}

gboolean
facet_store_db_next (FacetStoreDb *db, FacetStatement *statement, GError **error)
{
  int result = sqlite3_step (statement);

  if (result != SQLITE_ROW && result != SQLITE_DONE)
    facet_store_db_set_error (db, result, error);
  return result == SQLITE_ROW;
}

gboolean
facet_store_db_run (FacetStoreDb *db, GError **error, const char *sql, const char *types, ...)
{
  g_autoptr (FacetStatement) statement = NULL;
  va_list args;
  int result;

  va_start (args, types);
  statement = query_valist (db, error, sql, types, args);
  va_end (args);
  if (statement == NULL)
    return FALSE;
  result = sqlite3_step (statement);
  if (result != SQLITE_DONE && result != SQLITE_ROW) {
    facet_store_db_set_error (db, result, error);
    return FALSE;
  }
  return TRUE;
}

gboolean
facet_store_db_script (FacetStoreDb *db, const char *sql, GError **error)
{
  int result = sqlite3_exec (db->handle, sql, NULL, NULL, NULL);

  if (result != SQLITE_OK)
    facet_store_db_set_error (db, result, error);
  return result == SQLITE_OK;
}

gint64
facet_store_db_number (FacetStoreDb *db, gint64 fallback, const char *sql, const char *types, ...)
{
  g_autoptr (FacetStatement) statement = NULL;
  va_list args;

  va_start (args, types);
  statement = query_valist (db, NULL, sql, types, args);
  va_end (args);
  if (statement == NULL || !facet_store_db_next (db, statement, NULL))
    return fallback;
  return sqlite3_column_int64 (statement, 0);
}

gboolean
facet_store_db_begin (FacetStoreDb *db, GError **error)
{
  return facet_store_db_script (db, "BEGIN IMMEDIATE", error);
}

gboolean
facet_store_db_end (FacetStoreDb *db, gboolean ok, GError **error)
{
  if (ok && facet_store_db_script (db, "COMMIT", error))
    return TRUE;
  if (!sqlite3_get_autocommit (db->handle))
    sqlite3_exec (db->handle, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

static void
cancelled_cb (GCancellable *cancellable, sqlite3 *handle)
{
  sqlite3_interrupt (handle);
}

gulong
facet_store_db_watch (FacetStoreDb *db, GCancellable *cancellable)
{
  return cancellable ? g_cancellable_connect (cancellable, G_CALLBACK (cancelled_cb), db->handle, NULL) : 0;
}

void
facet_store_db_unwatch (GCancellable *cancellable, gulong id)
{
  if (id != 0)
    g_cancellable_disconnect (cancellable, id);
}

char *
facet_statement_text (FacetStatement *statement, int i)
{
  const char *text = (const char *) sqlite3_column_text (statement, i);

  return g_utf8_make_valid (text ? text : "", -1);
}
