/* sampler.h - from logits to the next token
 *
 * A pure function of logits, parameters, the tokens so far and a generator:
 * the same seed gives the same text on the same logits.
 */
#pragma once

#include "facet.h"

/* xorshift64*, seeded through splitmix64; any seed will do. */
typedef struct {
  guint64 state;
} FacetRandom;

void   facet_random_seed (FacetRandom *random, guint64 seed);

/* Order: penalty on the last repeat_last of @recent, temperature, top-k,
 * top-p, min-p, draw. @logits [n] may be changed. @scratch: [n] ints. */
gint32 facet_sample (float *logits, int n, const FacetSampling *sampling, const gint32 *recent, gsize n_recent,
                     FacetRandom *random, gint32 *scratch);
