/* facet-chat-view.h - a conversation as a scrolling list of messages
 *
 * Follows the end while it is shown there, and stays where it is when the
 * person has scrolled up. Only the last messages get widgets at first; more
 * are added when the top is reached. Away from the end, a button leads back.
 *
 * # Accessibility: role LOG.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

#include "chat/facet-conversation.h"

G_BEGIN_DECLS

#define FACET_TYPE_CHAT_VIEW (facet_chat_view_get_type ())
G_DECLARE_FINAL_TYPE (FacetChatView, facet_chat_view, FACET, CHAT_VIEW, AdwBin)

GtkWidget     *facet_chat_view_new              (void);
void           facet_chat_view_set_conversation (FacetChatView *self, FacetConversation *conversation);
void           facet_chat_view_scroll_to_end    (FacetChatView *self);

/* Scrolls there and moves the focus to the last message. */
void           facet_chat_view_jump_to_end      (FacetChatView *self);

/* Moves the focus to @message, if it is among those that have a row. */
void           facet_chat_view_focus_message    (FacetChatView *self, FacetMessage *message);
gboolean       facet_chat_view_is_at_end        (FacetChatView *self);

G_END_DECLS
