#define G_LOG_DOMAIN "facet"

#include "facet-summariser.h"

#include <string.h>

/* Notes of a part take this share of its tokens, so that each round shortens. */
#define NOTES_SHARE 4
#define NOTES_AT_LEAST 32 /* tokens */
/* No token of ordinary text is longer. */
#define TOKEN_BYTES 8
#define SMALLEST_PART 64 /* tokens */

typedef struct {
  const FacetListener        *listener;
  const FacetSummariseParams *params;
  FacetSummary               *summary;
  int                         limit; /* tokens of a prompt */
} Job;

typedef struct {
  const char *start;
  gsize       length;
  int         tokens; /* of the whole prompt */
} Part;

void
facet_summary_clear (FacetSummary *summary)
{
  g_clear_pointer (&summary->text, g_free);
}

static FacetPrompt *
make_prompt (const char *before, const char *text, gsize length, const char *after)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_AUTO);

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_text (prompt, before, -1);
  facet_prompt_add_text (prompt, text, (gssize) length);
  facet_prompt_add_text (prompt, after, -1);
  return prompt;
}

static int
count (Job *job, const char *before, const char *text, gsize length, const char *after, GError **error)
{
  g_autoptr (FacetPrompt) prompt = make_prompt (before, text, length, after);

  return job->listener->count (job->listener->self, prompt, error);
}

static gboolean
ask (Job *job, FacetPrompt *prompt, int max_tokens, FacetTextFunc on_text, FacetReply *reply, GError **error)
{
  FacetReplyParams params = {
    .sampling = job->params->sampling,
    .max_tokens = max_tokens,
    .on_text = on_text,
    .user_data = job->params->user_data,
    .cancel = job->params->cancel,
  };

  if (!job->listener->reply (job->listener->self, prompt, &params, reply, error))
    return FALSE;
  facet_transcribe_add_stats (&job->summary->stats, &reply->stats);
  job->summary->stop_reason = reply->stop_reason;
  return TRUE;
}

/* ---- parts ---- */

static char *
notes_words (guint part, guint parts)
{
  return g_strdup_printf ("This is part %u of %u of a long text. Note its main points in short sentences, with names, figures, dates and "
                          "decisions. Answer in the language of the text, with the notes only.\n\n",
                          part, parts);
}

static gboolean
ends_sentence (gunichar c)
{
  return c == '.' || c == '!' || c == '?' || c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0x061f || c == 0x0964;
}

/* The best place to end a part in the second half of @length bytes: after a
 * paragraph, else a line, a sentence, a word; else before a character. */
static gsize
place_to_end (const char *text, gsize length)
{
  const char *best = NULL;
  int best_rank = 0;
  gunichar last = 0;

  while (length > 0 && (text[length] & 0xc0) == 0x80)
    length--;
  for (const char *at = text; at < text + length; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    const char *next = g_utf8_next_char (at);
    int rank = c == '\n' ? (*next == '\n' ? 5 : 4) : g_unichar_isspace (c) ? (ends_sentence (last) ? 3 : 1) : c >= 0x3000 && ends_sentence (c) ? 3 : 0;

    last = c;
    if (rank > 0 && rank >= best_rank && next > text + length / 2) {
      best = next;
      best_rank = rank;
    }
  }
  return best != NULL ? (gsize) (best - text) : length;
}

/* The longest beginning of @text, about, whose prompt fits; 0: error. */
static gboolean
take_part (Job *job, const char *words, const char *text, gsize length, Part *part, GError **error)
{
  gsize most = MIN (length, (gsize) job->limit * TOKEN_BYTES);

  for (;;) {
    gsize end = most < length ? place_to_end (text, most) : length;
    int tokens = count (job, words, text, end, "", error);

    if (tokens < 0)
      return FALSE;
    if (tokens <= job->limit) {
      *part = (Part){ text, end, tokens };
      return TRUE;
    }
    /* a little less than what the average token allows */
    most = MIN (end - 1, (gsize) ((double) end * job->limit / tokens * 0.95));
    if (most < TOKEN_BYTES) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL, "no part of the text fits %d tokens", job->limit);
      return FALSE;
    }
  }
}

