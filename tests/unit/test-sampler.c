/* Drawing a token: from all logits, and from the best of them the same one. */
#include "session/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VOCAB 1200
#define ROUNDS 100

typedef enum { NORMAL, STEPS, FLAT, CAPPED, N_SHAPES } Shape;

static void
fill (GRand *rand, Shape shape, float *logits)
{
  for (int i = 0; i < VOCAB; i++) {
    double x = 0;

    for (int j = 0; j < 12; j++)
      x += g_rand_double (rand) - 0.5;
    switch (shape) {
    case NORMAL: x *= 6; break;
    case STEPS: x = round (3 * x); break;              /* many are equal */
    case FLAT: x *= 0.01; break;
    default: x = 30 * tanh (x * 20); break;            /* the cap makes equals */
    }
    logits[i] = (float) x;
  }
  if (g_rand_boolean (rand)) {
    logits[0] = NAN;
    logits[g_rand_int_range (rand, 1, VOCAB)] = NAN;
    logits[g_rand_int_range (rand, 1, VOCAB)] = -INFINITY;
  }
}

static int
by_falling_value (gconstpointer a, gconstpointer b)
{
  const FacetBest *x = a, *y = b;

  return x->value > y->value ? -1 : x->value < y->value ? 1 : x->column < y->column ? -1 : 1;
}

static int
find_best (const float *logits, FacetBest *best)
{
  g_autofree FacetBest *all = g_new (FacetBest, VOCAB);
  int n = 0;

  for (int i = 0; i < VOCAB; i++)
    if (!isnan (logits[i]))
      all[n++] = (FacetBest) { logits[i], i };
  qsort (all, (gsize) n, sizeof *all, by_falling_value);
  memcpy (best, all, sizeof *best * FACET_N_BEST);
  return FACET_N_BEST;
}

typedef struct {
  int draws, alone; /* of them from the best alone */
} Tally;

/* A draw both ways: the same token and as many numbers drawn, or none. */
static void
compare (GRand *rand, Shape shape, const FacetSampling *s, Tally *tally)
{
  g_autofree float *logits = g_new (float, VOCAB);
  g_autofree FacetBest *scratch = g_new (FacetBest, VOCAB);
  FacetBest best[FACET_N_BEST], floor;
  FacetRandom random, all, few;
  gint32 recent[80], expected, found;
  int n, bans = g_rand_int_range (rand, 0, 5);

  fill (rand, shape, logits);
  n = find_best (logits, best);
  floor = best[n - 1];
  for (guint i = 0; i < G_N_ELEMENTS (recent); i++)
    recent[i] = g_rand_boolean (rand) ? best[g_rand_int_range (rand, 0, n)].column : g_rand_int_range (rand, 0, VOCAB);
  for (int i = 0; i < bans; i++) {
    FacetBest *banned = &best[i * i];

    logits[banned->column] = banned->value = -INFINITY;
  }
  facet_random_seed (&random, g_rand_int (rand));
  all = few = random;
  found = facet_sample_best (best, n, &floor, s, recent, G_N_ELEMENTS (recent), &few);
  expected = facet_sample (logits, VOCAB, s, recent, G_N_ELEMENTS (recent), &all, scratch);
  tally->draws++;
  if (found < 0) {
    g_assert_cmpuint (few.state, ==, random.state);
    return;
  }
  tally->alone++;
  g_assert_cmpint (found, ==, expected);
  g_assert_cmpuint (few.state, ==, all.state);
}

/* @least: draws of a thousand that must not need the others. */
static Tally
compare_all (Shape shape, FacetSampling s, int least)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  Tally tally = { 0 };

  for (int i = 0; i < ROUNDS; i++)
    compare (rand, shape, &s, &tally);
  g_test_message ("shape %d, temperature %.1f, top-k %d, penalty %.2f: %d of %d", shape, (double) s.temperature, s.top_k,
                  (double) s.repeat_penalty, tally.alone, tally.draws);
  g_assert_cmpint (tally.alone * 1000, >=, least * tally.draws);
  return tally;
}

static void
test_same (void)
{
  for (int shape = 0; shape < N_SHAPES; shape++) {
    compare_all (shape, (FacetSampling) { 0 }, 1000);
    compare_all (shape, (FacetSampling) { .temperature = 1, .top_k = 64, .top_p = 0.95f }, 1000);
    compare_all (shape, (FacetSampling) { .temperature = 0.7f, .top_k = 40, .top_p = 0.9f, .min_p = 0.05f }, 1000);
    compare_all (shape, (FacetSampling) { .temperature = 1.5f, .top_k = 1 }, 1000);
    /* Lowered ones may fall behind others. */
    compare_all (shape, (FacetSampling) { .repeat_penalty = 1.1f }, 0);
    compare_all (shape, (FacetSampling) { .temperature = 1, .top_k = 64, .top_p = 0.95f, .repeat_penalty = 1.3f }, 0);
    compare_all (shape, (FacetSampling) { .temperature = 1, .top_k = 20, .repeat_penalty = 1.02f, .repeat_last = 8 }, 0);
    compare_all (shape, (FacetSampling) { .temperature = 0.02f, .top_p = 0.9f }, shape == NORMAL ? 900 : 0);
  }
  compare_all (NORMAL, (FacetSampling) { .repeat_penalty = 1.1f }, 900);
}

/* Where others may be drawn, nothing is drawn without them. */
static void
test_others_matter (void)
{
  g_assert_cmpint (compare_all (FLAT, (FacetSampling) { .temperature = 1 }, 0).alone, ==, 0);
  g_assert_cmpint (compare_all (FLAT, (FacetSampling) { .temperature = 1, .top_p = 0.9f }, 0).alone, ==, 0);
  g_assert_cmpint (compare_all (FLAT, (FacetSampling) { .temperature = 1, .min_p = 0.1f }, 0).alone, ==, 0);
  g_assert_cmpint (compare_all (FLAT, (FacetSampling) { .temperature = 1, .top_k = 129 }, 0).alone, ==, 0);
  g_assert_cmpint (compare_all (FLAT, (FacetSampling) { .temperature = 1, .top_k = 5, .repeat_penalty = 0.5f }, 0).alone, ==, 0);
  g_assert_cmpint (compare_all (FLAT, (FacetSampling) { .temperature = 1, .top_k = 128, .repeat_penalty = 1.5f }, 0).alone, ==, 0);
}

static void
test_no_numbers (void)
{
  float logits[8];
  FacetBest scratch[8];
  FacetSampling s = { .temperature = 1 };
  FacetRandom random;
  gint32 id;

  facet_random_seed (&random, 1);
  for (int i = 0; i < 8; i++)
    logits[i] = NAN;
  id = facet_sample (logits, 8, &s, NULL, 0, &random, scratch);
  g_assert_cmpint (id, >=, 0);
  g_assert_cmpint (id, <, 8);
  logits[5] = -3;
  g_assert_cmpint (facet_sample (logits, 8, &s, NULL, 0, &random, scratch), ==, 5);
  s.temperature = 0;
  g_assert_cmpint (facet_sample (logits, 8, &s, NULL, 0, &random, scratch), ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sampler/same", test_same);
  g_test_add_func ("/sampler/others-matter", test_others_matter);
  g_test_add_func ("/sampler/no-numbers", test_no_numbers);
  return g_test_run ();
}
