/* facet-attachment-chip.h - an attachment in the composer: picture or waveform, name, size */
#pragma once

#include <gtk/gtk.h>

#include "composer/facet-attachment.h"

G_BEGIN_DECLS

/* A sound can be heard. @removed is called with the attachment when its button is pressed. */
GtkWidget *facet_attachment_chip_new (FacetAttachment *attachment,
                                      GSettings       *settings,
                                      void (*removed) (FacetAttachment *attachment, gpointer user_data),
                                      gpointer         user_data);

G_END_DECLS
