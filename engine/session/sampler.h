/* sampler.h - from logits to the next token
 *
 * A pure function of logits, parameters, the tokens so far and a generator:
 * the same seed gives the same text on the same logits.
 */
#pragma once

#include "backend/backend.h"

/* xorshift64*, seeded through splitmix64; any seed will do. */
typedef struct {
  guint64 state;
} FacetRandom;

void   facet_random_seed (FacetRandom *random, guint64 seed);

/* Order: penalty on the last repeat_last of @recent, temperature, top-k,
 * top-p, min-p, draw. Of equal logits the lower token comes first; what is no
 * number is not drawn. @logits [n] may be changed. @scratch: [n]. */
gint32 facet_sample (float *logits, int n, const FacetSampling *sampling, const gint32 *recent, gsize n_recent,
                     FacetRandom *random, FacetBest *scratch);

/* Whether a logit that is not among the largest may become one: a penalty raises. */
gboolean facet_sampling_raises (const FacetSampling *sampling);

/* The same token from a few logits. @best [n], n > 0: the largest, in any order
 * and some perhaps lowered since; all others come behind @floor (lower, or as
 * low with a higher token). NULL: there are no others. -1, and nothing was
 * drawn: the others matter. @best is changed. */
gint32 facet_sample_best (FacetBest *best, int n, const FacetBest *floor, const FacetSampling *sampling, const gint32 *recent,
                          gsize n_recent, FacetRandom *random);
