#include "backend/cpu/vec-neon.h"
#include "backend/cpu/kernels-int.inc"

void
facet_kernels_init_dotprod (FacetKernels *k)
{
  k->name = "dotprod";
  vec_init_int (k);
}
