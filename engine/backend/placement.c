#include "backend/placement.h"

static gboolean
collide (const FacetPlaced *a, const FacetPlaced *b)
{
  return b->bytes > 0 && a->dies >= b->born && b->dies >= a->born
         && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

gsize
facet_place (FacetPlaced *values, int n)
{
  gsize total = 0;

  for (int i = 0; i < n; i++) {
    FacetPlaced *value = &values[i];
    gboolean moved = value->bytes > 0;

    value->offset = 0;
    while (moved) {
      moved = FALSE;
      for (int j = 0; j < i; j++)
        if (collide (value, &values[j])) {
          value->offset = values[j].offset + values[j].bytes;
          moved = TRUE;
        }
    }
    total = MAX (total, value->offset + value->bytes);
  }
  return total;
}
