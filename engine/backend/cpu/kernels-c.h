/* kernels-c.h - inside the reference kernels
 *
 * Every quantised type is read in groups of 32 elements, as 8-bit numbers with
 * a scale and a minimum for each half of 16. All reference kernels work on
 * these groups, so that one function a type defines what the type means.
 */
#pragma once

#include "backend/cpu/kernels.h"

/* Element i is scale[i / 16] * q[i] - min[i / 16]. */
typedef struct {
  int8_t q[32];
  float  scale[2];
  float  min[2];
} FacetGroup;

/* Reads group number @group of the row at @row. */
typedef void (*FacetGroupFunc) (const void *row, size_t group, FacetGroup *out);

/* NULL for F32, F16 and BF16, and for numbers that are no supported type. */
FacetGroupFunc facet_c_group_func (FacetDtype dtype);

/* Elements first .. first + n - 1 of a row of any type; both multiples of 32
 * when the type is quantised. */
void facet_c_dequantize (FacetDtype dtype, const void *row, size_t first, size_t n, float *dst);

void facet_kernels_init_c_matmul (FacetKernels *k);
void facet_kernels_init_c_attend (FacetKernels *k);
