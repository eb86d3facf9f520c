/* audio-scan.h - what one pass over a sound tells: levels per channel, peaks
 *
 * Fed block by block; memory does not grow with the length.
 */
#pragma once

#include "media/sound-file.h"

/* Peaks over equal stretches of frames; when the bins are full, neighbours are
 * merged and stretches double. */
#define FACET_PEAK_BINS 4096

typedef struct {
  float *bins;      /* [FACET_PEAK_BINS] */
  gint64 stretch;   /* frames a bin */
  int    bin;       /* being filled */
  gint64 filled;    /* frames of it */
} FacetPeaks;

void facet_peaks_init  (FacetPeaks *peaks);
void facet_peaks_clear (FacetPeaks *peaks);
void facet_peaks_add   (FacetPeaks *peaks, float value);
/* The largest value in each of @n equal parts of what was seen. */
void facet_peaks_read  (const FacetPeaks *peaks, float *values, gsize n);

typedef struct {
  gboolean lfe;
  float    min, max;
  double   energy;
} FacetChannelLevel;

typedef struct {
  int               channels;
  gint64            frames;
  double            sum_energy;  /* of the sum of all channels but LFE */
  FacetPeaks        peaks;       /* of the loudest channel at each moment */
  FacetChannelLevel channel[FACET_SOUND_MAX_CHANNELS]; /* lfe is the caller's to set */
} FacetAudioScan;

FacetAudioScan *facet_audio_scan_new  (int channels);
void            facet_audio_scan_free (FacetAudioScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetAudioScan, facet_audio_scan_free)

/* @samples [frames, channels] */
void            facet_audio_scan_feed    (FacetAudioScan *scan, const float *samples, gsize frames);
/* The down-mix that audio.h defines: @weights [channels]. */
void            facet_audio_scan_weights (const FacetAudioScan *scan, double *weights);
