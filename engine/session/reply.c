#include <math.h>
#include <string.h>

#include "chat/answer.h"
#include "session/sampler.h"
#include "session/session-private.h"

/* A text that repeats up to so many tokens over and over is not going on. */
#define LOOP_PERIOD 32
#define LOOP_TOKENS 128
#define LOOP_TIMES 8

const char *
facet_stop_reason_name (FacetStopReason reason)
{
  static const char *const names[] = { "eos", "length", "context", "cancelled", "loop" };

  return names[reason];
}

void
facet_reply_clear (FacetReply *reply)
{
  g_clear_pointer (&reply->text, g_free);
  g_clear_pointer (&reply->thoughts, g_free);
  g_clear_pointer (&reply->calls, g_ptr_array_unref);
  g_clear_pointer (&reply->ids, g_array_unref);
}

static gboolean
is_loop (const GArray *ids)
{
  for (guint period = 1; period <= LOOP_PERIOD; period++) {
    guint span = MAX (LOOP_TOKENS, period * LOOP_TIMES), i;

    if (ids->len < span + period)
      break;
    for (i = 0; i < span; i++)
      if (g_array_index (ids, gint32, ids->len - 1 - i) != g_array_index (ids, gint32, ids->len - 1 - i - period))
        break;
    if (i == span)
      return TRUE;
  }
  return FALSE;
}

typedef struct {
  FacetAnswer *answer;
  FacetRandom  random;
  FacetBest   *scratch;
  GArray      *seen;    /* the answer, for the penalty; a question's own words may well come again */
  GArray      *refused; /* of the draw that goes on */
  gint32       placeholders[3];
} Draw;

static void
init_draw (Draw *d, FacetModel *model, FacetAnswer *answer, guint64 seed)
{
  d->answer = answer;
  d->scratch = g_new (FacetBest, model->decoder->vocab);
  d->seen = g_array_new (FALSE, FALSE, sizeof (gint32));
  d->refused = g_array_new (FALSE, FALSE, sizeof (gint32));
  d->placeholders[0] = facet_token_placeholder (model, FALSE);
  d->placeholders[1] = facet_token_placeholder (model, TRUE);
  d->placeholders[2] = facet_tokenizer_lookup (model->tokenizer, "<|video|>");
  facet_random_seed (&d->random, seed);
}

static void
clear_draw (Draw *d)
{
  g_free (d->scratch);
  g_array_unref (d->seen);
  g_array_unref (d->refused);
}

/* Ids that stand for media in the input never come out. */
static gboolean
is_banned (const Draw *d, FacetModel *model, gint32 id)
{
  if (id >= model->text_vocab)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (d->placeholders); i++)
    if (id == d->placeholders[i])
      return TRUE;
  for (guint i = 0; i < d->refused->len; i++)
    if (id == g_array_index (d->refused, gint32, i))
      return TRUE;
  return FALSE;
}

/* A token refused so often inside a call means that there is no room for what
 * the model wants to write. */
#define MAX_REFUSALS 16

/* Tokens that may still come. */
static guint
tokens_left (const FacetSession *session, const FacetReplyParams *params, const FacetReply *reply)
{
  guint left = session->context - session->held.ids->len + 1;

  return params->max_tokens > 0 ? MIN (left, (guint) params->max_tokens - reply->ids->len) : left;
}

