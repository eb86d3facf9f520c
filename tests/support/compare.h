/* compare.h - how far computed values are from expected ones */
#pragma once

#include <glib.h>

/* max |a - b| / rms (b), as the reference states its tolerances. */
double relative_error (const float *a, const float *b, gsize n);
