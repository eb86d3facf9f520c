#include "media/picture-layout.h"

#include <math.h>

#define MIN_CROP 256
#define MIN_RATIO 1.2

int
facet_pan_and_scan (int width, int height, FacetBox boxes[FACET_MAX_CROPS])
{
  int longer = MAX (width, height), shorter = MIN (width, height);
  double ratio = (double) longer / shorter;
  int n, side;

  if (ratio < MIN_RATIO)
    return 0;
  n = (int) MIN (floor (ratio + 0.5), (double) (longer / MIN_CROP));
  n = CLAMP (n, 2, FACET_MAX_CROPS);
  side = (longer + n - 1) / n;
  if (MIN (side, shorter) < MIN_CROP)
    return 0;

  for (int i = 0; i < n; i++) {
    int start = i * side, length = MIN (side, longer - start);

    boxes[i] = width >= height ? (FacetBox) { start, 0, length, height } : (FacetBox) { 0, start, width, length };
  }
  return n;
}

void
facet_aspect_size (int width, int height, int patch, int pooling, int max_tokens, int *new_width, int *new_height)
{
  int unit = patch * pooling, longest = max_tokens * unit;
  double factor = sqrt ((double) max_tokens * unit * unit / ((double) width * height));
  int w = (int) floor (factor * width / unit) * unit;
  int h = (int) floor (factor * height / unit) * unit;

  if (h == 0) {
    h = unit;
    w = (int) MIN ((gint64) (width / height) * unit, longest);
  } else if (w == 0) {
    w = unit;
    h = (int) MIN ((gint64) (height / width) * unit, longest);
  }
  *new_width = w;
  *new_height = h;
}

void
facet_patchify (const guint8 *rgb, int width, int height, int patch, const float mean[3], const float std[3], float *rows)
{
  float value[3][256];

  for (int c = 0; c < 3; c++)
    for (int v = 0; v < 256; v++)
      value[c][v] = ((float) v / 255.f - mean[c]) / std[c];

  for (int top = 0; top < height; top += patch)
    for (int left = 0; left < width; left += patch)
      for (int c = 0; c < 3; c++)
        for (int y = 0; y < patch; y++) {
          const guint8 *pixel = rgb + ((gsize) (top + y) * width + left) * 3 + c;

          for (int x = 0; x < patch; x++)
            *rows++ = value[c][pixel[3 * x]];
        }
}
