/* shaders.h - the SPIR-V that was built in, by name (shaders/meson.build) */
#pragma once

#include <glib.h>

typedef struct {
  const char    *name;
  const guint32 *code;
  gsize          bytes;
  gboolean       subgroup;  /* its first constant is the size of a subgroup, which the pipeline must demand */
} FacetShader;

extern const FacetShader facet_shaders[];
extern const guint       facet_n_shaders;
