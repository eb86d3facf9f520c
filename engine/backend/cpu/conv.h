/* conv.h - convolutions over maps on the CPU
 *
 * A map is [map rows * map cols, channels]. Borders are padded with zeros to
 * ceil (n / stride) values a side, the smaller half first ("same").
 */
#pragma once

#include "backend/cpu/rows.h"

/* Output rows of a dense convolution that share one gathering of patches. */
#define FACET_CONV_ROWS 256

void  facet_cpu_step_conv     (FacetCpuRun *run, const FacetCpuStep *step, int member);
/* Bytes of scratch that a member needs for patches of @k values. */
gsize facet_cpu_conv_scratch  (gsize k);

void  facet_cpu_row_patches   (const FacetCpuRun *run, int node, int row);
void  facet_cpu_row_depthwise (const FacetCpuRun *run, int node, int row);
void  facet_cpu_row_upsample  (const FacetCpuRun *run, int node, int row);
