#include "media/small-print.h"

#include "media/picture-layout.h"
#include "media/resize.h"

#define SEEN 896
#define BLOCK 16
#define LOST 24
#define SHARE 50
#define RATIO 2

/* Rec. 601 brightness in 1/256. */
static int
brightness (const guint8 *p)
{
  return 77 * p[0] + 150 * p[1] + 29 * p[2];
}

static gboolean
differs (const guint8 *a, const guint8 *b, int width)
{
  gint64 sum = 0;

  for (int y = 0; y < BLOCK; y++)
    for (int x = 0; x < BLOCK; x++) {
      gsize at = ((gsize) y * width + x) * 3;
      int d = (brightness (a + at) - brightness (b + at)) / 256;

      sum += d * d;
    }
  return sum > (gint64) LOST * LOST * BLOCK * BLOCK;
}

gboolean
facet_find_small_print (const guint8 *rgb, int width, int height)
{
  int w = MIN (width, 2 * SEEN), h = MIN (height, 2 * SEEN), blocks = 0, lost = 0;
  g_autofree guint8 *fine = NULL, *seen = NULL, *again = NULL;

  if (MAX (width, height) <= SEEN || MIN (w, h) < BLOCK)
    return FALSE;
  fine = facet_resize (rgb, width, height, (gsize) width * 3, w, h, FACET_RESIZE_BILINEAR);
  seen = facet_resize (fine, w, h, (gsize) w * 3, MIN (w, SEEN), MIN (h, SEEN), FACET_RESIZE_BILINEAR);
  again = facet_resize (seen, MIN (w, SEEN), MIN (h, SEEN), (gsize) MIN (w, SEEN) * 3, w, h, FACET_RESIZE_BILINEAR);
  for (int y = 0; y + BLOCK <= h; y += BLOCK)
    for (int x = 0; x + BLOCK <= w; x += BLOCK, blocks++) {
      gsize at = ((gsize) y * w + x) * 3;

      lost += differs (fine + at, again + at, w);
    }
  return lost * SHARE >= blocks;
}

int
facet_image_crops (FacetImage *image, FacetPanAndScan how)
{
  int width = facet_image_width (image), height = facet_image_height (image), n;
  FacetBox boxes[FACET_MAX_CROPS];

  if (how == FACET_PAN_AND_SCAN_OFF)
    return 0;
  n = facet_pan_and_scan (width, height, boxes);
  if (n == 0 || how == FACET_PAN_AND_SCAN_ON || MAX (width, height) >= RATIO * MIN (width, height)
      || facet_image_has_small_print (image))
    return n;
  return 0;
}
