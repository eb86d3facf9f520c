/* facet-attachment-chip.h - an attachment in the composer: picture, name, size */
#pragma once

#include <gtk/gtk.h>

#include "composer/facet-attachment.h"

G_BEGIN_DECLS

/* @removed is called with the attachment when its button is pressed. */
GtkWidget *facet_attachment_chip_new (FacetAttachment *attachment,
                                      void (*removed) (FacetAttachment *attachment, gpointer user_data),
                                      gpointer         user_data);

G_END_DECLS
