#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <string.h>

#include "facet-store-private.h"

/* Marks around matching words in a snippet. */
#define MARK_START '\x02'
#define MARK_END '\x03'
#define SNIPPET "snippet (message_search, 0, char (2), char (3), '…', 20)"

/* Rows looked at per search; beyond this relevance no longer matters. */
#define MAX_ROWS 5000

void
facet_store_hit_free (FacetStoreHit *hit)
{
  g_free (hit->title);
  g_free (hit->snippet);
  g_clear_pointer (&hit->ranges, g_array_unref);
  g_free (hit);
}

static void
add_term (GString *match, const char *term, gsize length, gboolean prefix)
{
  g_autofree char *text = g_strndup (term, length);

  if (!facet_store_tokenizer_has_word (text))
    return;
  g_string_append (match, match->len ? " AND \"" : "\"");
  g_string_append (match, text);
  g_string_append (match, prefix ? "\" *" : "\"");
}

/* The person's words as an FTS5 expression of quoted strings: nothing that
 * they type is an operator. NULL if there is no word in them. */
static char *
match_expression (const char *query)
{
  g_autofree char *valid = g_utf8_make_valid (query, -1);
  g_autoptr (GString) match = g_string_new (NULL);
  const char *p = valid;

  while (*p != '\0') {
    const char *start;
    gboolean quoted;

    while (g_unichar_isspace (g_utf8_get_char (p)))
      p = g_utf8_next_char (p);
    quoted = *p == '"';
    start = p += quoted;
    while (*p != '\0' && *p != '"' && (quoted || !g_unichar_isspace (g_utf8_get_char (p))))
      p = g_utf8_next_char (p);
    add_term (match, start, p - start, *p == '\0');
    if (quoted && *p == '"')
      p++;
  }
  return match->len > 0 ? g_string_free (g_steal_pointer (&match), FALSE) : NULL;
}

/* Splits the marked text of FTS5 into plain text and ranges. */
static void
set_snippet (FacetStoreHit *hit, const char *marked)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  FacetTextRange range = { 0 };
  gboolean inside = FALSE;

  for (const char *p = marked; *p; p++) {
    if (*p == MARK_START) {
      range.start = plain->len;
      inside = TRUE;
    } else if (*p == MARK_END) {
      range.end = plain->len;
      if (inside && range.end > range.start)
        g_array_append_val (hit->ranges, range);
      inside = FALSE;
    } else {
      g_string_append_c (plain, g_ascii_iscntrl (*p) ? ' ' : *p);
    }
  }
  g_free (hit->snippet);
  hit->snippet = g_string_free (g_steal_pointer (&plain), FALSE);
}

static FacetStoreHit *
add_hit (GPtrArray *hits, GHashTable *by_chat, gint64 chat_id, gint64 message_id, char *title)
{
  FacetStoreHit *hit = g_new0 (FacetStoreHit, 1);

  hit->chat_id = chat_id;
  hit->message_id = message_id;
  hit->title = title;
  hit->snippet = g_strdup ("");
  hit->ranges = g_array_new (FALSE, FALSE, sizeof (FacetTextRange));
  g_ptr_array_add (hits, hit);
  g_hash_table_insert (by_chat, &hit->chat_id, hit);
  return hit;
}

