/* facet-message-details.h - what belongs to a message beside its text */
#pragma once

#include <gtk/gtk.h>

#include "store/facet-store.h"

G_BEGIN_DECLS

/* A button with a popover: tokens per second, time to the first token, model
 * and backend of an answer. */
GtkWidget *facet_message_details_new    (void);
void       facet_message_details_update (GtkWidget *details, const FacetStoreMessage *record);

/* A sentence on how an answer came to its end. */
const char *facet_message_end_text      (FacetMessageStatus status);

/* Why an answer that is complete as far as the program goes lacks its end;
 * NULL: it does not. */
const char *facet_message_cut_text      (const FacetStoreMessage *record);

/* The engine's own words about a failure, folded away under "Details"; hidden
 * where there are none. */
GtkWidget *facet_message_failure_new    (void);
void       facet_message_failure_update (GtkWidget *failure, const FacetStoreMessage *record);

/* What the model thought, folded away; hidden where that is "". */
GtkWidget *facet_message_thoughts_new    (void);
void       facet_message_thoughts_update (GtkWidget *thoughts, const char *text, gboolean thinking);

/* An attached picture, decoded in a thread. */
GtkWidget *facet_message_picture_new    (const char *path, const char *name);

/* An attached sound, to be heard. */
GtkWidget *facet_message_sound_new      (const char *path, const char *name);

G_END_DECLS
