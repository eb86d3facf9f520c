/* facet-math-symbols.h - what TeX's commands and scripts look like as Unicode text
 *
 * Thread-safety: safe, constant tables.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FACET_MATH_ORDINARY, /* as a letter: α */
  FACET_MATH_OPERATOR, /* between spaces: ≤ */
  FACET_MATH_FUNCTION, /* a word before its argument: sin */
  FACET_MATH_NAME,     /* of an alphabet; its argument is text: \mathrm */
  FACET_MATH_ACCENT,   /* text is the combining character that follows each letter */
  FACET_MATH_NOTHING,  /* only says how something is set: \left */
} FacetMathKind;

typedef struct {
  const char   *name; /* without the backslash */
  FacetMathKind kind;
  const char   *text;
} FacetMathSymbol;

/* NULL: not known. */
const FacetMathSymbol *facet_math_symbol (const char *name);

/* 0: there is no such character. */
gunichar facet_math_superscript (gunichar letter);
gunichar facet_math_subscript   (gunichar letter);

/* Double-struck as ℝ; @letter itself where there is no such character. */
gunichar facet_math_double_struck (gunichar letter);

G_END_DECLS
