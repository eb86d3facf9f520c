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

  for (gint32 i = 1; i < n; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

static void
penalize (float *logits, int n, const FacetSampling *s, const gint32 *recent, gsize n_recent)
{
  gsize last = s->repeat_last > 0 ? (gsize) s->repeat_last : 64, from = n_recent > last ? n_recent - last : 0;

  for (gsize i = from; i < n_recent; i++) {
    gint32 id = recent[i];
    gboolean seen = id < 0 || id >= n;

    for (gsize j = from; j < i && !seen; j++)
      seen = recent[j] == id;
    if (!seen)
      logits[id] = logits[id] > 0 ? logits[id] / s->repeat_penalty : logits[id] * s->repeat_penalty;
  }
}

static int
by_falling_logit (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const float *logits = user_data;
  gint32 i = *(const gint32 *) a, j = *(const gint32 *) b;
  float x = logits[i], y = logits[j];

  return x > y ? -1 : x < y ? 1 : i < j ? -1 : 1;
}

/* The candidates that can matter, best first: those within reach of the
 * best logit, e^-@reach as likely. */
static int
gather (const float *logits, int n, float reach, gint32 *ids)
{
  float top = logits[best_of (logits, n)];
  int count = 0;

  for (gint32 i = 0; i < n; i++)
    if (logits[i] >= top - reach)
      ids[count++] = i;
  g_qsort_with_data (ids, count, sizeof *ids, by_falling_logit, (gpointer) logits);
  return count;
}

gint32
facet_sample (float *logits, int n, const FacetSampling *s, const gint32 *recent, gsize n_recent, FacetRandom *random, gint32 *ids)
{
  float sum = 0, mass = 0, total, top, draw;
  int count, kept;

  if (s->repeat_penalty > 0 && s->repeat_penalty != 1)
    penalize (logits, n, s, recent, n_recent);
  if (s->temperature <= 0)
    return best_of (logits, n);

  /* Beyond e^-20 nothing is ever drawn at 24 bits of randomness. */
  count = gather (logits, n, 20 * s->temperature, ids);
  if (s->top_k > 0)
    count = MIN (count, s->top_k);
  top = logits[ids[0]];
  for (int i = 0; i < count; i++)
    sum += expf ((logits[ids[i]] - top) / s->temperature);
  for (kept = 0; kept < count; kept++) {
    float p = expf ((logits[ids[kept]] - top) / s->temperature) / sum;

    if (kept > 0 && ((s->top_p > 0 && s->top_p < 1 && mass >= s->top_p) || (s->min_p > 0 && p * sum < s->min_p)))
      break;
    mass += p;
  }
  total = mass;
  draw = random_unit (random) * total;
  for (int i = 0; i < kept; i++) {
    draw -= expf ((logits[ids[i]] - top) / s->temperature) / sum;
    if (draw < 0)
      return ids[i];
  }
  return ids[kept - 1];
}
