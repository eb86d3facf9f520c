/* placement.h - values that live at different times share memory */
#pragma once

#include <glib.h>

typedef struct {
  int   born, dies;  /* first and last step that touch it */
  gsize bytes;       /* 0: takes no place */
  gsize offset;      /* out */
} FacetPlaced;

/* First fit in order: each gets the lowest offset that no value alive at the
 * same time covers. Returns: bytes of the whole. */
gsize facet_place (FacetPlaced *values, int n);
