#include "backend/cpu/vec-avx2.h"
#include "backend/cpu/kernels-int.inc"

void
facet_kernels_init_avxvnni (FacetKernels *k)
{
  k->name = "avx-vnni";
  vec_init_int (k);
}
