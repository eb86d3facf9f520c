/* image-decode.h - stb_image behind a memory budget
 *
 * The only place that touches stb_image. What the decoder allocates is
 * counted against @budget, so that a file whose compressed data swell beyond
 * what its header promises ends in an error.
 */
#pragma once

#include "facet.h"

/* 8-bit pixels, interleaved, @channels 3 or 4. NULL and NO_MEMORY if the
 * budget is passed, MEDIA if the data cannot be decoded. Free the result with
 * facet_image_decoded_free(). */
guint8 *facet_image_decode (const guint8 *data,
                            gsize         size,
                            int           channels,
                            gsize         budget,
                            const char   *label,
                            int          *width,
                            int          *height,
                            GError      **error);
void    facet_image_decoded_free (guint8 *pixels);
