/* conformer.h - what the sound encoders of Gemma 3n and Gemma 4 share
 *
 * Both are conformers (arXiv 2005.08100) with chunked local attention and
 * relative positions: two 3x3 convolutions of stride 2 over the mel spectrum,
 * then blocks of half feed-forward, attention, light convolution, half
 * feed-forward, norm. They differ in tensor names, norms of the convolutions,
 * reach of the attention and what follows.
 */
#pragma once

#include "models/clipped.h"
#include "models/encoder.h"

typedef struct {
  FacetClipped up[2], down[2], q, k, v, out, pw1, pw2;
  const FacetTensor *ff_norm[2], *ff_post[2], *before_attention, *after_attention, *positions;
  const FacetTensor *before_conv, *after_conv, *last_norm;
  const FacetTensor *q_scale; /* [width] */
  const FacetTensor *conv;    /* ne = { width, taps } */
} FacetConformerBlock;

/* Names that differ. */
typedef struct {
  const char *project;                           /* after the convolutions */
  const char *before_attention, *after_attention, *positions, *scale, *last_norm;
  gboolean    softplus;                          /* the scale is stored before its softplus */
  int         reach;                             /* keys before the query that it sees */
  float       k_scale;
  int         zero_rows_before;                  /* of the convolutions, in time */
} FacetConformerKind;

typedef struct {
  const FacetConformerKind *kind;
  int width, n_layers, n_head, channels[2];
  const FacetTensor *conv[2];      /* ne = { 9 * inputs, channels } */
  const FacetTensor *conv_norm[2];
  const FacetTensor *project;      /* ne = { 32 * channels, width } */
  const FacetTensor *sinusoids;    /* ne = { width, reach + 1 }, by distance */
  FacetConformerBlock *blocks;
  GPtrArray *made;                 /* tensors that are not in the file */
  GPtrArray *owned;                /* of the loader */
} FacetConformer;

#define FACET_CONFORMER_EPS 1e-6f
#define FACET_CONFORMER_MAX_SAMPLES (30 * 16000)

/* Reads the common part with the prefix "clip.audio" in @loader. */
void facet_conformer_load  (FacetConformer *m, FacetLoader *loader, const FacetConformerKind *kind);
void facet_conformer_clear (FacetConformer *m);

/* Norm and rectifier of convolution @which over its map. */
typedef int (*FacetConvNormFunc) (FacetGraph *g, const FacetConformer *m, int which, int x, int map_cols);

/* From the mel spectrum in input slot 0 to the rows after the last block. */
int  facet_conformer_build (FacetGraph *g, const FacetConformer *m, int frames, FacetConvNormFunc norm, gboolean mark);
/* Rows of that for a spectrum of @frames. */
int  facet_conformer_rows  (int frames);

/* Refuses more than 30 seconds, computes the spectrum. */
gboolean facet_conformer_prepare (FacetEncoderInput *input, const float *samples, gsize n, int mel_kind, GError **error);
