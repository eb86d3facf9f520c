#define G_LOG_DOMAIN "facet-store"

#include "facet-store-private.h"

/* What was deleted moves, too, so that undo finds its place. */
static gboolean
move_following (FacetStoreDb *db, gint64 chat_id, gint64 from, gint64 to, GError **error)
{
  gint64 shown = facet_store_db_number (db, 0, "SELECT active_child FROM messages WHERE id = ?", "i", from);

  return facet_store_db_run (db, error, "UPDATE messages SET parent_id = ? WHERE chat_id = ? AND parent_id = ?", "iii", to,
                             chat_id, from)
         && facet_store_db_set_active_child (db, chat_id, to, shown, error)
         && facet_store_db_set_active_child (db, chat_id, from, 0, error);
}

static gint64
correct (FacetStoreDb *db, const FacetStoreMessage *message, const FacetStoreMessage *correction, GError **error)
{
  FacetStoreMessage record = *correction;
  gint64 id;

  record.chat_id = message->chat_id;
  record.parent_id = message->parent_id;
  id = facet_store_db_add_message (db, &record, error);
  return id != 0 && move_following (db, message->chat_id, message->id, id, error)
         && facet_store_db_set_text (db, FACET_STORE_REVISION, message->id, "", error) ? id : 0;
}

gboolean
facet_store_set_revision (FacetStore *self, gint64 message_id, const char *revision, GError **error)
{
  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  return facet_store_late_set (facet_store_get_late (self), FACET_STORE_REVISION, message_id, revision, error);
}

gint64
facet_store_correct_message (FacetStore *self, gint64 message_id, const FacetStoreMessage *correction, GError **error)
{
  g_autoptr (FacetStoreMessage) message = NULL;
  FacetStoreDb *db;
  gint64 id;

  g_return_val_if_fail (FACET_IS_STORE (self) && correction != NULL, 0);

  db = facet_store_get_db (self);
  message = facet_store_db_get_message (db, message_id, error);
  /* its revision must not come after this */
  if (message == NULL || !facet_store_late_flush (facet_store_get_late (self), error) || !facet_store_db_begin (db, error))
    return 0;
  id = correct (db, message, correction, error);
  if (!facet_store_db_end (db, id != 0, error))
    return 0;
  facet_store_emit (self, "chat-changed", message->chat_id);
  return id;
}

/* A correction that was deleted meanwhile keeps what was deleted with it. */
static gboolean
uncorrect (FacetStoreDb *db, const FacetStoreMessage *correction, gint64 message_id, GError **error)
{
  gboolean there = facet_store_db_number (db, 0, "SELECT deleted = 0 FROM messages WHERE id = ?", "i", correction->id) != 0;

  return (!there || (move_following (db, correction->chat_id, correction->id, message_id, error)
                     && facet_store_db_hide_message (db, correction, error)))
         && facet_store_db_show_message (db, message_id, error);
}

gboolean
facet_store_uncorrect_message (FacetStore *self, gint64 correction_id, gint64 message_id, GError **error)
{
  g_autoptr (FacetStoreMessage) correction = NULL;
  FacetStoreDb *db;

  g_return_val_if_fail (FACET_IS_STORE (self), FALSE);

  db = facet_store_get_db (self);
  correction = facet_store_db_get_message (db, correction_id, error);
  if (correction == NULL || !facet_store_db_begin (db, error))
    return FALSE;
  return facet_store_db_end (db, uncorrect (db, correction, message_id, error), error);
}
