/* resize.h - resampling as the families' image processors do it
 *
 * Separable convolution with a filter whose support widens when shrinking,
 * coefficients in 22-bit fixed point, each pass rounded to 8 bits: to the last
 * bit what the Python Imaging Library (Pillow 13) computes, on which the
 * reference processors rest. The horizontal pass comes first, unless the
 * picture loses rows and more than twice as many of them as columns.
 */
#pragma once

#include <glib.h>

typedef enum {
  FACET_RESIZE_BILINEAR, /* triangle, support 1 */
  FACET_RESIZE_BICUBIC,  /* a = -1/2, support 2 */
} FacetResizeFilter;

/* @src: @src_width x @src_height RGB pixels, rows @src_stride bytes apart.
 * All sizes at least 1; any width times any height fits an int.
 * Returns: (transfer full): [height, width, 3]. Thread-safety: safe. */
guint8 *facet_resize (const guint8     *src,
                      int               src_width,
                      int               src_height,
                      gsize             src_stride,
                      int               width,
                      int               height,
                      FacetResizeFilter filter);
