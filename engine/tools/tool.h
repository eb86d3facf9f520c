/* tool.h - a tool within the engine */
#pragma once

#include "facet.h"
#include "tools/schema.h"

struct FacetTool {
  gint         refs;
  char        *name;
  char        *description;
  FacetJson   *parameters; /* as given, for showing it to the model */
  FacetSchema *schema;     /* takes objects only */
};
