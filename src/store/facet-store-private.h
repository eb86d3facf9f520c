/* facet-store-private.h - the store's connection, for its other source files */
#pragma once

#include "facet-store-late.h"

G_BEGIN_DECLS

FacetStoreDb   *facet_store_get_db   (FacetStore *self);
FacetStoreLate *facet_store_get_late (FacetStore *self);

/* Emits "chat-added", "chat-changed" or "chat-removed". */
void            facet_store_emit         (FacetStore *self, const char *signal, gint64 chat_id);
void            facet_store_emit_waiting (FacetStore *self, gboolean waiting);

/* A task's own connection, of the same mode as the store's. */
FacetStoreDb *facet_store_db_for_task (GTask *task, GError **error);

/* ---- one owner at a time (facet-store-lock.c) ---- */

/* Fails with BUSY while another READ_WRITE store has the folder open, also in
 * this process. @lock is -1 where the system cannot tell. */
gboolean facet_store_lock   (const char *directory, int *lock, GError **error);
void     facet_store_unlock (int *lock);

/* ---- writes that may come late ---- */

gboolean facet_store_db_set_text       (FacetStoreDb *db, FacetStoreText which, gint64 id, const char *text, GError **error);
void     facet_store_set_no_message    (GError **error);
/* Within a transaction. */
gboolean facet_store_db_finish_message (FacetStoreDb *db, const FacetStoreMessage *end, GError **error);

/* ---- shared by the store and the import; within a transaction ---- */

gint64   facet_store_db_add_chat       (FacetStoreDb *db,
                                        const char   *title,
                                        gboolean      pinned,
                                        gint64        created,
                                        gint64        updated,
                                        GError      **error);
gint64   facet_store_db_add_message    (FacetStoreDb *db, const FacetStoreMessage *message, GError **error);
gboolean facet_store_db_show_message   (FacetStoreDb *db, gint64 message_id, GError **error);

/* ---- the tree of messages; the last two within a transaction ---- */

FacetStoreMessage *facet_store_db_get_message (FacetStoreDb *db, gint64 message_id, GError **error);
gboolean facet_store_db_hide_message (FacetStoreDb *db, const FacetStoreMessage *message, GError **error);

/* Makes @child_id (0: none) what is shown below @parent_id. */
gboolean facet_store_db_set_active_child (FacetStoreDb *db,
                                          gint64        chat_id,
                                          gint64        parent_id,
                                          gint64        child_id,
                                          GError      **error);

/* Messages of one chat: its branch, or all that are not deleted, parents
 * before their children. */
GPtrArray *facet_store_db_get_messages (FacetStoreDb *db, gint64 chat_id, gboolean all, GError **error);
GPtrArray *facet_store_db_list_chats   (FacetStoreDb *db, GError **error);

/* Writes the bytes of @stream below @directory, at most @limit of them. Needs
 * no connection. */
FacetStoreAttachment *facet_store_take_stream (const char           *directory,
                                               FacetAttachmentKind   kind,
                                               GInputStream         *stream,
                                               const char           *name,
                                               const char           *mime,
                                               GCancellable         *cancellable,
                                               GError              **error);
char                 *facet_store_file_path   (const char *directory, const FacetStoreAttachment *attachment);
gboolean              facet_store_drop_unused_files (FacetStoreDb *db, int min_age, GError **error);

/* ---- names in exports (facet-store-names.c); -1: no such name ---- */

const char *facet_store_role_name        (FacetStoreRole role);
const char *facet_store_status_name      (FacetMessageStatus status);
const char *facet_store_kind_name        (FacetAttachmentKind kind);
int         facet_store_role_from_name   (const char *name);
int         facet_store_status_from_name (const char *name);
int         facet_store_kind_from_name   (const char *name);

#define FACET_EXPORT_NAME "facet-chats"
#define FACET_EXPORT_VERSION 1

G_END_DECLS
