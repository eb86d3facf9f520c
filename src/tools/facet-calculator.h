/* facet-calculator.h - arithmetic for the model, which is bad at it
 *
 * Numbers (decimal, with exponent), + - * / % ^ ! and parentheses, the
 * constants pi and e, and functions: sqrt cbrt exp ln log10 log2 sin cos tan
 * asin acos atan sinh cosh tanh abs floor ceil round trunc, min and max of
 * any number of values, pow, hypot, atan2, gcd. "**" is "^", which binds from
 * the right and tighter than a sign before it; % is the remainder. In double
 * precision. No variables, no assignments.
 */
#pragma once

#include <glib.h>

/* Messages are for the model and name the byte. */
#define FACET_CALCULATOR_ERROR (g_quark_from_static_string ("facet-calculator"))

gboolean facet_calculator_evaluate (const char *expression, double *value, GError **error);
