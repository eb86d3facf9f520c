/* rows-altup.h - the row-wise operations of Gemma 3n's decoder on the CPU */
#pragma once

#include "backend/cpu/rows.h"

void facet_cpu_row_concat        (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_match_rms     (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_gaussian_topk (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_altup_predict (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_altup_correct (const FacetCpuRun *run, int node, int row);
void facet_cpu_row_altup_inject  (const FacetCpuRun *run, int node, int row);
