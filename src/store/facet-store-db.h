/* facet-store-db.h - one SQLite connection to the chats (internal)
 *
 * The store owns one for its thread; each asynchronous task opens its own.
 * Prepared statements are kept per connection under the address-independent
 * text of their SQL.
 *
 * Thread-safety: one thread at a time.
 */
#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

#include "facet-store.h"

G_BEGIN_DECLS

typedef struct {
  sqlite3    *handle;
  GHashTable *statements; /* SQL text -> sqlite3_stmt */
  char       *directory;
  gboolean    read_only;
} FacetStoreDb;

/* A running statement; leaving its scope resets it. */
typedef sqlite3_stmt FacetStatement;
void facet_statement_end (FacetStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetStatement, facet_statement_end)

/* Opens without looking at the schema; the tokenizer is registered. */
FacetStoreDb   *facet_store_db_open      (const char *directory, gboolean read_only, GError **error);
void            facet_store_db_close     (FacetStoreDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetStoreDb, facet_store_db_close)

/* Binds what follows by @types: 'i' gint64, 's' string (NULL is ""), bound
 * without a copy: it must live until the statement ends. */
FacetStatement *facet_store_db_query     (FacetStoreDb *db, GError **error, const char *sql, const char *types, ...);

/* Advances. FALSE at the end and on an error; then @error tells which. */
gboolean        facet_store_db_next      (FacetStoreDb *db, FacetStatement *statement, GError **error);

/* Runs a statement that yields no rows. */
gboolean        facet_store_db_run       (FacetStoreDb *db, GError **error, const char *sql, const char *types, ...);

/* Runs several statements without parameters, separated by semicolons. */
gboolean        facet_store_db_script    (FacetStoreDb *db, const char *sql, GError **error);

/* First column of the first row; @fallback if there is none or on an error. */
gint64          facet_store_db_number    (FacetStoreDb *db, gint64 fallback, const char *sql, const char *types, ...);

/* A write transaction: commits if @ok and nothing failed, else rolls back.
 * Returns whether everything is committed. */
gboolean        facet_store_db_begin     (FacetStoreDb *db, GError **error);
gboolean        facet_store_db_end       (FacetStoreDb *db, gboolean ok, GError **error);

/* Sets @error from the connection's last result; damage is remembered in a
 * file, so that the next open repairs. */
void            facet_store_db_set_error (FacetStoreDb *db, int result, GError **error);

/* Makes the running statement fail with G_IO_ERROR_CANCELLED when
 * @cancellable is cancelled. Returns an id for facet_store_db_unwatch(). */
gulong          facet_store_db_watch     (FacetStoreDb *db, GCancellable *cancellable);
void            facet_store_db_unwatch   (GCancellable *cancellable, gulong id);

char           *facet_store_db_path      (const char *directory);
char           *facet_store_damage_path  (const char *directory);

/* Copy of column @i, never NULL. */
char           *facet_statement_text     (FacetStatement *statement, int i);

/* ---- schema (facet-store-schema.c) ---- */

/* Creates or migrates, each step in its transaction. */
gboolean facet_store_schema_prepare (FacetStoreDb *db, GError **error);

/* PRAGMA quick_check and foreign keys. */
gboolean facet_store_schema_check   (FacetStoreDb *db, GError **error);

/* ---- repair (facet-store-repair.c) ---- */

/* Moves the database aside and copies what is readable into a new one. */
gboolean facet_store_repair (const char *directory, FacetStoreRecovery *recovery, GError **error);

/* ---- tokenizer (facet-store-tokenizer.c) ---- */

/* Registers the FTS5 tokenizer "facet". Returns an SQLite result. */
int      facet_store_tokenizer_register (sqlite3 *handle);

/* Whether @text holds anything that can be searched for. */
gboolean facet_store_tokenizer_has_word (const char *text);

G_END_DECLS