/* All logits, without those of banned tokens. */
static gboolean
whole_row (FacetSession *session, const Draw *d, FacetCancel *cancel, GError **error)
{
  int vocab = session->model->decoder->vocab;

  if (!facet_session_read_logits (session, cancel, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (d->placeholders); i++)
    if (d->placeholders[i] >= 0 && d->placeholders[i] < vocab)
      session->logits[d->placeholders[i]] = -INFINITY;
  for (guint i = 0; i < d->refused->len; i++)
    session->logits[g_array_index (d->refused, gint32, i)] = -INFINITY;
  for (int id = session->model->text_vocab; id < vocab; id++)
    session->logits[id] = -INFINITY;
  return TRUE;
}

/* From the largest logits alone; -1 if they do not suffice. */
static gint32
draw_best (FacetSession *session, const FacetSampling *sampling, Draw *d)
{
  const FacetBest *floor = session->n_best == FACET_N_BEST ? &session->best[FACET_N_BEST - 1] : NULL;
  FacetBest best[FACET_N_BEST];

  if (session->n_best == 0)
    return -1;
  memcpy (best, session->best, sizeof *best * session->n_best);
  for (int i = 0; i < session->n_best; i++)
    if (is_banned (d, session->model, best[i].column))
      best[i].value = -INFINITY;
  return facet_sample_best (best, session->n_best, floor, sampling, (const gint32 *) d->seen->data, d->seen->len, &d->random);
}

/* -1 on error. */
static gint32
draw_once (FacetSession *session, FacetSampling *sampling, Draw *d, FacetCancel *cancel, GError **error)
{
  gint32 id = session->away ? draw_best (session, sampling, d) : -1;

  if (id >= 0)
    return id;
  if (!whole_row (session, d, cancel, error))
    return -1;
  id = facet_sample (session->logits, session->model->decoder->vocab, sampling, (const gint32 *) d->seen->data, d->seen->len, &d->random,
                     d->scratch);
  sampling->repeat_penalty = 0; /* once is enough */
  return id;
}

/* Leaves what may go on with the call. */
static gboolean
mask (FacetSession *session, const Draw *d, FacetCancel *cancel, GError **error)
{
  return whole_row (session, d, cancel, error) && facet_answer_mask (d->answer, session->logits, session->model->decoder->vocab, error);
}

/* -1 on error. Punctuation repeats in calls: no penalty there. */
static gint32
draw (FacetSession *session, const FacetReplyParams *params, Draw *d, const FacetReply *reply, GError **error)
{
  FacetSampling sampling = params->sampling;
  guint left = tokens_left (session, params, reply);

  g_array_set_size (d->refused, 0);
  if (facet_answer_is_bound (d->answer)) {
    sampling.repeat_penalty = 0;
    if (is_loop (reply->ids) || facet_answer_is_late (d->answer, left))
      facet_answer_hurry (d->answer);
    if (!mask (session, d, params->cancel, error))
      return -1;
  }
  for (;;) {
    gint32 id = draw_once (session, &sampling, d, params->cancel, error);

    if (id < 0 || facet_answer_allows (d->answer, id, left))
      return id;
    g_array_append_val (d->refused, id);
    if (facet_answer_is_bound (d->answer) && d->refused->len == MAX_REFUSALS + 1) {
      facet_answer_hurry (d->answer);
      if (!mask (session, d, params->cancel, error))
        return -1;
    }
  }
}

/* TRUE: the answer is over, for the reason stored. */
static gboolean
take_token (FacetSession *session, const FacetReplyParams *params, FacetAnswer *answer, FacetReply *reply, gint32 id)
{
  if (!params->endless && facet_tokenizer_is_end (session->model->tokenizer, id)) {
    reply->stop_reason = FACET_STOP_EOS;
    return TRUE;
  }
  g_array_append_val (reply->ids, id);
  if (facet_answer_take (answer, id))
    reply->stop_reason = FACET_STOP_EOS;
  else if (params->max_tokens > 0 && reply->ids->len >= (guint) params->max_tokens)
    reply->stop_reason = FACET_STOP_LENGTH;
  else if ((int) session->held.ids->len >= session->context)
    reply->stop_reason = FACET_STOP_CONTEXT;
  else if (!params->endless && !facet_answer_is_bound (answer) && is_loop (reply->ids))
    reply->stop_reason = FACET_STOP_LOOP;
  else
    return FALSE;
  return TRUE;
}

/* -1: there is no driver whose time could be told. */
static gint64
driver_us (const FacetSession *session)
{
  return session->backend->klass->driver_us != NULL ? session->backend->klass->driver_us (session->backend) : -1;
}

static gboolean
generate (FacetSession *session, const FacetReplyParams *params, Draw *d, FacetReply *reply, GError **error)
{
  gint64 start = 0, driver = -1;

  for (;;) {
    gboolean whole;
    gint32 id;

    if (facet_is_cancelled (params->cancel)) {
      reply->stop_reason = FACET_STOP_CANCELLED;
      break;
    }
    id = draw (session, params, d, reply, error);
    if (id < 0)
      return FALSE;
    g_array_append_val (d->seen, id);
    if (start == 0) {
      start = g_get_monotonic_time ();
      driver = driver_us (session);
    }
    if (take_token (session, params, d->answer, reply, id))
      break;
    if (params->on_progress)
      params->on_progress (FACET_PHASE_DECODE, reply->ids->len, MAX (params->max_tokens, 0), params->user_data);
    whole = facet_answer_is_bound (d->answer) || facet_sampling_raises (&params->sampling);
    if (!facet_session_step (session, id, whole, params->cancel, error))
      return FALSE;
  }
  facet_answer_end (d->answer);
  reply->stats.generated_tokens = reply->ids->len;
  reply->stats.decode_seconds = start ? (g_get_monotonic_time () - start) / 1e6 : 0;
  /* A device opened anew in between begins at 0. */
  reply->stats.driver_seconds = driver >= 0 ? MAX (driver_us (session) - driver, 0) / 1e6 : 0;
  return TRUE;
}

static gboolean
answer_timeline (FacetSession *session, const FacetTimeline *timeline, const FacetReplyParams *params, FacetAnswer *answer, FacetReply *reply, GError **error)
{
  guint64 seed = params->sampling.seed ? params->sampling.seed : (guint64) g_random_int () << 32 | g_random_int ();
  gint64 start = g_get_monotonic_time ();
  gboolean done;
  Draw d;

  reply->stats.prompt_tokens = timeline->ids->len;
  reply->stats.crops = facet_timeline_crops (timeline, &reply->stats.crop_tokens);
  reply->stats.cached_tokens = facet_session_reusable (session, timeline, FALSE);
  if (!facet_session_sync (session, timeline, NULL, NULL, params->on_progress, params->user_data, params->cancel, error))
    return FALSE;
  reply->stats.prefill_seconds = reply->stats.first_token_seconds = (g_get_monotonic_time () - start) / 1e6;
  init_draw (&d, session->model, answer, seed);
  done = generate (session, params, &d, reply, error);
  clear_draw (&d);
  return done;
}

gboolean
facet_session_reply (FacetSession *session, FacetPrompt *prompt, const FacetReplyParams *params, FacetReply *reply, GError **error)
{
  static const FacetReplyParams usual;
  g_auto (FacetRendered) rendered = { NULL };
  g_auto (FacetTimeline) timeline = { NULL };
  g_autoptr (FacetAnswer) answer = NULL;
  g_autoptr (GError) local = NULL;
  gboolean ok;

  params = params ? params : &usual;
  facet_timeline_init (&timeline);
  memset (reply, 0, sizeof *reply);
  if (!facet_session_lay_out (session, prompt, &timeline, &rendered, error))
    return FALSE;
  answer = facet_answer_new (session->model->tokenizer, prompt, &rendered, params, error);
  if (!answer)
    return FALSE;
  reply->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  ok = answer_timeline (session, &timeline, params, answer, reply, &local);
  if (!ok && g_error_matches (local, FACET_ERROR, FACET_ERROR_CANCELLED)) {
    facet_answer_end (answer);
    reply->stats.generated_tokens = reply->ids->len;
    reply->stop_reason = FACET_STOP_CANCELLED;
    ok = TRUE;
  }
  if (ok) {
    facet_answer_finish (answer, reply);
  } else {
    facet_reply_clear (reply);
    g_propagate_error (error, g_steal_pointer (&local));
  }
  return ok;
}
