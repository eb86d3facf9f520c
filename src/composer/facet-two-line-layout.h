/* facet-two-line-layout.h - four children in one line where they fit, else in two
 *
 * The first and the last stand at the ends. Between them come the second, as
 * wide as it likes, and the third, which takes the rest. Where that is less
 * than they would like, the second gets a line of its own above the others.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FACET_TYPE_TWO_LINE_LAYOUT (facet_two_line_layout_get_type ())
G_DECLARE_FINAL_TYPE (FacetTwoLineLayout, facet_two_line_layout, FACET, TWO_LINE_LAYOUT, GtkLayoutManager)

/* @spacing: between children and lines, in pixels. */
GtkLayoutManager *facet_two_line_layout_new (int spacing);

G_END_DECLS
