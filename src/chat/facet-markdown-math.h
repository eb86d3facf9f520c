/* facet-markdown-math.h - formulas in Markdown
 *
 * $…$ within a line, $$…$$, \(…\) and \[…\] within a paragraph. Code stays as
 * it is, and so do amounts of money: what stands between single dollar signs
 * must touch them, and hold no words unless it is TeX.
 *
 * Thread-safety: safe, values only.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns: (transfer full) (nullable): @text with the formulas as text (chat/facet-math.h)
 * that Markdown leaves alone, and as many lines; NULL: there are none. */
char *facet_markdown_replace_math (const char *text, gsize length);

G_END_DECLS