/* Returns: (transfer full): of Part, pointing into @text. */
static GArray *
cut (Job *job, const char *text, GError **error)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_autofree char *words = notes_words (G_MAXUINT, G_MAXUINT);
  gsize rest = strlen (text);

  while (rest > 0) {
    Part part;

    if (facet_is_cancelled (job->params->cancel))
      break;
    if (!take_part (job, words, text, rest, &part, error))
      return NULL;
    g_array_append_val (parts, part);
    text += part.length;
    rest -= part.length;
  }
  return g_steal_pointer (&parts);
}

/* Notes of all parts in the place of @text; NULL if it was stopped or failed. */
static char *
note (Job *job, const char *text, GError **error)
{
  g_autoptr (GString) notes = g_string_new (NULL);
  g_autoptr (GArray) parts = cut (job, text, error);

  for (guint i = 0; parts != NULL && i < parts->len; i++) {
    const Part *part = &g_array_index (parts, Part, i);
    g_autofree char *words = notes_words (i + 1, parts->len);
    g_autoptr (FacetPrompt) prompt = make_prompt (words, part->start, part->length, "");
    g_auto (FacetReply) reply = { 0 };

    if (job->params->on_progress != NULL)
      job->params->on_progress (FACET_PHASE_PREFILL, i, parts->len, job->params->user_data);
    if (!ask (job, prompt, MAX (NOTES_AT_LEAST, part->tokens / NOTES_SHARE), NULL, &reply, error))
      return NULL;
    if (reply.stop_reason == FACET_STOP_CANCELLED)
      return NULL;
    job->summary->parts++;
    g_strstrip (reply.text);
    if (*reply.text != '\0')
      g_string_append_printf (notes, "%s%s", notes->len > 0 ? "\n\n" : "", reply.text);
  }
  if (parts == NULL || facet_is_cancelled (job->params->cancel)) {
    job->summary->stop_reason = FACET_STOP_CANCELLED;
    return NULL;
  }
  if (notes->len >= strlen (text)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL, "notes of %d tokens' parts are no shorter than the text", job->limit);
    return NULL;
  }
  return g_string_free (g_steal_pointer (&notes), FALSE);
}

/* ---- the whole ---- */

/* @text, or notes of it that fit; NULL if it was stopped or failed. */
static char *
condense (Job *job, const char *text, GError **error)
{
  const FacetSummariseParams *params = job->params;
  g_autofree char *body = g_strdup (text);

  for (;;) {
    int tokens = count (job, params->before, body, strlen (body), params->after, error);
    char *notes;

    if (tokens < 0)
      return NULL;
    if (tokens <= job->limit)
      return g_steal_pointer (&body);
    notes = note (job, body, error);
    if (notes == NULL)
      return NULL;
    g_free (body);
    body = notes;
  }
}

gboolean
facet_summarise (const FacetListener *listener, const char *text, const FacetSummariseParams *params, FacetSummary *summary, GError **error)
{
  int answer = params->max_tokens > 0 ? MIN (params->max_tokens, params->context / 2) : params->context / 4;
  Job job = { listener, params, summary, params->context - answer };
  g_autofree char *body = NULL;
  g_autoptr (FacetPrompt) prompt = NULL;
  g_auto (FacetReply) reply = { 0 };
  g_autoptr (GError) local = NULL;
  int words;

  *summary = (FacetSummary){ .text = g_strdup (""), .stop_reason = FACET_STOP_EOS };
  words = count (&job, params->before, "", 0, params->after, &local);
  if (words + SMALLEST_PART > job.limit)
    g_set_error (&local, FACET_ERROR, FACET_ERROR_CONTEXT_FULL, "the words of the request take %d tokens of %d", words, job.limit);
  if (local == NULL)
    body = condense (&job, text, &local);
  if (body != NULL && *body != '\0') {
    prompt = make_prompt (params->before, body, strlen (body), params->after);
    if (ask (&job, prompt, params->max_tokens, params->on_text, &reply, &local)) {
      g_free (summary->text);
      summary->text = g_steal_pointer (&reply.text);
    }
  }
  if (local == NULL)
    return TRUE;
  facet_summary_clear (summary);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