static gboolean
search_titles (FacetStoreDb *db, const char *match, GPtrArray *hits, GHashTable *by_chat, GError **error)
{
  g_autoptr (FacetStatement) statement = NULL;
  GError *local = NULL;

  statement = facet_store_db_query (db, error,
                                    "SELECT c.id, c.title FROM chat_search s JOIN chats c ON c.id = s.rowid"
                                    " WHERE chat_search MATCH ? AND c.deleted = 0"
                                    " ORDER BY s.rank, c.updated DESC LIMIT ?", "si", match, (gint64) MAX_ROWS);
  if (statement == NULL)
    return FALSE;
  while (facet_store_db_next (db, statement, &local))
    add_hit (hits, by_chat, sqlite3_column_int64 (statement, 0), 0, facet_statement_text (statement, 1));
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

static gboolean
search_messages (FacetStoreDb *db, const char *match, GPtrArray *hits, GHashTable *by_chat, GError **error)
{
  g_autoptr (FacetStatement) statement = NULL;
  GError *local = NULL;

  statement = facet_store_db_query (db, error,
                                    "SELECT c.id, c.title, m.id FROM message_search s JOIN messages m ON m.id = s.rowid"
                                    " JOIN chats c ON c.id = m.chat_id"
                                    " WHERE message_search MATCH ? AND c.deleted = 0 AND m.deleted = 0"
                                    " ORDER BY s.rank, m.id DESC LIMIT ?", "si", match, (gint64) MAX_ROWS);
  if (statement == NULL)
    return FALSE;
  while (facet_store_db_next (db, statement, &local)) {
    gint64 chat_id = sqlite3_column_int64 (statement, 0);
    FacetStoreHit *hit = g_hash_table_lookup (by_chat, &chat_id);

    if (hit == NULL)
      hit = add_hit (hits, by_chat, chat_id, 0, facet_statement_text (statement, 1));
    if (hit->message_id == 0)
      hit->message_id = sqlite3_column_int64 (statement, 2);
    hit->matches++;
  }
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

static gboolean
add_snippets (FacetStoreDb *db, const char *match, GPtrArray *hits, GError **error)
{
  for (guint i = 0; i < hits->len; i++) {
    FacetStoreHit *hit = hits->pdata[i];
    g_autoptr (FacetStatement) statement = NULL;
    g_autofree char *marked = NULL;
    GError *local = NULL;

    if (hit->message_id == 0)
      continue;
    statement = facet_store_db_query (db, error,
                                      "SELECT " SNIPPET " FROM message_search WHERE message_search MATCH ? AND rowid = ?",
                                      "si", match, hit->message_id);
    if (statement == NULL)
      return FALSE;
    if (facet_store_db_next (db, statement, &local)) {
      marked = facet_statement_text (statement, 0);
      set_snippet (hit, marked);
    }
    if (local != NULL) {
      g_propagate_error (error, local);
      return FALSE;
    }
  }
  return TRUE;
}

static GPtrArray *
search (FacetStoreDb *db, const char *query, guint limit, GError **error)
{
  g_autoptr (GPtrArray) hits = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_store_hit_free);
  g_autoptr (GHashTable) by_chat = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autofree char *match = match_expression (query);

  if (match == NULL)
    return g_steal_pointer (&hits);
  if (!search_titles (db, match, hits, by_chat, error) || !search_messages (db, match, hits, by_chat, error))
    return NULL;
  if (hits->len > limit)
    g_ptr_array_set_size (hits, limit);
  return add_snippets (db, match, hits, error) ? g_steal_pointer (&hits) : NULL;
}

GPtrArray *
facet_store_search (FacetStore *self, const char *query, guint limit, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self) && query != NULL, NULL);

  return search (facet_store_get_db (self), query, limit, error);
}

typedef struct {
  guint limit;
  char  query[];
} Search;

static void
search_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (FacetStoreDb) db = facet_store_db_for_task (task, &error);
  GPtrArray *hits = NULL;
  Search *wanted = data;

  if (db != NULL) {
    gulong watch = facet_store_db_watch (db, cancellable);

    hits = search (db, wanted->query, wanted->limit, &error);
    facet_store_db_unwatch (cancellable, watch);
    g_clear_pointer (&db, facet_store_db_close);
  }
  if (hits != NULL)
    g_task_return_pointer (task, hits, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

void
facet_store_search_async (FacetStore          *self,
                          const char          *query,
                          guint                limit,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;
  Search *wanted;

  g_return_if_fail (FACET_IS_STORE (self) && query != NULL);

  wanted = g_malloc (sizeof *wanted + strlen (query) + 1);
  wanted->limit = limit;
  strcpy (wanted->query, query);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, facet_store_search_async);
  g_task_set_task_data (task, wanted, g_free);
  g_task_run_in_thread (task, search_thread);
}

GPtrArray *
facet_store_search_finish (FacetStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
