/* facet-block-widgets.h - a widget for each kind of Markdown block */
#pragma once

#include <gtk/gtk.h>

#include "facet-markdown.h"

G_BEGIN_DECLS

/* Returns: (transfer floating): shows @block. */
GtkWidget *facet_block_widget_new    (const FacetBlock *block);

/* Shows @block in a widget made for @shown if they are of one shape (the
 * same kind and place, only the words differ); else FALSE. */
gboolean   facet_block_widget_update (GtkWidget *widget, const FacetBlock *shown, const FacetBlock *block);

G_END_DECLS
