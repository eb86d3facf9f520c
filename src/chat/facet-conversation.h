/* facet-conversation.h - the shown branch of a chat as a GListModel
 *
 * The items are FacetMessage, from the top to the last one. The store holds
 * the truth: every function writes there first and then brings the list in
 * line; messages keep their object while they stay in the branch. A new
 * conversation gets its chat in the store with its first message.
 *
 * Errors are those of the store: translated sentences.
 *
 * The chat's choices and its draft belong to it, too. Before there is a chat
 * they are those of the next new one, which the store keeps as well; the next
 * chat after it begins with tools and thinking as they were last.
 *
 * Properties that notify: "chat-id" (int64, 0 until there is a chat), "options"
 * (pointer, as facet_conversation_get_options()).
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gio/gio.h>

#include "chat/facet-chat-options.h"
#include "chat/facet-message.h"

G_BEGIN_DECLS

#define FACET_TYPE_CONVERSATION (facet_conversation_get_type ())
G_DECLARE_FINAL_TYPE (FacetConversation, facet_conversation, FACET, CONVERSATION, GObject)

FacetConversation *facet_conversation_new  (FacetStore *store);
FacetConversation *facet_conversation_open (FacetStore *store, gint64 chat_id, GError **error);

FacetStore        *facet_conversation_get_store   (FacetConversation *self);
gint64             facet_conversation_get_chat_id (FacetConversation *self);
guint              facet_conversation_get_length  (FacetConversation *self);

/* Returns: (transfer none) (nullable) */
FacetMessage      *facet_conversation_get_message (FacetConversation *self, guint index);
FacetMessage      *facet_conversation_get_last    (FacetConversation *self);

/* -1 if @message is not in the shown branch. */
int                facet_conversation_find        (FacetConversation *self, FacetMessage *message);

/* Returns: (transfer none): until they change. */
const FacetChatOptions *facet_conversation_get_options (FacetConversation *self);
gboolean           facet_conversation_set_mode     (FacetConversation *self, const char *mode, GError **error);
gboolean           facet_conversation_set_tools    (FacetConversation *self, gboolean tools, GError **error);
gboolean           facet_conversation_set_thinking (FacetConversation *self, gboolean thinking, GError **error);

/* @tool is not asked about any more in this chat; NULL: all are again. */
gboolean           facet_conversation_allow_tool   (FacetConversation *self, const char *tool, GError **error);

/* Text that was not sent. Returns: (transfer full). */
char              *facet_conversation_get_draft    (FacetConversation *self, GError **error);
gboolean           facet_conversation_set_draft    (FacetConversation *self, const char *draft, GError **error);

/* Stores what is being written in place of messages (facet_message_get_revision()). */
gboolean           facet_conversation_save_revisions (FacetConversation *self, GError **error);

/* Stores a question below the last message; with @instead_of, as a new branch
 * in that message's place. @attachments (element-type FacetStoreAttachment)
 * and @mode may be NULL.
 * Returns: (transfer none) */
FacetMessage      *facet_conversation_ask         (FacetConversation *self,
                                                   const char        *text,
                                                   GPtrArray         *attachments,
                                                   const char        *mode,
                                                   FacetMessage      *instead_of,
                                                   GError           **error);

/* Stores a RUNNING answer to @question, beside earlier answers to it.
 * Returns: (transfer none) */
FacetMessage      *facet_conversation_begin_answer (FacetConversation *self,
                                                    FacetMessage      *question,
                                                    const char        *model,
                                                    GError           **error);

/* Stores @text in place of what @answer says, as a branch beside it that is
 * marked as edited and shown; calls of tools come before it. Later turns follow
 * this text from now on. Returns: (transfer none) */
FacetMessage      *facet_conversation_correct      (FacetConversation *self,
                                                    FacetMessage      *answer,
                                                    const char        *text,
                                                    GError           **error);

/* Undoes that: the correction is deleted, @original shown again with what
 * follows. */
gboolean           facet_conversation_uncorrect    (FacetConversation *self,
                                                    gint64             correction,
                                                    gint64             original,
                                                    GError           **error);

gboolean           facet_conversation_show_sibling (FacetConversation *self,
                                                    FacetMessage      *message,
                                                    guint              index,
                                                    GError           **error);

/* Hides the message with what follows it, or brings it back. */
gboolean           facet_conversation_set_deleted  (FacetConversation *self,
                                                    gint64             message_id,
                                                    gboolean           deleted,
                                                    GError           **error);

G_END_DECLS
