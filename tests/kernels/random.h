/* random.h - inputs for tests of kernels
 *
 * All from one seed a case, which failures print. Fills: FILL_NORMAL values of
 * about 1, FILL_ZERO, FILL_LARGE with a few outliers, FILL_TINY with denormals.
 */
#pragma once

#include <glib.h>
#include "gguf/dtype.h"

typedef enum { FILL_NORMAL, FILL_ZERO, FILL_LARGE, FILL_TINY, N_FILLS } Fill;

typedef struct {
  FacetDtype  dtype;
  const char *name;
  int         block;   /* elements */
  int         bytes;
} TestType;

#define N_TEST_TYPES 15
extern const TestType test_types[N_TEST_TYPES];

void  fill_floats  (GRand *rand, Fill fill, float *x, gsize n);
/* Random blocks with sensible scales for FILL_NORMAL, zero scales for
 * FILL_ZERO, large or subnormal ones for the others. */
void  fill_weights (GRand *rand, Fill fill, const TestType *type, guint8 *w, gsize elements);

/* 64-byte aligned memory with guard bytes on both sides, which
 * guarded_intact() checks. */
void    *guarded_new    (gsize size);
gboolean guarded_intact (void *memory);
void     guarded_free   (void *memory);
