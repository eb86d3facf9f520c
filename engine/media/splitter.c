#include "media/audio.h"

#include <math.h>

#define FRAME 320                 /* 20 ms */
#define FRAMES(seconds) ((int) ((seconds) * FACET_AUDIO_RATE / FRAME))
#define SILENCE -62.0f            /* dB of full scale; never speech below */
#define SHORT_SILENCE -50.0f      /* where the sound is too short to show its floor */
#define ABOVE_FLOOR 8.0f          /* dB */
#define PEAK_ABOVE 4.0f           /* dB that a stretch must reach over the gate */
#define BLOCK FRAMES (0.5)        /* of the noise floor */
#define BLOCKS_AROUND 6
#define SHORTEST FRAMES (0.08)    /* a click is shorter */
#define JOINED FRAMES (0.3)       /* gaps inside words and phrases */
#define PADDING FRAMES (0.2)
#define LONGEST_GAP FRAMES (3.0)  /* inside a piece */
#define LEAST_OVERLAP FRAMES (1.0)
#define LONGEST_OVERLAP FRAMES (2.5)
#define AROUND FRAMES (0.12)      /* of the weakest place of endless speech */

typedef struct {
  int start, end; /* frames */
} Stretch;

/* ---- levels ---- */

/* dB of each frame after a high-pass at 100 Hz, against hum and offset. */
static GArray *
measure (FacetAudio *audio, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetAudioReader) reader = facet_audio_reader_new (audio, error);
  g_autoptr (GArray) levels = g_array_new (FALSE, FALSE, sizeof (float));
  float samples[FRAME], last = 0, y = 0;
  gssize n;

  if (reader == NULL)
    return NULL;
  while ((n = facet_audio_reader_read (reader, samples, FRAME, error)) > 0) {
    double energy = 1e-12;
    float level;

    for (gssize i = 0; i < n; i++) {
      y = 0.9615f * (y + samples[i] - last);
      last = samples[i];
      energy += (double) y * y;
    }
    level = (float) (10 * log10 (energy / (double) n));
    g_array_append_val (levels, level);
    if (facet_is_cancelled (cancel)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "splitting: cancelled");
      return NULL;
    }
  }
  return n < 0 ? NULL : g_steal_pointer (&levels);
}

/* Means over 100 ms: noise then varies by less than a decibel. */
static float *
smooth (const float *levels, int n)
{
  float *out = g_new (float, MAX (n, 1));

  for (int i = 0; i < n; i++) {
    int from = MAX (0, i - 2), to = MIN (n, i + 3);
    float sum = 0;

    for (int j = from; j < to; j++)
      sum += levels[j];
    out[i] = sum / (float) (to - from);
  }
  return out;
}

/* The gate of each block: over the least level within three seconds. */
static float *
make_gates (const float *levels, int n)
{
  int blocks = (n + BLOCK - 1) / BLOCK;
  g_autofree float *least = g_new (float, blocks + 1);
  float *gates = g_new (float, blocks + 1);

  for (int b = 0; b < blocks; b++) {
    least[b] = INFINITY;
    for (int i = b * BLOCK; i < MIN (n, (b + 1) * BLOCK); i++)
      least[b] = MIN (least[b], levels[i]);
  }
  for (int b = 0; b < blocks; b++) {
    float floor_level = INFINITY;

    for (int other = MAX (0, b - BLOCKS_AROUND); other < MIN (blocks, b + BLOCKS_AROUND + 1); other++)
      floor_level = MIN (floor_level, least[other]);
    gates[b] = n < FRAMES (1) ? SHORT_SILENCE : MAX (floor_level + ABOVE_FLOOR, SILENCE);
  }
  return gates;
}

/* ---- speech ---- */

static void
add_stretch (GArray *speech, int start, int end)
{
  Stretch *last = speech->len > 0 ? &g_array_index (speech, Stretch, speech->len - 1) : NULL;
  Stretch stretch = { start, end };

  if (last != NULL && start - last->end < JOINED)
    last->end = end;
  else
    g_array_append_val (speech, stretch);
}

static GArray *
find_speech (const float *levels, int n)
{
  g_autofree float *smoothed = smooth (levels, n), *gates = make_gates (smoothed, n);
  GArray *speech = g_array_new (FALSE, FALSE, sizeof (Stretch));

  for (int i = 0; i < n;) {
    float peak = -INFINITY;
    int start = i;

    while (i < n && smoothed[i] > gates[i / BLOCK]) {
      peak = MAX (peak, smoothed[i] - gates[i / BLOCK]);
      i++;
    }
    if (i - start >= MIN (SHORTEST, n) && peak >= PEAK_ABOVE)
      add_stretch (speech, start, i);
    if (i == start)
      i++;
  }
  return speech;
}

/* ---- pieces ---- */

static void
add_piece (GArray *pieces, int start, int end, gboolean overlaps, double duration)
{
  FacetPiece piece = {
    .start = (double) start * FRAME / FACET_AUDIO_RATE,
    .end = MIN ((double) end * FRAME / FACET_AUDIO_RATE, duration),
    .overlaps = overlaps,
  };

  g_array_append_val (pieces, piece);
}

/* The frame from @from to @to - 1 with the least around it, so that a pause
 * counts for more than the closure of a consonant; the last one of those that
 * differ by less than 2 dB. */
static int
weakest (const float *levels, int from, int to)
{
  float least = INFINITY;
  int best = from;

  for (int i = from; i < to; i++) {
    float sum = 0, mean;

    for (int j = MAX (i - AROUND, 0); j < i + AROUND; j++)
      sum += MAX (levels[j], SILENCE);
    mean = roundf (sum / (2 * AROUND) / 2);
    if (mean <= least) {
      least = mean;
      best = i;
    }
  }
  return best;
}

