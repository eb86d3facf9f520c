#include "session/timeline.h"

#include "models/projector.h"

static void
span_clear (gpointer data)
{
  facet_media_clear (&((FacetSpan *) data)->media);
}

void
facet_timeline_init (FacetTimeline *timeline)
{
  timeline->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  timeline->spans = g_array_new (FALSE, FALSE, sizeof (FacetSpan));
  g_array_set_clear_func (timeline->spans, span_clear);
}

void
facet_timeline_clear (FacetTimeline *timeline)
{
  g_clear_pointer (&timeline->ids, g_array_unref);
  g_clear_pointer (&timeline->spans, g_array_unref);
}

static void
append_rows (FacetTimeline *timeline, gint32 id, int n)
{
  for (int i = 0; i < n; i++)
    g_array_append_val (timeline->ids, id);
}

static gboolean
append_media (FacetTimeline *timeline, FacetMedia media, gboolean bare, FacetProjector *projector, int vocab, GError **error)
{
  FacetSpan span = { .start = (int) timeline->ids->len };

  if (!projector) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER, "the prompt has a %s, the model no projector",
                 media.image ? "picture" : "sound");
    return FALSE;
  }
  span.n = media.image ? facet_projector_count (projector, media.image) : facet_projector_count_audio (projector, media.audio, error);
  if (span.n < 0)
    return FALSE;
  span.media = facet_media_ref (media);
  g_array_append_val (timeline->spans, span);
  append_rows (timeline, FACET_ID_MEDIA, span.n);
  if (media.audio && !bare)
    append_rows (timeline, vocab - 1, facet_projector_sound_rows (projector) - span.n);
  return TRUE;
}

gboolean
facet_timeline_fill (FacetTimeline *timeline, const FacetRendered *rendered, FacetProjector *projector, int vocab, GError **error)
{
  guint media = 0;

  for (guint i = 0; i < rendered->ids->len; i++) {
    gint32 id = g_array_index (rendered->ids, gint32, i);

    if (id != FACET_ID_MEDIA)
      g_array_append_val (timeline->ids, id);
    else if (!append_media (timeline, g_array_index (rendered->media, FacetMedia, media++), rendered->bare, projector, vocab, error))
      return FALSE;
  }
  return TRUE;
}

void
facet_timeline_cut (FacetTimeline *timeline, int length)
{
  g_array_set_size (timeline->ids, length);
  while (timeline->spans->len > 0) {
    const FacetSpan *last = &g_array_index (timeline->spans, FacetSpan, timeline->spans->len - 1);

    if (last->start < length)
      break;
    g_array_set_size (timeline->spans, timeline->spans->len - 1);
  }
}

void
facet_timeline_copy (FacetTimeline *timeline, const FacetTimeline *other, int from, int to)
{
  g_array_append_vals (timeline->ids, &g_array_index (other->ids, gint32, from), to - from);
  for (guint i = 0; i < other->spans->len; i++) {
    FacetSpan span = g_array_index (other->spans, FacetSpan, i);

    if (span.start < from || span.start >= to)
      continue;
    facet_media_ref (span.media);
    g_array_append_val (timeline->spans, span);
  }
}

const FacetSpan *
facet_timeline_span (const FacetTimeline *timeline, int row)
{
  for (guint i = 0; i < timeline->spans->len; i++) {
    const FacetSpan *span = &g_array_index (timeline->spans, FacetSpan, i);

    if (row >= span->start && row < span->start + span->n)
      return span;
  }
  return NULL;
}

int
facet_timeline_common (const FacetTimeline *a, const FacetTimeline *b)
{
  int length = MIN (a->ids->len, b->ids->len), row = 0;

  while (row < length && g_array_index (a->ids, gint32, row) == g_array_index (b->ids, gint32, row)) {
    const FacetSpan *x, *y;

    if (g_array_index (a->ids, gint32, row) >= 0) {
      row++;
      continue;
    }
    x = facet_timeline_span (a, row);
    y = facet_timeline_span (b, row);
    if (!x || !y || x->start != y->start || x->n != y->n || !facet_media_equal (x->media, y->media))
      break;
    row = x->start + x->n;
  }
  return MIN (row, length);
}

int
facet_timeline_crops (const FacetTimeline *timeline, int *rows)
{
  int crops = 0;

  *rows = 0;
  for (guint i = 0; i < timeline->spans->len; i++) {
    const FacetSpan *span = &g_array_index (timeline->spans, FacetSpan, i);

    if (span->media.crop > 0) {
      crops++;
      *rows += span->n;
    }
  }
  return crops;
}
