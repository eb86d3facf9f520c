/* siglip-file.h - projectors of Gemma 3 with random weights, in any size */
#pragma once

#include <glib.h>

typedef struct {
  guint32 side, patch;        /* pixels */
  guint32 inner, ffn, width;  /* of the encoder, of its feed-forward part, of soft tokens */
  guint32 blocks, heads;
} SiglipShape;

/* Returns: (transfer full): the bytes of a GGUF file, weights in F32; the same
 * each time. Four patches by four become one soft token. */
GByteArray *siglip_file (const SiglipShape *shape);
