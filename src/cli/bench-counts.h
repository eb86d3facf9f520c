/* bench-counts.h - what a graphics device moves and computes */
#pragma once

#include "options.h"

/* Counts a step that writes one token behind @depth others and one that reads
 * @rows (0: leaves it out), kernel by kernel, and prints both beside what is
 * necessary. Reports any error itself. Returns: the exit status. */
int bench_counts (const Options *options, int rows, int depth);
