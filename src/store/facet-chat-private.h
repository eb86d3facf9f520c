/* facet-chat-private.h - what the list does to its entries */
#pragma once

#include "facet-chat.h"
#include "facet-store.h"

G_BEGIN_DECLS

/* Both take @record. */
FacetChat *facet_chat_new    (FacetChatRecord *record);
void       facet_chat_update (FacetChat *self, FacetChatRecord *record);

G_END_DECLS
