/* facet-message-row.h - one message in the conversation
 *
 * Activates the actions "chat.copy", "chat.regenerate", "chat.continue",
 * "chat.edit", "chat.delete" (each with the message's id, int64) and
 * "chat.branch" (id and index, (xu)) of an ancestor. Signal "growing": before
 * a part of a long text is added above what is shown.
 *
 * # Accessibility: the row is named by its author; while an answer runs it is
 * busy, its end is announced once by a short alert.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

#include "chat/facet-message.h"

G_BEGIN_DECLS

#define FACET_TYPE_MESSAGE_ROW (facet_message_row_get_type ())
G_DECLARE_FINAL_TYPE (FacetMessageRow, facet_message_row, FACET, MESSAGE_ROW, GtkListBoxRow)

GtkWidget *facet_message_row_new (FacetMessage *message, FacetStore *store);

G_END_DECLS
