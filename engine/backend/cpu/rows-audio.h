/* rows-audio.h - the row-wise operations of the sound encoders on the CPU */
#pragma once

#include "backend/cpu/rows.h"

void facet_cpu_row_reshape         (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_relu            (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_silu            (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_clamp           (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_glu             (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_causal_conv     (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_local_attention (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_every           (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_cum_stats       (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_cum_norm        (const FacetCpuRun *run, int node, int row);
