/* bench-image.h - how fast pictures are encoded */
#pragma once

#include "options.h"

/* Encodes the picture of file @path with the projector of @options @repeat
 * times and once before; prints the times and what they are of the machine's
 * peak. Reports any error itself. Returns: the exit status. */
int bench_image (const Options *options, const char *path, int repeat);
