#define G_LOG_DOMAIN "facet"

#include "facet-transcriber.h"

#include <string.h>

#include "facet-journal.h"

/* Nobody speaks faster than this in any script, counted in tokens. */
#define TOKENS_A_SECOND 14
#define TOKENS_AT_LEAST 32
/* A phrase said so often in a row at the end is a loop of the model. */
#define LOOP_TIMES 4
#define LOOP_WORDS 24

static gboolean
session_reply (gpointer self, FacetPrompt *prompt, const FacetReplyParams *params, FacetReply *reply, GError **error)
{
  return facet_session_reply (self, prompt, params, reply, error);
}

static int
session_count (gpointer self, FacetPrompt *prompt, GError **error)
{
  return facet_session_count (self, prompt, NULL, error);
}

FacetListener
facet_listener_for_session (FacetSession *session)
{
  return (FacetListener){ session_reply, session_count, session };
}

void
facet_transcription_clear (FacetTranscription *result)
{
  g_clear_pointer (&result->transcript, facet_transcript_free);
  g_clear_pointer (&result->doubtful, g_array_unref);
}

char *
facet_transcribe_key (FacetModel *model, const char *projector, const char *instruction, const FacetSampling *sampling)
{
  const FacetModelInfo *info = facet_model_get_info (model);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *numbers
      = g_strdup_printf ("%s\n%s\n%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %.3f %d %.3f %.3f %" G_GUINT64_FORMAT "\n", info->path,
                         projector != NULL ? projector : "", info->file_bytes, info->parameters, sampling->temperature,
                         sampling->top_k, sampling->top_p, sampling->min_p, sampling->seed);

  g_checksum_update (sum, (const guchar *) numbers, -1);
  g_checksum_update (sum, (const guchar *) instruction, -1);
  return g_strdup (g_checksum_get_string (sum));
}

FacetSampling
facet_transcribe_sampling (FacetModel *model)
{
  FacetSampling sampling = facet_model_default_sampling (model);

  sampling.temperature = 0;
  return sampling;
}

void
facet_transcribe_add_stats (FacetStats *stats, const FacetStats *more)
{
  if (stats->prompt_tokens == 0)
    stats->first_token_seconds = more->first_token_seconds;
  stats->prompt_tokens += more->prompt_tokens;
  stats->cached_tokens += more->cached_tokens;
  stats->prefill_seconds += more->prefill_seconds;
  stats->generated_tokens += more->generated_tokens;
  stats->decode_seconds += more->decode_seconds;
}

/* ---- the text of a piece ---- */

static gboolean
same_words (char **words, guint a, guint b, guint n)
{
  for (guint i = 0; i < n; i++)
    if (!g_str_equal (words[a + i], words[b + i]))
      return FALSE;
  return TRUE;
}

/* Words to keep of @words when a phrase is repeated at their end. */
static guint
without_loop (char **words, guint n)
{
  for (guint period = 1; period <= LOOP_WORDS && period * LOOP_TIMES <= n; period++) {
    guint times = 1;

    while ((times + 1) * period <= n && same_words (words, n - period, n - (times + 1) * period, period))
      times++;
    if (times >= LOOP_TIMES)
      return n - (times - 1) * period;
  }
  return n;
}

/* On one line, without what a loop repeats. */
static char *
tidy (const char *text, gboolean looped)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\r\n", -1);
  guint n = 0, keep;

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      words[n++] = words[i];
    else
      g_free (words[i]);
  words[n] = NULL;
  keep = looped ? without_loop (words, n) : n;
  for (guint i = keep; i < n; i++)
    g_clear_pointer (&words[i], g_free);
  return g_strjoinv (" ", words);
}

typedef struct {
  const FacetListener         *listener;
  FacetAudio                  *audio;
  const FacetTranscribeParams *params;
  FacetTranscription          *result;
  GArray                      *pieces;
  FacetJournal                *journal; /* NULL: none */
  gsize                        told;    /* bytes of the settled text */
} Job;

