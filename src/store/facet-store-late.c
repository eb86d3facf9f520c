#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include "facet-store-late.h"

#include "facet-store-private.h"

#define RETRY_MS 200
#define TELL_AFTER 10 /* tries */

/* A text, or the end of an answer. */
typedef struct {
  FacetStoreText     which;
  gint64             id;
  char              *text;
  FacetStoreMessage *end; /* NULL: a text */
} Write;

struct FacetStoreLate {
  FacetStore   *store; /* borrowed, as is db */
  FacetStoreDb *db;
  GPtrArray    *writes;
  guint         timer;
  guint         tries;
};

static void
write_free (gpointer data)
{
  Write *write = data;

  g_free (write->text);
  g_clear_pointer (&write->end, facet_store_message_free);
  g_free (write);
}

FacetStoreLate *
facet_store_late_new (FacetStore *store, FacetStoreDb *db)
{
  FacetStoreLate *late = g_new0 (FacetStoreLate, 1);

  late->store = store;
  late->db = db;
  late->writes = g_ptr_array_new_with_free_func (write_free);
  return late;
}

void
facet_store_late_free (FacetStoreLate *late)
{
  g_autoptr (GError) error = NULL;

  g_clear_handle_id (&late->timer, g_source_remove);
  if (late->writes->len > 0)
    sqlite3_busy_timeout (late->db->handle, FACET_STORE_LAST_WAIT_MS);
  if (!facet_store_late_flush (late, &error))
    g_message ("%u changes of the chats are lost: %s", late->writes->len, error->message);
  g_ptr_array_unref (late->writes);
  g_free (late);
}

static gboolean
run (FacetStoreLate *late, const Write *write, GError **error)
{
  return write->end != NULL ? facet_store_db_finish_message (late->db, write->end, error)
                            : facet_store_db_set_text (late->db, write->which, write->id, write->text, error);
}

/* What was deleted meanwhile needs no writing. */
static gboolean
run_all (FacetStoreLate *late, GError **error)
{
  for (guint i = 0; i < late->writes->len; i++) {
    g_autoptr (GError) local = NULL;

    if (run (late, late->writes->pdata[i], &local) || g_error_matches (local, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND))
      continue;
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return TRUE;
}

static void
tell_written (FacetStoreLate *late)
{
  gboolean told = late->tries >= TELL_AFTER;
  g_autoptr (GPtrArray) written = g_steal_pointer (&late->writes);

  late->writes = g_ptr_array_new_with_free_func (write_free);
  late->tries = 0;
  for (guint i = 0; i < written->len; i++) {
    const Write *write = written->pdata[i];

    if (write->end != NULL)
      facet_store_emit (late->store, "chat-changed", write->end->chat_id);
  }
  if (told)
    facet_store_emit_waiting (late->store, FALSE);
}

gboolean
facet_store_late_flush (FacetStoreLate *late, GError **error)
{
  int result;

  if (late->writes->len == 0)
    return TRUE;
  /* Not through the connection's own functions, which would log every try. */
  result = sqlite3_exec (late->db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (result != SQLITE_OK) {
    if (error != NULL)
      facet_store_db_set_error (late->db, result, error);
    return FALSE;
  }
  if (!facet_store_db_end (late->db, run_all (late, error), error))
    return FALSE;
  tell_written (late);
  return TRUE;
}

static gboolean
retry_cb (gpointer data)
{
  FacetStoreLate *late = data;

  if (facet_store_late_flush (late, NULL)) {
    late->timer = 0;
    return G_SOURCE_REMOVE;
  }
  if (++late->tries == TELL_AFTER)
    facet_store_emit_waiting (late->store, TRUE);
  return G_SOURCE_CONTINUE;
}

static Write *
find (FacetStoreLate *late, gboolean end, FacetStoreText which, gint64 id)
{
  for (guint i = 0; i < late->writes->len; i++) {
    Write *write = late->writes->pdata[i];

    if (write->id == id && (write->end != NULL) == end && (end || write->which == which))
      return write;
  }
  return NULL;
}

static void
keep (FacetStoreLate *late, Write *write)
{
  Write *old = find (late, write->end != NULL, write->which, write->id);

  if (old != NULL)
    g_ptr_array_remove (late->writes, old);
  g_ptr_array_add (late->writes, write);
  if (late->timer == 0)
    late->timer = g_timeout_add (RETRY_MS, retry_cb, late);
}

/* Whether a write that gave @failure is to be kept; else it is told. */
static gboolean
is_locked (GError *failure, GError **error)
{
  if (g_error_matches (failure, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY)) {
    g_error_free (failure);
    return TRUE;
  }
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
facet_store_late_set (FacetStoreLate *late, FacetStoreText which, gint64 id, const char *text, GError **error)
{
  GError *failure = NULL;
  Write *write;

  if (late->writes->len == 0) {
    if (facet_store_db_set_text (late->db, which, id, text, &failure))
      return TRUE;
    if (!is_locked (failure, error))
      return FALSE;
  }
  write = g_new0 (Write, 1);
  write->which = which;
  write->id = id;
  write->text = g_strdup (text);
  keep (late, write);
  return TRUE;
}

static gboolean
finish_now (FacetStoreLate *late, const FacetStoreMessage *end, GError **error)
{
  return facet_store_db_begin (late->db, error)
         && facet_store_db_end (late->db, facet_store_db_finish_message (late->db, end, error), error);
}

gboolean
facet_store_late_finish (FacetStoreLate *late, const FacetStoreMessage *end, GError **error)
{
  GError *failure = NULL;
  Write *write;

  if (late->writes->len == 0) {
    if (finish_now (late, end, &failure)) {
      facet_store_emit (late->store, "chat-changed", end->chat_id);
      return TRUE;
    }
    if (!is_locked (failure, error))
      return FALSE;
  }
  write = g_new0 (Write, 1);
  write->id = end->id;
  write->end = g_new0 (FacetStoreMessage, 1);
  write->end->id = end->id;
  write->end->chat_id = end->chat_id;
  write->end->status = end->status;
  write->end->text = g_strdup (end->text);
  write->end->thinking = g_strdup (end->thinking);
  write->end->stats = g_strdup (end->stats);
  write->end->failure = g_strdup (end->failure);
  keep (late, write);
  return TRUE;
}

const char *
facet_store_late_get (FacetStoreLate *late, FacetStoreText which, gint64 id)
{
  const Write *write = find (late, FALSE, which, id);

  return write != NULL ? write->text : NULL;
}

static void
replace (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

void
facet_store_late_apply (FacetStoreLate *late, FacetStoreMessage *message)
{
  const Write *write = find (late, TRUE, 0, message->id);
  const char *calls = facet_store_late_get (late, FACET_STORE_CALLS, message->id);
  const char *revision = facet_store_late_get (late, FACET_STORE_REVISION, message->id);

  if (calls != NULL)
    replace (&message->calls, calls);
  if (revision != NULL)
    replace (&message->revision, revision);
  if (write == NULL)
    return;
  message->status = write->end->status;
  replace (&message->text, write->end->text);
  replace (&message->thinking, write->end->thinking);
  replace (&message->stats, write->end->stats);
  replace (&message->failure, write->end->failure);
}
