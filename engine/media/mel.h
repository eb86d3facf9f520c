/* mel.h - logarithmic mel spectra exactly as the audio encoders were trained on
 *
 * Definition: the feature extractors of the original implementations
 * (transformers' Gemma3nAudioFeatureExtractor, Gemma4AudioFeatureExtractor),
 * not those of other GGUF runtimes, which differ in the logarithm.
 *
 *               Gemma 3n                        Gemma 4
 *   before      nothing                         160 zeros
 *   after       zeros to a multiple of 128      nothing
 *   frame       512 every 160                   320 every 160
 *   emphasis    x[i] - 0.97 x[i-1] inside the   none
 *               frame, x[0] * 0.03
 *   window      periodic Hann 512               periodic Hann 320
 *   FFT         1024, magnitude                 512, magnitude
 *   filters     128 HTK mel, 125 .. 7600 Hz     128 HTK mel, 0 .. 8000 Hz
 *   value       ln (max (x, 1e-5))              ln (x + 1e-3)
 *
 * The filters are triangles, linear in Hz, without area normalisation. Both
 * originals cut windows one sample longer than the frame, hence the odd frame
 * counts. Sound shorter than one window counts as one frame, with zeros.
 */
#pragma once

#include <glib.h>

#define FACET_MEL_BINS 128

typedef enum {
  FACET_MEL_GEMMA3N,
  FACET_MEL_GEMMA4,
} FacetMelKind;

/* Frames of a sound of @n samples at 16 kHz. */
gsize  facet_mel_frames  (FacetMelKind kind, gsize n);

/* Returns: (transfer full): float32 [facet_mel_frames(), FACET_MEL_BINS]. */
float *facet_mel_compute (FacetMelKind kind, const float *samples, gsize n);
