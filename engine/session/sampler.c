#include "session/sampler.h"

#include <math.h>

void
facet_random_seed (FacetRandom *random, guint64 seed)
{
  seed += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  seed = (seed ^ seed >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  seed = (seed ^ seed >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  random->state = (seed ^ seed >> 31) | 1;
}

/* In [0, 1), 24 bits. */
static float
random_unit (FacetRandom *random)
{
  guint64 x = random->state;

  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  random->state = x;
  return (float) ((x * G_GUINT64_CONSTANT (0x2545f4914f6cdd1d)) >> 40) * 0x1p-24f;
}

static gint32
best_of (const float *logits, int n)
{
  gint32 best = 0;

  while (best + 1 < n && isnan (logits[best]))
    best++;
  for (gint32 i = best + 1; i < n; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

static gboolean
penalizes (const FacetSampling *s)
{
  return s->repeat_penalty > 0 && s->repeat_penalty != 1;
}

/* Where in the recent tokens those begin that count. */
static gsize
first_recent (const FacetSampling *s, gsize n_recent)
{
  gsize last = s->repeat_last > 0 ? (gsize) s->repeat_last : 64;

  return n_recent > last ? n_recent - last : 0;
}

static float
penalized (float logit, const FacetSampling *s)
{
  return logit > 0 ? logit / s->repeat_penalty : logit * s->repeat_penalty;
}

static void
penalize (float *logits, int n, const FacetSampling *s, const gint32 *recent, gsize n_recent)
{
  gsize from = first_recent (s, n_recent);

  for (gsize i = from; i < n_recent; i++) {
    gint32 id = recent[i];
    gboolean seen = id < 0 || id >= n;

    for (gsize j = from; j < i && !seen; j++)
      seen = recent[j] == id;
    if (!seen)
      logits[id] = penalized (logits[id], s);
  }
}

static gboolean
is_recent (gint32 id, const FacetSampling *s, const gint32 *recent, gsize n_recent)
{
  for (gsize i = first_recent (s, n_recent); i < n_recent; i++)
    if (recent[i] == id)
      return TRUE;
  return FALSE;
}

static int
by_falling_value (gconstpointer a, gconstpointer b, gpointer unused)
{
  const FacetBest *x = a, *y = b;

  return x->value > y->value ? -1 : x->value < y->value ? 1 : x->column < y->column ? -1 : x->column > y->column;
}

/* Beyond e^-20 nothing is ever drawn at 24 bits of randomness. */
static float
reach_from (float top, const FacetSampling *s)
{
  return top - 20 * s->temperature;
}

/* The candidates that can matter, best first. */
static int
gather (const float *logits, int n, float lowest, FacetBest *found)
{
  int count = 0;

  for (gint32 i = 0; i < n; i++)
    if (logits[i] >= lowest)
      found[count++] = (FacetBest) { logits[i], i };
  g_qsort_with_data (found, count, sizeof *found, by_falling_value, NULL);
  return count;
}

/* Draws one of @count candidates within reach, best first. */
static gint32
choose (const FacetBest *found, int count, const FacetSampling *s, FacetRandom *random)
{
  float sum = 0, mass = 0, total, top = found[0].value, draw;
  int kept;

  if (s->top_k > 0)
    count = MIN (count, s->top_k);
  for (int i = 0; i < count; i++)
    sum += expf ((found[i].value - top) / s->temperature);
  for (kept = 0; kept < count; kept++) {
    float p = expf ((found[kept].value - top) / s->temperature) / sum;

    if (kept > 0 && ((s->top_p > 0 && s->top_p < 1 && mass >= s->top_p) || (s->min_p > 0 && p * sum < s->min_p)))
      break;
    mass += p;
  }
  total = mass;
  draw = random_unit (random) * total;
  for (int i = 0; i < kept; i++) {
    draw -= expf ((found[i].value - top) / s->temperature) / sum;
    if (draw < 0)
      return found[i].column;
  }
  return found[kept - 1].column;
}

gint32
facet_sample (float *logits, int n, const FacetSampling *s, const gint32 *recent, gsize n_recent, FacetRandom *random, FacetBest *scratch)
{
  gint32 best;

  if (penalizes (s))
    penalize (logits, n, s, recent, n_recent);
  best = best_of (logits, n);
  if (s->temperature <= 0 || isnan (logits[best]))
    return best;
  return choose (scratch, gather (logits, n, reach_from (logits[best], s), scratch), s, random);
}

gboolean
facet_sampling_raises (const FacetSampling *sampling)
{
  return penalizes (sampling) && sampling->repeat_penalty < 1;
}

gint32
facet_sample_best (FacetBest *best, int n, const FacetBest *floor, const FacetSampling *s, const gint32 *recent, gsize n_recent,
                   FacetRandom *random)
{
  int sure = 0, count = 0;
  float lowest;

  if (floor && facet_sampling_raises (s))
    return -1;
  for (int i = 0; i < n && penalizes (s); i++)
    if (is_recent (best[i].column, s, recent, n_recent))
      best[i].value = penalized (best[i].value, s);
  g_qsort_with_data (best, n, sizeof *best, by_falling_value, NULL);
  /* No other comes before these. */
  while (sure < n && (!floor || by_falling_value (&best[sure], floor, NULL) <= 0))
    sure++;
  if (sure == 0)
    return -1;
  if (s->temperature <= 0)
    return best[0].column;
  lowest = reach_from (best[0].value, s);
  while (count < sure && best[count].value >= lowest)
    count++;
  if (floor && floor->value >= lowest && (s->top_k <= 0 || s->top_k > sure))
    return -1;
  return choose (best, count, s, random);
}
