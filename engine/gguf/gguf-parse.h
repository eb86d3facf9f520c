/* gguf-parse.h - checking a GGUF file and filling a FacetGguf from it */
#pragma once

#include "gguf/gguf-private.h"

/* Reads header, metadata and tensor table of gguf->data. @listing: see
 * gguf_open_for_listing(). */
gboolean gguf_parse (FacetGguf *gguf, gboolean listing, GError **error);
