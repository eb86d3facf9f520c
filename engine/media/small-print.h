/* small-print.h - whether a picture should be shown in parts, too
 *
 * Gemma 3 sees every picture as a square of 896 pixels. What is lost on the
 * way there tells print from the rest: letters are strong contrasts a few
 * pixels wide, while photos of things have little to lose at that size.
 *
 * Thread-safety: safe.
 */
#pragma once

#include "facet.h"

/* @rgb: [height, width, 3]. TRUE if at least one in 50 of the 16 x 16 blocks,
 * of the picture at no more than twice the encoder's size, differs from what
 * the encoder sees by more than 24 (of 255, root mean square of the
 * brightness). */
gboolean facet_find_small_print (const guint8 *rgb, int width, int height);

/* The same, found once and remembered (image.c). */
gboolean facet_image_has_small_print (FacetImage *image);

/* Parts in which Gemma 3 is shown the picture beside the whole. */
int      facet_image_crops (FacetImage *image, FacetPanAndScan how);
