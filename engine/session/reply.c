#include <math.h>
#include <string.h>

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
  g_clear_pointer (&reply->ids, g_array_unref);
}

/* Text on its way out: held until it is whole UTF-8 and no stop string any
 * more. */
typedef struct {
  const FacetReplyParams *params;
  const char *const      *template_stops;
  gboolean                skip_blank;
  GString                *pending;
  GString                *text;
} Output;

static const char *const *
stops_of (const Output *out, int which)
{
  static const char *const none[] = { NULL };

  if (which == 0)
    return out->template_stops;
  return out->params->stop_strings ? out->params->stop_strings : none;
}

static void
emit (Output *out, gsize length)
{
  g_autofree char *valid = NULL;
  const char *text;

  if (length == 0)
    return;
  valid = g_utf8_make_valid (out->pending->str, (gssize) length);
  text = valid;
  g_string_erase (out->pending, 0, (gssize) length);
  if (out->skip_blank && out->text->len == 0)
    while (*text == ' ')
      text++;
  if (*text == 0)
    return;
  g_string_append (out->text, text);
  if (out->params->on_text)
    out->params->on_text (text, strlen (text), out->params->user_data);
}

/* The first byte of a stop string in what is pending, or -1. */
static gssize
find_stop (const Output *out)
{
  gssize first = -1;

  for (int which = 0; which < 2; which++)
    for (const char *const *stop = stops_of (out, which); *stop; stop++) {
      const char *at = **stop ? memmem (out->pending->str, out->pending->len, *stop, strlen (*stop)) : NULL;

      if (at && (first < 0 || at - out->pending->str < first))
        first = at - out->pending->str;
    }
  return first;
}

