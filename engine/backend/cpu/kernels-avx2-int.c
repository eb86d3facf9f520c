/* The integer kernels apart from the others: each half takes a minute to compile under the sanitizers. */
#include "backend/cpu/vec-avx2.h"
#include "backend/cpu/kernels-int.inc"

void
facet_kernels_init_avx2_int (FacetKernels *k)
{
  vec_init_int (k);
}
