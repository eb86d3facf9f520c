/* retype.h - the matrices of a file in another type
 *
 * The kit's projectors hold 32-bit floats; here they are quantised, in memory.
 */
#pragma once

#include "gguf/gguf.h"

/* Quantises the F32 matrices whose names begin with @prefix and whose rows are
 * whole blocks to @dtype (F16, BF16, Q8_0, Q4_0 or Q4_K) or, with @as_floats,
 * makes them what their numbers in that type are, as floats. @owned takes
 * their memory, with g_free().
 * Returns: how many were changed. */
int retype (FacetGguf *gguf, const char *prefix, FacetDtype dtype, gboolean as_floats, GPtrArray *owned);
/* The same for kernels of convolutions, ne = { k, k, in, out }, and @dtype F16
 * or BF16. */
int retype_kernels (FacetGguf *gguf, const char *prefix, FacetDtype dtype, gboolean as_floats, GPtrArray *owned);
