#include "media/mel.h"

#include <kissfft/kiss_fftr.h>
#include <math.h>
#include <string.h>

#define RATE 16000
#define HOP 160

typedef struct {
  int    frame, fft;
  int    lead;          /* zeros in front */
  int    multiple;      /* the sound is padded to a multiple of it */
  float  emphasis;
  double low, high;     /* Hz */
  float  offset, floor; /* ln (max (x + offset, floor)) */
} MelSpec;

static const MelSpec specs[] = {
  [FACET_MEL_GEMMA3N] = { .frame = 512, .fft = 1024, .multiple = 128, .emphasis = 0.97f, .low = 125, .high = 7600, .floor = 1e-5f },
  [FACET_MEL_GEMMA4] = { .frame = 320, .fft = 512, .lead = 160, .multiple = 1, .low = 0, .high = 8000, .offset = 1e-3f },
};

/* One triangle: the bins that it reaches and their weights. */
typedef struct {
  int    first, n;
  float *weight;
} Filter;

gsize
facet_mel_frames (FacetMelKind kind, gsize n)
{
  const MelSpec *spec = &specs[kind];
  gsize padded = (n + (gsize) spec->multiple - 1) / (gsize) spec->multiple * (gsize) spec->multiple + (gsize) spec->lead;

  return padded < (gsize) spec->frame + 1 ? 1 : (padded - (gsize) spec->frame - 1) / HOP + 1;
}

static double
hz_of_mel_point (const MelSpec *spec, int point)
{
  double low = 2595 * log10 (1 + spec->low / 700), high = 2595 * log10 (1 + spec->high / 700);

  return 700 * (pow (10, (low + (high - low) * point / (FACET_MEL_BINS + 1)) / 2595) - 1);
}

static void
make_filters (const MelSpec *spec, Filter *filters)
{
  int bins = spec->fft / 2 + 1;

  for (int m = 0; m < FACET_MEL_BINS; m++) {
    double left = hz_of_mel_point (spec, m), top = hz_of_mel_point (spec, m + 1), right = hz_of_mel_point (spec, m + 2);

    filters[m] = (Filter) { .weight = g_new (float, bins) };
    for (int b = 0; b < bins; b++) {
      double hz = (double) b * RATE / spec->fft;
      double w = MIN ((hz - left) / (top - left), (right - hz) / (right - top));

      if (w <= 0)
        continue;
      if (filters[m].n == 0)
        filters[m].first = b;
      filters[m].weight[filters[m].n++] = (float) w;
    }
  }
}

/* The windowed frame at @start (counted with the zeros in front), the rest of
 * @buffer [fft] zero. */
static void
cut_frame (const MelSpec *spec, const float *window, const float *samples, gsize n, gsize start, float *buffer)
{
  float last = 0;

  for (int i = 0; i < spec->frame; i++) {
    gsize at = start + (gsize) i;
    float x = at < (gsize) spec->lead || at - (gsize) spec->lead >= n ? 0 : samples[at - (gsize) spec->lead];

    buffer[i] = window[i] * (i == 0 ? x * (1 - spec->emphasis) : x - spec->emphasis * last);
    last = x;
  }
}

static void
filter_frame (const MelSpec *spec, const Filter *filters, const float *magnitude, float *mel)
{
  for (int m = 0; m < FACET_MEL_BINS; m++) {
    float sum = 0;

    for (int b = 0; b < filters[m].n; b++)
      sum += filters[m].weight[b] * magnitude[filters[m].first + b];
    mel[m] = logf (MAX (sum + spec->offset, spec->floor));
  }
}

float *
facet_mel_compute (FacetMelKind kind, const float *samples, gsize n)
{
  const MelSpec *spec = &specs[kind];
  gsize frames = facet_mel_frames (kind, n);
  int bins = spec->fft / 2 + 1;
  kiss_fftr_cfg fft = kiss_fftr_alloc (spec->fft, 0, NULL, NULL);
  g_autofree float *buffer = g_new0 (float, spec->fft);
  g_autofree float *window = g_new (float, spec->frame);
  g_autofree float *magnitude = g_new (float, bins);
  g_autofree kiss_fft_cpx *spectrum = g_new (kiss_fft_cpx, bins);
  float *mel = g_new (float, frames * FACET_MEL_BINS);
  Filter filters[FACET_MEL_BINS];

  make_filters (spec, filters);
  for (int i = 0; i < spec->frame; i++)
    window[i] = (float) (0.5 - 0.5 * cos (2 * G_PI * i / spec->frame));
  for (gsize f = 0; f < frames; f++) {
    cut_frame (spec, window, samples, n, f * HOP, buffer);
    kiss_fftr (fft, buffer, spectrum);
    for (int b = 0; b < bins; b++)
      magnitude[b] = sqrtf (spectrum[b].r * spectrum[b].r + spectrum[b].i * spectrum[b].i);
    filter_frame (spec, filters, magnitude, mel + f * FACET_MEL_BINS);
  }
  for (int m = 0; m < FACET_MEL_BINS; m++)
    g_free (filters[m].weight);
  kiss_fftr_free (fft);
  return mel;
}
