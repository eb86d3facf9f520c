/* facet-message.h - one message of a conversation, as the window shows it
 *
 * Mirrors a message of the store. Only FacetConversation and FacetReplier
 * write to it; everything else reads and follows its properties.
 *
 * Properties, readable with notify: "text", "thoughts", "phase" (strings; the last
 * says what is done for a RUNNING answer, and is kept nowhere), "calls"
 * (pointer, as facet_message_get_calls()), "status" (int, a FacetMessageStatus),
 * "siblings" (uint, how many branches there are here).
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <glib-object.h>

#include "store/facet-call-record.h"
#include "store/facet-store.h"

G_BEGIN_DECLS

#define FACET_TYPE_MESSAGE (facet_message_get_type ())
G_DECLARE_FINAL_TYPE (FacetMessage, facet_message, FACET, MESSAGE, GObject)

/* Takes @record. */
FacetMessage            *facet_message_new             (FacetStoreMessage *record);

/* The stored fields; valid until the message changes. */
const FacetStoreMessage *facet_message_get_record      (FacetMessage *self);

gint64                   facet_message_get_id          (FacetMessage *self);
const char              *facet_message_get_text        (FacetMessage *self);
gboolean                 facet_message_is_answer       (FacetMessage *self);
FacetMessageStatus       facet_message_get_status      (FacetMessage *self);

/* What the model thought before it answered, "" if nothing. */
const char              *facet_message_get_thoughts    (FacetMessage *self);

/* The calls of tools on the way to an answer.
 * Returns: (transfer none) (element-type FacetCallRecord). */
const GPtrArray         *facet_message_get_calls       (FacetMessage *self);

/* What is to take the place of the text while somebody still writes it; NULL:
 * nobody does. */
void                     facet_message_set_revision    (FacetMessage *self, const char *text);
const char              *facet_message_get_revision    (FacetMessage *self);

/* Stores it, if it is neither blank nor what stands there anyway. */
gboolean                 facet_message_save_revision   (FacetMessage *self, FacetStore *store, GError **error);

/* Takes @record, which must have the same id. */
void                     facet_message_update          (FacetMessage *self, FacetStoreMessage *record);

/* While RUNNING. */
void                     facet_message_append          (FacetMessage *self, const char *text, gsize length);
void                     facet_message_append_thought  (FacetMessage *self, const char *text, gsize length);

void                     facet_message_set_phase       (FacetMessage *self, const char *phase);

/* While RUNNING: takes @call; settles the call at @index, which was OPEN. */
void                     facet_message_add_call        (FacetMessage *self, FacetCallRecord *call);
void                     facet_message_settle_call     (FacetMessage  *self,
                                                        guint          index,
                                                        FacetCallState state,
                                                        const char    *result);

/* Ends an answer; @stats and @failure may be NULL. */
void                     facet_message_finish          (FacetMessage      *self,
                                                        FacetMessageStatus status,
                                                        const char        *stats,
                                                        const char        *failure);

/* RUNNING again, to be continued. */
void                     facet_message_resume          (FacetMessage *self);

G_END_DECLS
