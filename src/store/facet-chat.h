/* facet-chat.h - one entry of the list of chats
 *
 * A GObject only so that list rows can bind to it. Its properties follow the
 * store; write through the store's functions, never here.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define FACET_TYPE_CHAT (facet_chat_get_type ())
G_DECLARE_FINAL_TYPE (FacetChat, facet_chat, FACET, CHAT, GObject)

/* Properties, all readable with notify: "id" (int64), "title" (string, never
 * NULL, may be ""), "pinned" (boolean), "created" and "updated" (int64,
 * microseconds since 1970 UTC). */
gint64      facet_chat_get_id      (FacetChat *self);
const char *facet_chat_get_title   (FacetChat *self);
gboolean    facet_chat_get_pinned  (FacetChat *self);
gint64      facet_chat_get_updated (FacetChat *self);

G_END_DECLS
