/* spread.h - what repeated measurements have in common */
#pragma once

#include <glib.h>

typedef struct {
  double min, median, max;
} Spread;

/* Of doubles; @values must not be empty, and gets sorted. */
Spread spread_of   (GArray *values);
/* Adds the object @name. */
void   spread_json (GString *json, const char *name, const Spread *spread);
