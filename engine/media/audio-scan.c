#include "media/audio-scan.h"

#include <math.h>
#include <string.h>

#define DEAD_SWING (2 * 3.16e-5f) /* -90 dB to either side */
#define CANCELLED 0.01

/* ---- peaks ---- */

void
facet_peaks_init (FacetPeaks *peaks)
{
  *peaks = (FacetPeaks) { .bins = g_new0 (float, FACET_PEAK_BINS), .stretch = 1 };
}

void
facet_peaks_clear (FacetPeaks *peaks)
{
  g_clear_pointer (&peaks->bins, g_free);
}

static void
merge_neighbours (FacetPeaks *peaks)
{
  for (int i = 0; i < FACET_PEAK_BINS / 2; i++)
    peaks->bins[i] = MAX (peaks->bins[2 * i], peaks->bins[2 * i + 1]);
  memset (peaks->bins + FACET_PEAK_BINS / 2, 0, FACET_PEAK_BINS / 2 * sizeof (float));
  peaks->stretch *= 2;
  peaks->bin = FACET_PEAK_BINS / 2;
}

void
facet_peaks_add (FacetPeaks *peaks, float value)
{
  if (peaks->filled == peaks->stretch) {
    peaks->filled = 0;
    if (++peaks->bin == FACET_PEAK_BINS)
      merge_neighbours (peaks);
  }
  peaks->bins[peaks->bin] = MAX (peaks->bins[peaks->bin], value);
  peaks->filled++;
}

void
facet_peaks_read (const FacetPeaks *peaks, float *values, gsize n)
{
  int used = peaks->bin + 1;

  for (gsize i = 0; i < n; i++) {
    int from = (int) ((double) i * used / n), to = (int) ceil ((double) (i + 1) * used / n);

    values[i] = 0;
    for (int b = from; b < MIN (MAX (to, from + 1), used); b++)
      values[i] = MAX (values[i], peaks->bins[b]);
  }
}

/* ---- levels ---- */

FacetAudioScan *
facet_audio_scan_new (int channels)
{
  FacetAudioScan *scan = g_new0 (FacetAudioScan, 1);

  scan->channels = channels;
  facet_peaks_init (&scan->peaks);
  for (int c = 0; c < channels; c++) {
    scan->channel[c].min = INFINITY;
    scan->channel[c].max = -INFINITY;
  }
  return scan;
}

void
facet_audio_scan_free (FacetAudioScan *scan)
{
  if (scan == NULL)
    return;
  facet_peaks_clear (&scan->peaks);
  g_free (scan);
}

void
facet_audio_scan_feed (FacetAudioScan *scan, const float *samples, gsize frames)
{
  for (gsize i = 0; i < frames; i++) {
    float sum = 0, peak = 0;

    for (int c = 0; c < scan->channels; c++) {
      FacetChannelLevel *level = &scan->channel[c];
      float x = samples[i * (gsize) scan->channels + (gsize) c];

      level->min = MIN (level->min, x);
      level->max = MAX (level->max, x);
      level->energy += (double) x * x;
      sum += level->lfe ? 0 : x;
      peak = MAX (peak, fabsf (x));
    }
    scan->sum_energy += (double) sum * sum;
    facet_peaks_add (&scan->peaks, peak);
  }
  scan->frames += (gint64) frames;
}

static int
loudest (const FacetAudioScan *scan, const gboolean *live)
{
  int best = -1;

  for (int c = 0; c < scan->channels; c++) {
    if (live[c] && (best < 0 || scan->channel[c].energy > scan->channel[best].energy))
      best = c;
  }
  return best;
}

void
facet_audio_scan_weights (const FacetAudioScan *scan, double *weights)
{
  gboolean live[FACET_SOUND_MAX_CHANNELS];
  int n = 0, best;

  for (int pass = 0; pass < 2 && n == 0; pass++) {
    for (int c = 0; c < scan->channels; c++) {
      const FacetChannelLevel *level = &scan->channel[c];

      live[c] = level->max - level->min > DEAD_SWING && (pass == 1 || !level->lfe);
      n += live[c];
    }
  }
  for (int c = 0; c < scan->channels; c++)
    weights[c] = n == 0 ? 1.0 / scan->channels : live[c] ? 1.0 / n : 0;
  best = loudest (scan, live);
  if (n < 2 || scan->sum_energy / ((double) n * n) >= CANCELLED * scan->channel[best].energy)
    return;
  memset (weights, 0, (gsize) scan->channels * sizeof (double));
  weights[best] = 1;
}
