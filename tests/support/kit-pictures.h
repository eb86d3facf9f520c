/* kit-pictures.h - pictures and projectors of the reference kit */
#pragma once

#include "facet.h"
#include "gguf/gguf.h"

/* Returns: (transfer full): where @name of the kit lies. */
char       *kit_path      (const char *name);
/* The picture inputs/@name. */
FacetImage *kit_picture   (const char *name);
/* The projector of the tiny model of @family, "gemma3" or the like. */
FacetGguf  *kit_projector (const char *family);
