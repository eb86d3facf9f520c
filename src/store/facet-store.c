#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "facet-store-private.h"

/* Write-ahead log pages after which they are moved into the database. */
#define CHECKPOINT_PAGES 1000

typedef struct _Checkpoint Checkpoint;

typedef enum {
  CHECKPOINT_IDLE,
  CHECKPOINT_QUEUED,
  CHECKPOINT_RUNNING,
} CheckpointState;

struct _FacetStore {
  GObject         parent_instance;

  FacetStoreDb   *db;
  FacetStoreLate *late;
  Checkpoint     *checkpoint;
  int             lock; /* of a READ_WRITE store, else -1 */
};

enum {
  CHAT_ADDED,
  CHAT_CHANGED,
  CHAT_REMOVED,
  WAITING,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FacetStore, facet_store, G_TYPE_OBJECT)

/* Shared with the thread that checkpoints. */
struct _Checkpoint {
  GMutex          mutex;
  GCond           changed;
  CheckpointState state;
  char           *directory;
};

static void
checkpoint_clear (gpointer data)
{
  Checkpoint *checkpoint = data;

  g_mutex_clear (&checkpoint->mutex);
  g_cond_clear (&checkpoint->changed);
  g_free (checkpoint->directory);
}

static void
checkpoint_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, checkpoint_clear);
}

/* From @from to @to, or FALSE. */
static gboolean
checkpoint_turn (Checkpoint *self, CheckpointState from, CheckpointState to)
{
  gboolean turned;

  g_mutex_lock (&self->mutex);
  turned = self->state == from;
  if (turned)
    self->state = to;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->mutex);
  return turned;
}

/* Once the store is closed no other connection of it may touch the files: they may be moved, replaced or removed. */
static void
checkpoint_end (Checkpoint *self)
{
  if (checkpoint_turn (self, CHECKPOINT_QUEUED, CHECKPOINT_IDLE))
    return;
  g_mutex_lock (&self->mutex);
  while (self->state == CHECKPOINT_RUNNING)
    g_cond_wait (&self->changed, &self->mutex);
  g_mutex_unlock (&self->mutex);
}

static void
facet_store_finalize (GObject *object)
{
  FacetStore *self = FACET_STORE (object);

  g_clear_pointer (&self->late, facet_store_late_free);
  if (self->checkpoint != NULL)
    checkpoint_end (self->checkpoint);
  g_clear_pointer (&self->db, facet_store_db_close);
  g_clear_pointer (&self->checkpoint, checkpoint_unref);
  facet_store_unlock (&self->lock);
  G_OBJECT_CLASS (facet_store_parent_class)->finalize (object);
}

static void
facet_store_class_init (FacetStoreClass *klass)
{
  static const char *const names[N_SIGNALS] = { "chat-added", "chat-changed", "chat-removed", "waiting" };

  G_OBJECT_CLASS (klass)->finalize = facet_store_finalize;
  for (int i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], FACET_TYPE_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, 1, i == WAITING ? G_TYPE_BOOLEAN : G_TYPE_INT64);
}

static void
facet_store_init (FacetStore *self)
{
  self->lock = -1;
}

FacetStoreDb *
facet_store_get_db (FacetStore *self)
{
  return self->db;
}

FacetStoreLate *
facet_store_get_late (FacetStore *self)
{
  return self->late;
}

void
facet_store_emit (FacetStore *self, const char *signal, gint64 chat_id)
{
  g_signal_emit_by_name (self, signal, chat_id);
}

void
facet_store_emit_waiting (FacetStore *self, gboolean waiting)
{
  g_signal_emit (self, signals[WAITING], 0, waiting);
}

void
facet_store_set_patient (FacetStore *self, gboolean patient)
{
  g_return_if_fail (FACET_IS_STORE (self));

  sqlite3_busy_timeout (self->db->handle, patient ? FACET_STORE_LAST_WAIT_MS : FACET_STORE_PATIENCE_MS);
}

const char *
facet_store_get_directory (FacetStore *self)
{
  g_return_val_if_fail (FACET_IS_STORE (self), NULL);

  return self->db->directory;
}

char *
facet_store_default_directory (void)
{
  return g_build_filename (g_get_user_data_dir (), "facet", NULL);
}

void
facet_store_recovery_clear (FacetStoreRecovery *recovery)
{
  g_clear_pointer (&recovery->moved_to, g_free);
  recovery->chats = recovery->messages = 0;
}

static void
checkpoint_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Checkpoint *checkpoint = data;

  if (checkpoint_turn (checkpoint, CHECKPOINT_QUEUED, CHECKPOINT_RUNNING)) {
    FacetStoreDb *db = facet_store_db_open (checkpoint->directory, FALSE, NULL);

    if (db != NULL) {
      sqlite3_wal_checkpoint_v2 (db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
      facet_store_db_close (db);
    }
    checkpoint_turn (checkpoint, CHECKPOINT_RUNNING, CHECKPOINT_IDLE);
  }
  g_task_return_boolean (task, TRUE);
}