/* Endless speech: cuts at the weakest place of a piece's second half; returns
 * where the rest begins. */
static int
cut_hard (GArray *pieces, const float *levels, int start, int end, int max, gboolean *overlaps, double duration)
{
  while (end + PADDING - start > max) {
    int cut = weakest (levels, start + max / 2, MIN (start + max, end) - AROUND);

    add_piece (pieces, start, cut, *overlaps, duration);
    start = weakest (levels, MAX (cut - LONGEST_OVERLAP, start + max / 4), cut - LEAST_OVERLAP);
    *overlaps = TRUE;
  }
  return start;
}

/* Stretches first .. last fit one piece. If more follow at once, the longest
 * pause of the second half is the best place to stop. */
static guint
last_of_piece (GArray *speech, guint first, int start, int max)
{
  guint last = first, best;

  while (last + 1 < speech->len
         && g_array_index (speech, Stretch, last + 1).start - g_array_index (speech, Stretch, last).end <= LONGEST_GAP
         && g_array_index (speech, Stretch, last + 1).end + PADDING - start <= max)
    last++;
  if (last + 1 == speech->len)
    return last;
  best = last;
  for (guint i = last; i > first && g_array_index (speech, Stretch, i - 1).end - start > max / 2; i--) {
    int gap = g_array_index (speech, Stretch, i).start - g_array_index (speech, Stretch, i - 1).end;

    if (gap > g_array_index (speech, Stretch, best + 1).start - g_array_index (speech, Stretch, best).end)
      best = i - 1;
  }
  return best;
}

static GArray *
make_pieces (GArray *speech, const float *levels, int n, int max, double duration)
{
  GArray *pieces = g_array_new (FALSE, FALSE, sizeof (FacetPiece));

  for (guint first = 0, last; first < speech->len; first = last + 1) {
    const Stretch *s = &g_array_index (speech, Stretch, first);
    int before = first > 0 ? s->start - g_array_index (speech, Stretch, first - 1).end : s->start;
    int start = s->start - MIN (PADDING, before / 2), end, after;
    gboolean overlaps = FALSE;

    start = cut_hard (pieces, levels, start, s->end, max, &overlaps, duration);
    last = last_of_piece (speech, first, start, max);
    end = g_array_index (speech, Stretch, last).end;
    after = last + 1 < speech->len ? g_array_index (speech, Stretch, last + 1).start - end : 2 * (n - end);
    add_piece (pieces, start, end + MIN (PADDING, after / 2), overlaps, duration);
  }
  return pieces;
}

GArray *
facet_audio_split (FacetAudio *audio, double max_seconds, FacetCancel *cancel, GError **error)
{
  g_autoptr (GArray) levels = NULL, speech = NULL;
  const float *values;

  if (max_seconds == 0)
    max_seconds = 28;
  if (!(max_seconds >= 5 && max_seconds <= FACET_MAX_CLIP_SECONDS)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "pieces of %g seconds, must be 5 to %d", max_seconds,
                 FACET_MAX_CLIP_SECONDS);
    return NULL;
  }
  levels = measure (audio, cancel, error);
  if (levels == NULL)
    return NULL;
  values = (const float *) (gpointer) levels->data;
  speech = find_speech (values, (int) levels->len);
  return make_pieces (speech, values, (int) levels->len, FRAMES (max_seconds), facet_audio_duration (audio));
}

FacetAudio *
facet_audio_clip (FacetAudio *audio, double start, double end, GError **error)
{
  gint64 first = (gint64) (start * FACET_AUDIO_RATE + 0.5), length = (gint64) (end * FACET_AUDIO_RATE + 0.5) - first;
  g_autoptr (FacetAudioReader) reader = NULL;
  g_autofree float *samples = NULL;
  gssize n;

  if (!(start >= 0 && end > start && end - start <= FACET_MAX_CLIP_SECONDS) || first >= facet_audio_length (audio)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "a clip from %g to %g seconds of %g", start, end,
                 facet_audio_duration (audio));
    return NULL;
  }
  reader = facet_audio_reader_new (audio, error);
  if (reader == NULL || !facet_audio_reader_seek (reader, first, error))
    return NULL;
  samples = g_new (float, length);
  n = facet_audio_reader_read (reader, samples, (gsize) length, error);
  return n < 0 ? NULL : facet_audio_new_samples (samples, (gsize) n, 1, FACET_AUDIO_RATE, error);
}

GPtrArray *
facet_audio_clips (FacetAudio *audio, FacetCancel *cancel, GError **error)
{
  g_autoptr (GPtrArray) clips = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_audio_unref);
  g_autoptr (GArray) pieces = NULL;

  if (facet_audio_length (audio) <= FACET_MAX_CLIP_SECONDS * FACET_AUDIO_RATE) {
    g_ptr_array_add (clips, facet_audio_ref (audio));
    return g_steal_pointer (&clips);
  }
  pieces = facet_audio_split (audio, 0, cancel, error);
  if (pieces == NULL)
    return NULL;
  for (guint i = 0; i < pieces->len; i++) {
    const FacetPiece *piece = &g_array_index (pieces, FacetPiece, i);
    FacetAudio *clip = facet_audio_clip (audio, piece->start, piece->end, error);

    if (clip == NULL)
      return NULL;
    g_ptr_array_add (clips, clip);
  }
  return g_steal_pointer (&clips);
}
