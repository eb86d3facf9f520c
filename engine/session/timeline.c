#include "session/timeline.h"

static void
span_clear (gpointer data)
{
  g_clear_pointer (&((FacetSpan *) data)->image, facet_image_unref);
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

gboolean
facet_timeline_fill (FacetTimeline *timeline, const FacetRendered *rendered, FacetProjector *projector, GError **error)
{
  guint image = 0;

  for (guint i = 0; i < rendered->ids->len; i++) {
    gint32 id = g_array_index (rendered->ids, gint32, i);
    FacetSpan span = { (int) timeline->ids->len, 1, NULL };

    if (id == FACET_ID_IMAGE) {
      if (!projector) {
        g_set_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER, "the prompt has a picture, the model no projector");
        return FALSE;
      }
      span.image = facet_image_ref (g_ptr_array_index (rendered->images, image++));
      span.n = facet_projector_count (projector, span.image);
      g_array_append_val (timeline->spans, span);
    }
    for (int row = 0; row < span.n; row++)
      g_array_append_val (timeline->ids, id);
  }
  return TRUE;
}

void
facet_timeline_cut (FacetTimeline *timeline, int length)
{
  g_array_set_size (timeline->ids, length);
  while (timeline->spans->len > 0) {
    const FacetSpan *last = &g_array_index (timeline->spans, FacetSpan, timeline->spans->len - 1);

    if (last->start + last->n <= length)
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
    facet_image_ref (span.image);
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

/* A picture made smaller keeps the hash of its file. */
static gboolean
same_picture (const FacetImage *a, const FacetImage *b)
{
  return facet_image_width (a) == facet_image_width (b) && facet_image_height (a) == facet_image_height (b)
         && g_str_equal (facet_image_hash (a), facet_image_hash (b));
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
    if (!x || !y || x->start != y->start || x->n != y->n || !same_picture (x->image, y->image))
      break;
    row = x->start + x->n;
  }
  return MIN (row, length);
}