/* Sets @text, or leaves it NULL if the piece was stopped. */
static gboolean
listen_to (Job *job, const FacetPiece *piece, char **text, gboolean *doubtful, GError **error)
{
  g_autoptr (FacetAudio) clip = facet_audio_clip (job->audio, piece->start, piece->end, error);
  g_autoptr (FacetPrompt) prompt = NULL;
  g_auto (FacetReply) reply = { 0 };
  FacetReplyParams params = {
    .sampling = job->params->sampling,
    .max_tokens = TOKENS_AT_LEAST + (int) (TOKENS_A_SECOND * (piece->end - piece->start)),
    .cancel = job->params->cancel,
  };

  if (clip == NULL)
    return FALSE;
  prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_audio (prompt, clip);
  facet_prompt_add_text (prompt, job->params->instruction, -1);
  if (!job->listener->reply (job->listener->self, prompt, &params, &reply, error))
    return FALSE;
  facet_transcribe_add_stats (&job->result->stats, &reply.stats);
  if (reply.stop_reason == FACET_STOP_CANCELLED)
    return TRUE;
  *doubtful = reply.stop_reason != FACET_STOP_EOS;
  *text = tidy (reply.text, *doubtful);
  return TRUE;
}

/* ---- the whole ---- */

static void
tell (Job *job, guint next)
{
  gboolean overlaps = next < job->pieces->len && g_array_index (job->pieces, FacetPiece, next).overlaps;
  g_autofree char *settled = facet_transcript_settled (job->result->transcript, overlaps);
  gsize length = strlen (settled);

  if (job->params->on_text != NULL && length > job->told)
    job->params->on_text (settled + job->told, length - job->told, job->params->user_data);
  job->told = MAX (job->told, length);
  if (job->params->on_progress != NULL)
    job->params->on_progress (next < job->pieces->len ? g_array_index (job->pieces, FacetPiece, next).start : job->result->seconds,
                              job->result->seconds, job->params->user_data);
}

static gboolean
go_through (Job *job, GError **error)
{
  tell (job, 0);
  for (guint i = 0; i < job->pieces->len; i++) {
    const FacetPiece *piece = &g_array_index (job->pieces, FacetPiece, i);
    gboolean doubtful = FALSE;
    const char *known = job->journal != NULL ? facet_journal_get (job->journal, i, &doubtful) : NULL;
    g_autofree char *text = NULL;

    if (facet_is_cancelled (job->params->cancel))
      return TRUE;
    if (known == NULL) {
      if (!listen_to (job, piece, &text, &doubtful, error))
        return FALSE;
      if (text == NULL)
        return TRUE;
      if (job->journal != NULL && !facet_journal_add (job->journal, i, text, doubtful, error))
        return FALSE;
    } else {
      job->result->resumed++;
    }
    if (doubtful)
      g_array_append_val (job->result->doubtful, *piece);
    facet_transcript_add (job->result->transcript, piece, known != NULL ? known : text);
    job->result->done++;
    tell (job, i + 1);
  }
  return TRUE;
}

gboolean
facet_transcribe (const FacetListener         *listener,
                  FacetAudio                  *audio,
                  const FacetTranscribeParams *params,
                  FacetTranscription          *result,
                  GError                     **error)
{
  g_autoptr (GArray) pieces = NULL;
  g_autoptr (FacetJournal) journal = NULL;
  g_autoptr (GError) local = NULL;
  Job job = { listener, audio, params, result, NULL, NULL, 0 };

  *result = (FacetTranscription){
    .transcript = facet_transcript_new (),
    .seconds = facet_audio_duration (audio),
    .doubtful = g_array_new (FALSE, FALSE, sizeof (FacetPiece)),
  };
  pieces = job.pieces = facet_audio_split (audio, 0, params->cancel, &local);
  if (pieces != NULL) {
    result->pieces = pieces->len;
    if (params->journal != NULL && pieces->len > 0)
      journal = job.journal = facet_journal_open (params->journal, facet_audio_hash (audio), params->key, pieces->len, &local);
    result->finished = local == NULL && go_through (&job, &local) && result->done == pieces->len;
    if (result->finished && journal != NULL && !params->keep)
      facet_journal_forget (params->journal);
  }
  if (local == NULL || g_error_matches (local, FACET_ERROR, FACET_ERROR_CANCELLED))
    return TRUE;
  facet_transcription_clear (result);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
