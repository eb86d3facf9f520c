/* picture-layout.h - how a picture is cut and laid out for an encoder
 *
 * The rules are those of the families' reference image processors
 * (transformers: Gemma3ImageProcessor.pan_and_scan, Gemma4ImageProcessor).
 * Thread-safety: pure functions.
 */
#pragma once

#include <glib.h>

#define FACET_MAX_CROPS 4

typedef struct {
  int x, y, width, height;
} FacetBox;

/* Pan and scan: wide or tall pictures (ratio at least 1.2) are also shown as
 * 2 to 4 crops side by side, if these are at least 256 pixels each way.
 * Returns: the number of crops written to @boxes, 0 if none. */
int  facet_pan_and_scan (int width, int height, FacetBox boxes[FACET_MAX_CROPS]);

/* Gemma 4: the largest size of about the picture's proportions, sides
 * multiples of patch * pooling, with at most @max_tokens pooled patches. */
void facet_aspect_size  (int width, int height, int patch, int pooling, int max_tokens, int *new_width, int *new_height);

/* Patches row by row, each [3, patch, patch] as a convolution kernel lies in
 * memory: @rows is [(width/patch) (height/patch), 3 patch patch]; values are
 * (pixel / 255 - mean[c]) / std[c]. Sides are multiples of @patch. */
void facet_patchify     (const guint8 *rgb, int width, int height, int patch,
                         const float mean[3], const float std[3], float *rows);
