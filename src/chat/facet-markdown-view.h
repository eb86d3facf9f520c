/* facet-markdown-view.h - Markdown as widgets, growing at its end
 *
 * One widget per block. When the text grows only the blocks after the last
 * settled place are parsed again, and of these only the ones that differ are
 * laid out again. Of a long text that is set at once the end is laid out
 * first, the rest a piece in each frame; signal "growing" comes
 * before each, as what is below moves.
 *
 * Each paragraph takes its own direction from its text; code runs left to
 * right. A link asks before it opens a browser.
 *
 * # Accessibility: labels are selectable and expose their text; the copy
 * button of a code block is named.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FACET_TYPE_MARKDOWN_VIEW (facet_markdown_view_get_type ())
G_DECLARE_FINAL_TYPE (FacetMarkdownView, facet_markdown_view, FACET, MARKDOWN_VIEW, GtkBox)

GtkWidget *facet_markdown_view_new      (void);

/* @whole: no more will come; everything is parsed once more, since a link
 * may have been defined after its use. */
void       facet_markdown_view_set_text (FacetMarkdownView *self, const char *text, gboolean whole);

G_END_DECLS
