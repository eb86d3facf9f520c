/* facet-math.h - TeX formulas as Unicode text
 *
 * Models write formulas in TeX. What has a character becomes it (α, ≤, x², aᵢ),
 * fractions are written in one line, (a + b)/2, what only sets the type is left
 * out. Commands that are not known stay as they are, so that nothing is lost.
 *
 * Thread-safety: safe, values only.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @tex is what stands between the dollar signs; rows of a formula become
 * lines. NULL: it is nested too deeply, or no UTF-8. Returns: (transfer full). */
char *facet_math_to_text (const char *tex, gsize length);

G_END_DECLS
