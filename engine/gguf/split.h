/* split.h - models that are split over several files
 *
 * Such files are named STEM-00001-of-00003.gguf and so on (ggml's gguf-split).
 * The first has all metadata, each its share of the tensors.
 */
#pragma once

#include "gguf/gguf-private.h"

/* Opens the further parts if @gguf, the file at @path, is the first of several;
 * refuses a further part, except for @listing. */
gboolean gguf_join      (FacetGguf *gguf, const char *path, gboolean listing, GError **error);
/* The file name of part @part, given that of @gguf; NULL if it is not named
 * as a part. Returns: (transfer full). */
char    *gguf_part_path (const FacetGguf *gguf, const char *path, guint32 part);
