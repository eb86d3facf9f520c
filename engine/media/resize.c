#include "media/resize.h"

#include <math.h>
#include <string.h>

#define PRECISION 22

/* Rows that go through the horizontal pass together: with the channels, they
 * are the lanes of its inner loop. */
#define BAND 16
#define LANES (BAND * 3)

typedef struct {
  int     taps;   /* most taps an output has */
  int    *start;  /* [n] first source index */
  int    *count;  /* [n] taps of this output */
  gint32 *weight; /* [n, taps] fixed point */
} Kernel;

static double
triangle (double x)
{
  x = fabs (x);
  return x < 1 ? 1 - x : 0;
}

static double
cubic (double x)
{
  const double a = -0.5;

  x = fabs (x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2)
    return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static void
kernel_init (Kernel *kernel, int from, int to, FacetResizeFilter filter)
{
  double (*f) (double) = filter == FACET_RESIZE_BICUBIC ? cubic : triangle;
  double scale = (double) from / to;
  double widen = MAX (scale, 1.0);
  double support = (filter == FACET_RESIZE_BICUBIC ? 2.0 : 1.0) * widen;
  g_autofree double *weights = NULL;

  kernel->taps = (int) ceil (support) * 2 + 1;
  kernel->start = g_new (int, to);
  kernel->count = g_new (int, to);
  kernel->weight = g_new0 (gint32, (gsize) to * kernel->taps);
  weights = g_new (double, kernel->taps);

  for (int i = 0; i < to; i++) {
    double center = (i + 0.5) * scale, inverse = 1.0 / widen, sum = 0;
    int first = MAX ((int) (center - support + 0.5), 0);
    int count = MIN ((int) (center + support + 0.5), from) - first;

    for (int j = 0; j < count; j++) {
      weights[j] = f ((j + first - center + 0.5) * inverse);
      sum += weights[j];
    }
    for (int j = 0; j < count; j++) {
      double w = sum != 0 ? weights[j] / sum : weights[j];

      kernel->weight[(gsize) i * kernel->taps + j] = (int) (w * (1 << PRECISION) + (w < 0 ? -0.5 : 0.5));
    }
    kernel->start[i] = first;
    kernel->count[i] = count;
  }
}

static void
kernel_clear (Kernel *kernel)
{
  g_free (kernel->start);
  g_free (kernel->count);
  g_free (kernel->weight);
}

static inline guint8
round_clip (gint32 sum)
{
  sum >>= PRECISION;
  return sum < 0 ? 0 : sum > 255 ? 255 : (guint8) sum;
}

/* One band of rows, transposed so that the taps of a column lie apart and its
 * rows and channels together. */
static void
gather_band (const guint8 *src, gsize stride, int width, int rows, gint32 *band)
{
  for (int r = 0; r < rows; r++) {
    const guint8 *row = src + r * stride;

    for (int x = 0; x < width; x++)
      for (int c = 0; c < 3; c++)
        band[(gsize) x * LANES + r * 3 + c] = row[3 * x + c];
  }
}

static void
horizontal_band (const gint32 *band, const Kernel *kernel, guint8 *dst, int width, int rows)
{
  for (int x = 0; x < width; x++) {
    const gint32 *weight = kernel->weight + (gsize) x * kernel->taps;
    const gint32 *source = band + (gsize) kernel->start[x] * LANES;
    gint32 sum[LANES];

    for (int i = 0; i < LANES; i++)
      sum[i] = 1 << (PRECISION - 1);
    for (int j = 0; j < kernel->count[x]; j++)
      for (int i = 0; i < LANES; i++)
        sum[i] += source[(gsize) j * LANES + i] * weight[j];
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < 3; c++)
        dst[((gsize) r * width + x) * 3 + c] = round_clip (sum[r * 3 + c]);
  }
}

static guint8 *
horizontal (const guint8 *src, int src_width, int height, gsize stride, int width, FacetResizeFilter filter)
{
  guint8 *dst = g_malloc ((gsize) width * height * 3);
  g_autofree gint32 *band = g_new0 (gint32, (gsize) src_width * LANES);
  Kernel kernel;

  kernel_init (&kernel, src_width, width, filter);
  for (int y = 0; y < height; y += BAND) {
    int rows = MIN (BAND, height - y);

    gather_band (src + y * stride, stride, src_width, rows, band);
    horizontal_band (band, &kernel, dst + (gsize) y * width * 3, width, rows);
  }
  kernel_clear (&kernel);
  return dst;
}

static guint8 *
vertical (const guint8 *src, int width, int src_height, gsize stride, int height, FacetResizeFilter filter)
{
  int n = 3 * width;
  guint8 *dst = g_malloc ((gsize) n * height);
  g_autofree gint32 *sum = g_new (gint32, n);
  Kernel kernel;

  kernel_init (&kernel, src_height, height, filter);
  for (int y = 0; y < height; y++) {
    const gint32 *weight = kernel.weight + (gsize) y * kernel.taps;

    for (int i = 0; i < n; i++)
      sum[i] = 1 << (PRECISION - 1);
    for (int j = 0; j < kernel.count[y]; j++) {
      const guint8 *row = src + (kernel.start[y] + j) * stride;

      for (int i = 0; i < n; i++)
        sum[i] += row[i] * weight[j];
    }
    for (int i = 0; i < n; i++)
      dst[(gsize) y * n + i] = round_clip (sum[i]);
  }
  kernel_clear (&kernel);
  return dst;
}

guint8 *
facet_resize (const guint8     *src,
              int               src_width,
              int               src_height,
              gsize             src_stride,
              int               width,
              int               height,
              FacetResizeFilter filter)
{
  gint64 less_rows = src_height - height, less_columns = src_width - width;
  gboolean down_first = less_rows > 0 && less_rows > 2 * less_columns;
  g_autofree guint8 *step = NULL;
  guint8 *dst;

  if (down_first && src_width != width) {
    step = vertical (src, src_width, src_height, src_stride, height, filter);
    return horizontal (step, src_width, height, (gsize) src_width * 3, width, filter);
  }
  if (src_width != width) {
    step = horizontal (src, src_width, src_height, src_stride, width, filter);
    src = step;
    src_stride = (gsize) width * 3;
  }
  if (src_height != height)
    return vertical (src, width, src_height, src_stride, height, filter);
  if (step)
    return g_steal_pointer (&step);

  dst = g_malloc ((gsize) width * height * 3);
  for (int y = 0; y < height; y++)
    memcpy (dst + (gsize) y * width * 3, src + y * src_stride, (gsize) width * 3);
  return dst;
}
