#include <math.h>

#include "session/session-private.h"

typedef struct {
  GArray *logits;
  int     vocab;
} Collect;

static void
collect_rows (int first, int n, const float *logits, gpointer user_data)
{
  Collect *collect = user_data;

  g_array_append_vals (collect->logits, logits, (guint) n * collect->vocab);
}

gboolean
facet_session_logits (FacetSession *session, FacetPrompt *prompt, gboolean all, GArray *logits, FacetCancel *cancel, GError **error)
{
  g_auto (FacetRendered) rendered = { NULL };
  g_auto (FacetTimeline) timeline = { NULL };
  Collect collect = { logits, session->model->decoder->vocab };

  facet_timeline_init (&timeline);
  g_array_set_size (logits, 0);
  if (!facet_session_lay_out (session, prompt, &timeline, &rendered, error))
    return FALSE;
  if (all && (guint64) timeline.ids->len * collect.vocab > G_MAXUINT / sizeof (float)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "logits of %u rows of %d are too many at once", timeline.ids->len, collect.vocab);
    return FALSE;
  }
  if (!facet_session_sync (session, &timeline, all ? collect_rows : NULL, &collect, NULL, NULL, cancel, error))
    return FALSE;
  if (all)
    return TRUE;
  if (!facet_session_read_logits (session, cancel, error))
    return FALSE;
  g_array_append_vals (logits, session->logits, collect.vocab);
  return TRUE;
}

typedef struct {
  const gint32 *ids;
  int           n, vocab;
  double       *logprobs;
} Scoring;

static void
score_rows (int first, int n, const float *logits, gpointer user_data)
{
  Scoring *s = user_data;

  for (int row = first; row < first + n && row + 1 < s->n; row++) {
    const float *l = logits + (gsize) (row - first) * s->vocab;
    double sum = 0;
    float top = l[0];

    for (int i = 1; i < s->vocab; i++)
      top = MAX (top, l[i]);
    for (int i = 0; i < s->vocab; i++)
      sum += exp ((double) l[i] - top);
    s->logprobs[row + 1] = (double) l[s->ids[row + 1]] - top - log (sum);
  }
}

gboolean
facet_session_score (FacetSession *session, const gint32 *ids, gsize n, double *logprobs, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_auto (FacetRendered) rendered = { NULL };
  g_auto (FacetTimeline) timeline = { NULL };
  Scoring scoring = { ids, (int) n, session->model->decoder->vocab, logprobs };

  facet_timeline_init (&timeline);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, n);
  if (n == 0 || n > G_MAXINT) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%" G_GSIZE_FORMAT " tokens to score", n);
    return FALSE;
  }
  for (gsize i = 0; i < n; i++)
    if (ids[i] < 0 || ids[i] >= scoring.vocab) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "token %d is none of the vocabulary of %d", ids[i], scoring.vocab);
      return FALSE;
    }
  if (!facet_session_lay_out (session, prompt, &timeline, &rendered, error))
    return FALSE;
  logprobs[0] = NAN;
  return facet_session_sync (session, &timeline, score_rows, &scoring, NULL, NULL, cancel, error);
}
