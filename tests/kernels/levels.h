/* levels.h - the tables of kernels that this processor can run */
#pragma once

#include "backend/cpu/cpu-flags.h"
#include "backend/cpu/kernels.h"

#define MAX_LEVELS 8

typedef struct {
  const char  *name;
  FacetKernels table;
} Level;

/* Fills in each instruction set on top of the former ones, the reference
 * first. Returns: how many. */
int levels_get (Level levels[MAX_LEVELS]);
