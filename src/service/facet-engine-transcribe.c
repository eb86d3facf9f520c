#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-engine-transcribe.h"
#include "facet-journal.h"
#include "facet-summariser.h"

typedef struct {
  const FacetReplyParams *params;
  FacetTextFunc           on_text;
  gpointer                text_data;
  gboolean                apart; /* an empty line before the next text */
  gboolean                heard; /* speech, in any of the recordings */
  gboolean                doubtful;
  GPtrArray              *kept; /* journals that are not to be removed yet; NULL: none */
} Output;

static void
put_text (const char *text, gsize length, gpointer user_data)
{
  Output *output = user_data;

  if (output->apart)
    output->on_text ("\n\n", 2, output->text_data);
  output->apart = FALSE;
  output->on_text (text, length, output->text_data);
}

static void
put_progress (double seconds, double total, gpointer user_data)
{
  Output *output = user_data;

  output->params->on_progress (FACET_PHASE_ENCODE_AUDIO, (guint64) (seconds * 1000), (guint64) (total * 1000), output->params->user_data);
}

FacetAudio *
facet_engine_load_sound (const FacetPart *part, FacetCancel *cancel, GError **error)
{
  return part->bytes != NULL ? facet_audio_load_bytes (part->bytes, part->path, cancel, error)
                             : facet_audio_load (part->path, cancel, error);
}

static const char *
nothing_heard (void)
{
  return _("No speech is heard in this recording.");
}

static gboolean
transcribe_sound (const FacetEngineWork *work, FacetAudio *audio, Output *output, GError **error)
{
  FacetListener listener = facet_listener_for_session (work->session);
  FacetTranscribeParams params = { .instruction = work->request->instruction,
                                   .sampling = facet_transcribe_sampling (work->model),
                                   .on_text = put_text,
                                   .on_progress = put_progress,
                                   .user_data = output,
                                   .cancel = work->params->cancel };
  g_autofree char *key = facet_transcribe_key (work->model, work->projector, work->request->instruction, &params.sampling);
  g_autofree char *journal = facet_journal_path (facet_audio_hash (audio), key);
  g_auto (FacetTranscription) result = { 0 };

  params.journal = journal;
  params.key = key;
  params.keep = output->kept != NULL;
  if (!facet_transcribe (&listener, audio, &params, &result, error))
    return FALSE;
  if (output->kept != NULL)
    g_ptr_array_add (output->kept, g_steal_pointer (&journal));
  output->heard |= result.pieces > 0;
  output->doubtful |= result.doubtful->len > 0;
  if (result.finished && result.pieces == 0 && work->request->before == NULL)
    put_text (nothing_heard (), strlen (nothing_heard ()), output);
  if (!result.finished)
    work->summary->stop_reason = FACET_STOP_CANCELLED;
  facet_transcribe_add_stats (&work->summary->stats, &result.stats);
  return TRUE;
}

static gboolean
transcribe_all (const FacetEngineWork *work, Output *output, GError **error)
{
  const FacetTurn *turn = work->request->turns->pdata[work->request->turns->len - 1];

  work->summary->stop_reason = FACET_STOP_EOS;
  for (guint i = 0; i < turn->parts->len && work->summary->stop_reason != FACET_STOP_CANCELLED; i++) {
    const FacetPart *part = turn->parts->pdata[i];
    g_autoptr (FacetAudio) audio = NULL;

    if (part->kind != FACET_PART_SOUND)
      continue;
    audio = facet_engine_load_sound (part, work->params->cancel, error);
    if (audio == NULL || !transcribe_sound (work, audio, output, error))
      return FALSE;
    output->apart = TRUE;
  }
  if (work->summary->stop_reason != FACET_STOP_CANCELLED && output->doubtful)
    work->summary->stop_reason = FACET_STOP_LOOP;
  return TRUE;
}

gboolean
facet_engine_transcribe (const FacetEngineWork *work, GError **error)
{
  Output output = { .params = work->params, .on_text = work->params->on_text, .text_data = work->params->user_data };

  return transcribe_all (work, &output, error);
}

static void
collect (const char *text, gsize length, gpointer user_data)
{
  g_string_append_len (user_data, text, (gssize) length);
}

/* Sets @text, or leaves it NULL if there is nothing to summarise. */
static gboolean
text_to_summarise (const FacetEngineWork *work, GPtrArray *journals, char **text, GError **error)
{
  g_autoptr (GString) said = g_string_new (NULL);
  Output output = { .params = work->params, .on_text = collect, .text_data = said, .kept = journals };

  if (work->request->instruction == NULL) {
    *text = g_strdup (work->request->text);
    return TRUE;
  }
  if (!transcribe_all (work, &output, error))
    return FALSE;
  if (work->summary->stop_reason == FACET_STOP_CANCELLED)
    return TRUE;
  if (!output.heard)
    work->params->on_text (nothing_heard (), strlen (nothing_heard ()), work->params->user_data);
  else if (said->len > 0)
    *text = g_string_free (g_steal_pointer (&said), FALSE);
  return TRUE;
}

gboolean
facet_engine_summarise (const FacetEngineWork *work, GError **error)
{
  const FacetReplyParams *params = work->params;
  FacetListener listener = facet_listener_for_session (work->session);
  FacetSummariseParams own = { .before = work->request->before,
                               .after = work->request->after,
                               .sampling = params->sampling,
                               .max_tokens = params->max_tokens,
                               .context = facet_session_context (work->session),
                               .on_text = params->on_text,
                               .on_progress = params->on_progress,
                               .user_data = params->user_data,
                               .cancel = params->cancel };
  g_autoptr (GPtrArray) journals = g_ptr_array_new_with_free_func (g_free);
  g_auto (FacetSummary) gist = { 0 };
  g_autofree char *text = NULL;

  if (!text_to_summarise (work, journals, &text, error))
    return FALSE;
  if (text != NULL && !facet_summarise (&listener, text, &own, &gist, error))
    return FALSE;
  if (text != NULL)
    work->summary->stop_reason = gist.stop_reason;
  /* stopped: the next attempt need not listen again */
  for (guint i = 0; i < journals->len && work->summary->stop_reason != FACET_STOP_CANCELLED; i++)
    facet_journal_forget (journals->pdata[i]);
  facet_transcribe_add_stats (&work->summary->stats, &gist.stats);
  return TRUE;
}
