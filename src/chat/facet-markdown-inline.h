/* facet-markdown-inline.h - the inside of a Markdown paragraph as Pango markup */
#pragma once

#include <glib.h>

#include <cmark-gfm.h>

G_BEGIN_DECLS

/* Cut at a blank into pieces of about @piece characters; tags that are open
 * at a cut are closed and opened again.
 * Returns: (transfer full) (element-type utf8): at least one piece. */
GPtrArray *facet_markdown_inlines (cmark_node *parent, guint piece);

G_END_DECLS
