/* bench-encoder.h - how fast pictures and sound are encoded */
#pragma once

#include "options.h"

/* Encodes the picture of file @image or the sound of file @audio, one of which
 * is NULL, with the projector of @options @repeat times and once before;
 * prints the times and what they are of the machine's peak, for a sound also
 * how much faster than real time that is. Reports any error itself.
 * Returns: the exit status. */
int bench_encoder (const Options *options, const char *image, const char *audio, int repeat);
