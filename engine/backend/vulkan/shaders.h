/* shaders.h - the SPIR-V that was built in, by name (shaders/meson.build) */
#pragma once

#include <glib.h>

typedef struct {
  const char    *name;
  const guint32 *code;
  gsize          bytes;
} FacetShader;

extern const FacetShader facet_shaders[];
extern const guint       facet_n_shaders;
