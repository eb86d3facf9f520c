#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-engine-transcribe.h"
#include "facet-journal.h"
#include "facet-transcriber.h"

typedef struct {
  const FacetReplyParams *params;
  gboolean                apart; /* an empty line before the next text */
} Output;

static void
put_text (const char *text, gsize length, gpointer user_data)
{
  Output *output = user_data;

  if (output->apart)
    output->params->on_text ("\n\n", 2, output->params->user_data);
  output->apart = FALSE;
  output->params->on_text (text, length, output->params->user_data);
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

static gboolean
transcribe_sound (FacetAudio *audio, FacetModel *model, const char *projector, FacetSession *session, const FacetRequest *request,
                  Output *output, FacetReplySummary *summary, GError **error)
{
  FacetListener listener = facet_listener_for_session (session);
  FacetTranscribeParams params = { .instruction = request->instruction,
                                   .sampling = facet_transcribe_sampling (model),
                                   .on_text = put_text,
                                   .on_progress = put_progress,
                                   .user_data = output,
                                   .cancel = output->params->cancel };
  g_autofree char *key = facet_transcribe_key (model, projector, request->instruction, &params.sampling);
  g_autofree char *journal = facet_journal_path (facet_audio_hash (audio), key);
  g_auto (FacetTranscription) result = { 0 };
  const char *nothing = _("No speech is heard in this recording.");

  params.journal = journal;
  params.key = key;
  if (!facet_transcribe (&listener, audio, &params, &result, error))
    return FALSE;
  if (result.finished && result.pieces == 0)
    put_text (nothing, strlen (nothing), output);
  if (!result.finished)
    summary->stop_reason = FACET_STOP_CANCELLED;
  else if (result.doubtful->len > 0)
    summary->stop_reason = FACET_STOP_LOOP;
  facet_transcribe_add_stats (&summary->stats, &result.stats);
  return TRUE;
}

gboolean
facet_engine_transcribe (FacetModel             *model,
                         const char             *projector,
                         FacetSession           *session,
                         const FacetRequest     *request,
                         const FacetReplyParams *params,
                         FacetReplySummary      *summary,
                         GError                **error)
{
  const FacetTurn *turn = request->turns->pdata[request->turns->len - 1];
  Output output = { params, FALSE };

  summary->stop_reason = FACET_STOP_EOS;
  for (guint i = 0; i < turn->parts->len && summary->stop_reason != FACET_STOP_CANCELLED; i++) {
    const FacetPart *part = turn->parts->pdata[i];
    g_autoptr (FacetAudio) audio = NULL;

    if (part->kind != FACET_PART_SOUND)
      continue;
    audio = facet_engine_load_sound (part, params->cancel, error);
    if (audio == NULL || !transcribe_sound (audio, model, projector, session, request, &output, summary, error))
      return FALSE;
    output.apart = TRUE;
  }
  return TRUE;
}
