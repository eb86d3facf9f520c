/* facet-chat-list.h - all chats of a store as a GListModel of FacetChat
 *
 * Pinned chats first, then the most recently updated. Follows the store while
 * both live: a deleted chat leaves the list at once and returns on undo. A
 * chat keeps its FacetChat object when it moves.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gio/gio.h>

#include "facet-chat.h"
#include "facet-store.h"

G_BEGIN_DECLS

#define FACET_TYPE_CHAT_LIST (facet_chat_list_get_type ())
G_DECLARE_FINAL_TYPE (FacetChatList, facet_chat_list, FACET, CHAT_LIST, GObject)

FacetChatList *facet_chat_list_new  (FacetStore *store);

/* Returns: (transfer none) (nullable): the chat of that id. */
FacetChat     *facet_chat_list_find (FacetChatList *self, gint64 chat_id);

G_END_DECLS
