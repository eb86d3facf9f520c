#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-store-db.h"

/* "FCET"; tells file(1) and us whose database this is. */
#define APPLICATION_ID 0x46434554

/* Step i brings version i to i + 1. Steps are never changed once released. */
static const char *const steps[] = {
  "CREATE TABLE chats ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  title TEXT NOT NULL DEFAULT '',"
  "  pinned INTEGER NOT NULL DEFAULT 0,"
  "  created INTEGER NOT NULL,"
  "  updated INTEGER NOT NULL,"
  "  deleted INTEGER NOT NULL DEFAULT 0,"
  "  active_child INTEGER NOT NULL DEFAULT 0,"
  "  draft TEXT NOT NULL DEFAULT '',"
  "  options TEXT NOT NULL DEFAULT '');"
  "CREATE TABLE messages ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,"
  "  parent_id INTEGER NOT NULL DEFAULT 0,"
  "  active_child INTEGER NOT NULL DEFAULT 0,"
  "  role INTEGER NOT NULL,"
  "  status INTEGER NOT NULL,"
  "  text TEXT NOT NULL DEFAULT '',"
  "  thinking TEXT NOT NULL DEFAULT '',"
  "  stats TEXT NOT NULL DEFAULT '',"
  "  failure TEXT NOT NULL DEFAULT '',"
  "  model TEXT NOT NULL DEFAULT '',"
  "  mode TEXT NOT NULL DEFAULT '',"
  "  created INTEGER NOT NULL,"
  "  deleted INTEGER NOT NULL DEFAULT 0);"
  "CREATE INDEX messages_by_parent ON messages (chat_id, parent_id);"
  "CREATE INDEX messages_running ON messages (status) WHERE status = 0;"
  "CREATE INDEX messages_deleted ON messages (deleted) WHERE deleted <> 0;"
  "CREATE TABLE attachments ("
  "  id INTEGER PRIMARY KEY,"
  "  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,"
  "  kind INTEGER NOT NULL,"
  "  hash TEXT NOT NULL,"
  "  extension TEXT NOT NULL,"
  "  name TEXT NOT NULL,"
  "  mime TEXT NOT NULL,"
  "  size INTEGER NOT NULL);"
  "CREATE INDEX attachments_by_message ON attachments (message_id);"
  "CREATE INDEX attachments_by_hash ON attachments (hash);"
  "CREATE VIRTUAL TABLE chat_search USING fts5 (title, content='chats', content_rowid='id', tokenize='facet');"
  "CREATE VIRTUAL TABLE message_search USING fts5 (text, content='messages', content_rowid='id', tokenize='facet');"
  "CREATE TRIGGER chats_insert AFTER INSERT ON chats BEGIN"
  "  INSERT INTO chat_search (rowid, title) VALUES (new.id, new.title); END;"
  "CREATE TRIGGER chats_delete AFTER DELETE ON chats BEGIN"
  "  INSERT INTO chat_search (chat_search, rowid, title) VALUES ('delete', old.id, old.title); END;"
  "CREATE TRIGGER chats_update AFTER UPDATE OF title ON chats BEGIN"
  "  INSERT INTO chat_search (chat_search, rowid, title) VALUES ('delete', old.id, old.title);"
  "  INSERT INTO chat_search (rowid, title) VALUES (new.id, new.title); END;"
  /* A running answer changes twice a second: it is indexed when it ends. */
  "CREATE TRIGGER messages_insert AFTER INSERT ON messages WHEN new.status <> 0 BEGIN"
  "  INSERT INTO message_search (rowid, text) VALUES (new.id, new.text); END;"
  "CREATE TRIGGER messages_delete AFTER DELETE ON messages WHEN old.status <> 0 BEGIN"
  "  INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text); END;"
  "CREATE TRIGGER messages_unindex BEFORE UPDATE OF text, status ON messages WHEN old.status <> 0 BEGIN"
  "  INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text); END;"
  "CREATE TRIGGER messages_index AFTER UPDATE OF text, status ON messages WHEN new.status <> 0 BEGIN"
  "  INSERT INTO message_search (rowid, text) VALUES (new.id, new.text); END;",

  "ALTER TABLE messages ADD COLUMN calls TEXT NOT NULL DEFAULT '';"
  /* What belongs to no chat yet: draft and options of the next one. */
  "CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);",

  "ALTER TABLE messages ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;",

  "ALTER TABLE messages ADD COLUMN revision TEXT NOT NULL DEFAULT '';",
};

static gboolean
run_step (FacetStoreDb *db, int version, GError **error)
{
  g_autofree char *mark = g_strdup_printf ("PRAGMA user_version = %d; PRAGMA application_id = %d",
                                           version + 1, APPLICATION_ID);
  gboolean ok;

  if (!facet_store_db_begin (db, error))
    return FALSE;
  ok = facet_store_db_script (db, steps[version], error) && facet_store_db_script (db, mark, error);
  return facet_store_db_end (db, ok, error);
}

gboolean
facet_store_schema_prepare (FacetStoreDb *db, GError **error)
{
  g_autoptr (FacetStatement) statement = facet_store_db_query (db, error, "PRAGMA user_version", "");
  int version;

  if (statement == NULL || !facet_store_db_next (db, statement, error))
    return FALSE;
  version = sqlite3_column_int (statement, 0);
  g_clear_pointer (&statement, facet_statement_end);
  if (version < 0 || version > (int) G_N_ELEMENTS (steps) || (db->read_only && version < (int) G_N_ELEMENTS (steps))) {
    g_message ("%s/chats.db: user_version is %d, known are 0 to %d", db->directory, version,
               (int) G_N_ELEMENTS (steps));
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_VERSION,
                         _("Your chats were written by another version of Facet."));
    return FALSE;
  }
  for (; version < (int) G_N_ELEMENTS (steps); version++) {
    if (!run_step (db, version, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
facet_store_schema_check (FacetStoreDb *db, GError **error)
{
  g_autoptr (FacetStatement) statement = facet_store_db_query (db, error, "PRAGMA quick_check (1)", "");
  g_autofree char *found = NULL;

  if (statement == NULL || !facet_store_db_next (db, statement, error))
    return FALSE;
  found = facet_statement_text (statement, 0);
  if (g_strcmp0 (found, "ok") == 0)
    return TRUE;
  g_message ("%s/chats.db: %s", db->directory, found);
  facet_store_db_set_error (db, SQLITE_CORRUPT, error);
  return FALSE;
}
