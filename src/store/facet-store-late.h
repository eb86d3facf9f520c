/* facet-store-late.h - writes that wait until another program lets go of the chats (internal)
 *
 * The owner's thread hardly waits for a lock (FACET_STORE_PATIENCE_MS). What
 * must not get lost and has nobody who would try again - the end of an answer,
 * calls of tools, drafts, choices - is kept here while the database is locked,
 * and written once it is free: the main loop tries five times a second. Until
 * then what the store reads is brought up to date from here.
 *
 * Of each value only the latest is kept; all are written in one transaction,
 * in the order in which they came.
 *
 * Thread-safety: the owner's thread.
 */
#pragma once

#include "facet-store-db.h"

G_BEGIN_DECLS

/* How long a call of the owner's waits for a lock, for a commit of another
 * connection of the same program. */
#define FACET_STORE_PATIENCE_MS 10

/* Likewise where nobody would try again. */
#define FACET_STORE_LAST_WAIT_MS 10000

typedef enum {
  FACET_STORE_DRAFT,    /* of a chat; 0: of the next new one */
  FACET_STORE_OPTIONS,  /* likewise */
  FACET_STORE_CALLS,    /* of a message */
  FACET_STORE_REVISION, /* likewise */
} FacetStoreText;

typedef struct FacetStoreLate FacetStoreLate;

/* Emits the store's "waiting" and, for what it writes, "chat-changed". Store
 * and connection outlive it. */
FacetStoreLate *facet_store_late_new   (FacetStore *store, FacetStoreDb *db);

/* Waits FACET_STORE_LAST_WAIT_MS for the lock; what cannot be written even then is lost,
 * as the log says. */
void            facet_store_late_free  (FacetStoreLate *late);

/* Write now, or keep a copy if the database is locked or others wait already.
 * Fail as any write for other reasons. Of @end id, status, text, thinking,
 * stats and failure count. */
gboolean        facet_store_late_set    (FacetStoreLate *late, FacetStoreText which, gint64 id, const char *text, GError **error);
gboolean        facet_store_late_finish (FacetStoreLate *late, const FacetStoreMessage *end, GError **error);

/* Writes what waits, for what must come after it. FALSE: still locked. */
gboolean        facet_store_late_flush  (FacetStoreLate *late, GError **error);

/* What waits; NULL: nothing. */
const char     *facet_store_late_get    (FacetStoreLate *late, FacetStoreText which, gint64 id);
/* Brings a message that was read up to date. */
void            facet_store_late_apply  (FacetStoreLate *late, FacetStoreMessage *message);

G_END_DECLS