/* SQLite would checkpoint, and wait for the disk, inside a commit of the
 * owner's thread. */
static int
committed_cb (void *data, sqlite3 *handle, const char *name, int pages)
{
  Checkpoint *checkpoint = data;

  if (pages >= CHECKPOINT_PAGES && checkpoint_turn (checkpoint, CHECKPOINT_IDLE, CHECKPOINT_QUEUED)) {
    g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

    g_task_set_task_data (task, g_atomic_rc_box_acquire (checkpoint), checkpoint_unref);
    g_task_run_in_thread (task, checkpoint_thread);
  }
  return SQLITE_OK;
}

static gboolean
tidy_up (FacetStore *self, GError **error)
{
  g_autofree char *stop = g_strdup_printf ("UPDATE messages SET status = %d WHERE status = %d",
                                           FACET_MESSAGE_STOPPED, FACET_MESSAGE_RUNNING);

  return facet_store_db_script (self->db, stop, error) && facet_store_purge (self, 24 * 3600, error);
}

static FacetStore *
open_once (const char *directory, FacetStoreMode mode, GError **error)
{
  g_autoptr (FacetStore) self = g_object_new (FACET_TYPE_STORE, NULL);

  self->db = facet_store_db_open (directory, mode == FACET_STORE_READ_ONLY, error);
  if (self->db != NULL)
    sqlite3_busy_timeout (self->db->handle, FACET_STORE_PATIENCE_MS);
  if (self->db == NULL || !facet_store_schema_prepare (self->db, error))
    return NULL;
  self->late = facet_store_late_new (self, self->db);
  if (mode == FACET_STORE_READ_WRITE) {
    self->checkpoint = g_atomic_rc_box_new0 (Checkpoint);
    g_mutex_init (&self->checkpoint->mutex);
    g_cond_init (&self->checkpoint->changed);
    self->checkpoint->directory = g_strdup (directory);
    sqlite3_wal_hook (self->db->handle, committed_cb, self->checkpoint);
    if (!tidy_up (self, error))
      return NULL;
  }
  return g_steal_pointer (&self);
}

FacetStore *
facet_store_open (const char *directory, FacetStoreMode mode, FacetStoreRecovery *recovery, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *mark = NULL;
  FacetStore *self = NULL;
  gboolean damaged;
  int lock = -1;

  g_return_val_if_fail (directory != NULL, NULL);

  if (recovery != NULL)
    *recovery = (FacetStoreRecovery) { 0 };
  if (mode == FACET_STORE_READ_WRITE && !facet_store_lock (directory, &lock, error))
    return NULL;
  mark = facet_store_damage_path (directory);
  damaged = g_file_test (mark, G_FILE_TEST_EXISTS);
  if (!damaged || mode == FACET_STORE_READ_ONLY) {
    self = open_once (directory, mode, &local);
    damaged = g_error_matches (local, FACET_STORE_ERROR, FACET_STORE_ERROR_CORRUPT);
  }
  if (damaged && mode == FACET_STORE_READ_WRITE) {
    g_clear_error (&local);
    if (facet_store_repair (directory, recovery, &local))
      self = open_once (directory, mode, &local);
  }
  if (self != NULL)
    self->lock = lock;
  else
    facet_store_unlock (&lock);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return self;
}

FacetStoreDb *
facet_store_db_for_task (GTask *task, GError **error)
{
  FacetStore *self = g_task_get_source_object (task);

  return facet_store_db_open (self->db->directory, self->db->read_only, error);
}

static void
check_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (FacetStoreDb) db = facet_store_db_for_task (task, &error);
  gulong watch = db ? facet_store_db_watch (db, cancellable) : 0;
  gboolean ok = db != NULL && facet_store_schema_check (db, &error);

  facet_store_db_unwatch (cancellable, watch);
  g_clear_pointer (&db, facet_store_db_close);
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
facet_store_check_async (FacetStore *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (FACET_IS_STORE (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, facet_store_check_async);
  g_task_run_in_thread (task, check_thread);
}

gboolean
facet_store_check_finish (FacetStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

gboolean
facet_store_purge (FacetStore *self, int min_age, GError **error)
{
  gboolean ok;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  if (!facet_store_db_begin (self->db, error))
    return FALSE;
  ok = facet_store_db_script (self->db,
                              "DELETE FROM chats WHERE deleted <> 0; DELETE FROM messages WHERE deleted <> 0", error);
  return facet_store_db_end (self->db, ok, error) && facet_store_drop_unused_files (self->db, min_age, error);
}
