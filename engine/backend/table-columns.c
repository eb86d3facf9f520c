#include "backend/table-columns.h"

#include <string.h>

/* Elements of the largest block of a quantised type. */
#define MAX_BLOCK 256

void
facet_dequantize_columns (const FacetKernels *k, FacetDtype dtype, const guint8 *row, int first, int n, float *y)
{
  const FacetDtypeInfo *info = facet_dtype_info (dtype);
  int size = (int) info->block, end = first + n;
  float block[MAX_BLOCK];

  for (int c = first; c < end;) {
    int inside = c % size, whole = (end - c) / size * size, some = MIN (size - inside, end - c);
    const guint8 *src = row + (gsize) (c / size) * info->bytes;

    if (inside == 0 && whole > 0) {
      k->dequantize[dtype] (src, y + (c - first), (gsize) whole);
      c += whole;
    } else {
      k->dequantize[dtype] (src, block, (gsize) size);
      memcpy (y + (c - first), block + inside, sizeof (float) * some);
      c += some;
    }
  }
}
