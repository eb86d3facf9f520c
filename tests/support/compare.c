#include "compare.h"

#include <math.h>

double
relative_error (const float *a, const float *b, gsize n)
{
  double worst = 0, square = 0;

  for (gsize i = 0; i < n; i++) {
    double difference = fabs ((double) a[i] - b[i]);

    /* Not fmax(), which would pass over a NaN. */
    if (!(difference <= worst))
      worst = difference;
    square += (double) b[i] * b[i];
  }
  return worst / sqrt (square / n);
}