/* Bytes at the end that may yet become a stop string or a character. */
static gsize
held_back (const Output *out)
{
  const GString *pending = out->pending;
  const char *end;
  gsize held = 0;

  for (int which = 0; which < 2; which++)
    for (const char *const *stop = stops_of (out, which); *stop; stop++)
      for (gsize n = MIN (strlen (*stop), pending->len); n > held; n--)
        if (memcmp (pending->str + pending->len - n, *stop, n) == 0)
          held = n;
  for (gsize n = 1; n <= MIN ((gsize) 3, pending->len); n++) {
    guchar lead = (guchar) pending->str[pending->len - n];

    if (lead < 0x80)
      break;
    if (lead >= 0xc0) {
      end = pending->str + pending->len - n;
      if (g_utf8_get_char_validated (end, (gssize) n) == (gunichar) -2)
        held = MAX (held, n);
      break;
    }
  }
  return held;
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

/* Ids that stand for media in the input never come out. */
static void
ban_placeholders (FacetModel *model, float *logits)
{
  static const char *const names[] = { "<image_soft_token>", "<audio_soft_token>", "<|image|>", "<|audio|>", "<|video|>" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    gint32 id = facet_tokenizer_lookup (model->tokenizer, names[i]);

    if (id >= 0 && id < model->decoder->vocab)
      logits[id] = -INFINITY;
  }
  for (int id = model->text_vocab; id < model->decoder->vocab; id++)
    logits[id] = -INFINITY;
}

typedef struct {
  FacetRandom random;
  gint32     *scratch;
  GArray     *seen;  /* the answer, for the penalty; a question's own words may well come again */
} Draw;

static gint32
draw (FacetSession *session, const FacetReplyParams *params, Draw *d)
{
  ban_placeholders (session->model, session->logits);
  return facet_sample (session->logits, session->model->decoder->vocab, &params->sampling,
                       (const gint32 *) d->seen->data, d->seen->len, &d->random, d->scratch);
}

/* TRUE: the answer is over, for the reason stored. */
static gboolean
take_token (FacetSession *session, const FacetReplyParams *params, Output *out, FacetReply *reply, gint32 id)
{
  gssize stop;

  if (!params->endless && facet_tokenizer_is_end (session->model->tokenizer, id)) {
    reply->stop_reason = FACET_STOP_EOS;
    return TRUE;
  }
  g_array_append_val (reply->ids, id);
  facet_tokenizer_decode (session->model->tokenizer, id, out->pending);
  stop = params->endless ? -1 : find_stop (out);
  if (stop >= 0) {
    emit (out, (gsize) stop);
    g_string_truncate (out->pending, 0);
    reply->stop_reason = FACET_STOP_EOS;
    return TRUE;
  }
  emit (out, out->pending->len - held_back (out));
  if (params->max_tokens > 0 && reply->ids->len >= (guint) params->max_tokens)
    reply->stop_reason = FACET_STOP_LENGTH;
  else if ((int) session->held.ids->len >= session->context)
    reply->stop_reason = FACET_STOP_CONTEXT;
  else if (!params->endless && is_loop (reply->ids))
    reply->stop_reason = FACET_STOP_LOOP;
  else
    return FALSE;
  return TRUE;
}

static gboolean
generate (FacetSession *session, const FacetReplyParams *params, Output *out, Draw *d, FacetReply *reply, GError **error)
{
  gint64 start = 0;

  for (;;) {
    gint32 id;

    if (facet_is_cancelled (params->cancel)) {
      reply->stop_reason = FACET_STOP_CANCELLED;
      break;
    }
    id = draw (session, params, d);
    g_array_append_val (d->seen, id);
    if (start == 0)
      start = g_get_monotonic_time ();
    if (take_token (session, params, out, reply, id))
      break;
    if (params->on_progress)
      params->on_progress (FACET_PHASE_DECODE, reply->ids->len, MAX (params->max_tokens, 0), params->user_data);
    if (!facet_session_step (session, id, params->cancel, error))
      return FALSE;
  }
  emit (out, out->pending->len);
  reply->stats.generated_tokens = reply->ids->len;
  reply->stats.decode_seconds = start ? (g_get_monotonic_time () - start) / 1e6 : 0;
  return TRUE;
}

static gboolean
answer (FacetSession *session, const FacetTimeline *timeline, const FacetReplyParams *params, Output *out, FacetReply *reply, GError **error)
{
  g_autofree gint32 *scratch = g_new (gint32, session->model->decoder->vocab);
  g_autoptr (GArray) seen = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint64 seed = params->sampling.seed ? params->sampling.seed : (guint64) g_random_int () << 32 | g_random_int ();
  gint64 start = g_get_monotonic_time ();
  Draw d = { .scratch = scratch, .seen = seen };

  reply->stats.prompt_tokens = timeline->ids->len;
  reply->stats.crops = facet_timeline_crops (timeline, &reply->stats.crop_tokens);
  reply->stats.cached_tokens = facet_session_reusable (session, timeline, FALSE);
  if (!facet_session_sync (session, timeline, NULL, NULL, params->on_progress, params->user_data, params->cancel, error))
    return FALSE;
  reply->stats.prefill_seconds = reply->stats.first_token_seconds = (g_get_monotonic_time () - start) / 1e6;
  facet_random_seed (&d.random, seed);
  return generate (session, params, out, &d, reply, error);
}

gboolean
facet_session_reply (FacetSession *session, FacetPrompt *prompt, const FacetReplyParams *params, FacetReply *reply, GError **error)
{
  static const FacetReplyParams usual;
  g_auto (FacetRendered) rendered = { NULL };
  g_auto (FacetTimeline) timeline = { NULL };
  g_autoptr (GString) pending = g_string_new (NULL), text = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  Output out = { params ? params : &usual, NULL, FALSE, pending, text };
  gboolean ok;

  facet_timeline_init (&timeline);
  memset (reply, 0, sizeof *reply);
  if (!facet_session_lay_out (session, prompt, &timeline, &rendered, error))
    return FALSE;
  out.template_stops = rendered.stop_strings;
  out.skip_blank = rendered.skip_blank;
  reply->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  ok = answer (session, &timeline, out.params, &out, reply, &local);
  if (!ok && g_error_matches (local, FACET_ERROR, FACET_ERROR_CANCELLED)) {
    emit (&out, pending->len);
    reply->stats.generated_tokens = reply->ids->len;
    reply->stop_reason = FACET_STOP_CANCELLED;
    ok = TRUE;
  }
  reply->text = g_strdup (text->str);
  if (!ok) {
    facet_reply_clear (reply);
    g_propagate_error (error, g_steal_pointer (&local));
  }
  return ok;
}
