/* table-columns.h - parts of rows of tables that stay in the file's map */
#pragma once

#include <glib.h>
#include "backend/cpu/kernels.h"

/* Writes columns first .. first + n - 1 of @row as floats; blocks that reach
 * beyond them are read whole. */
void facet_dequantize_columns (const FacetKernels *k, FacetDtype dtype, const guint8 *row, int first, int n, float *y);
