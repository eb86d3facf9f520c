#include "listening.h"

#include <stdio.h>

#include <glib/gi18n.h>

#include "report.h"
#include "transcribe/facet-journal.h"

static void
on_progress (double seconds, double total, gpointer user_data)
{
  report_progress (FACET_PHASE_ENCODE_AUDIO, (guint64) (seconds * 1000), (guint64) (total * 1000), NULL);
}

gboolean
listening_transcribe (const Options *options, FacetModel *model, FacetSession *session, const char *file, const char *instruction,
                      gboolean fresh, FacetTextFunc on_text, char **kept, FacetCancel *cancel, FacetTranscription *result, GError **error)
{
  FacetListener listener = facet_listener_for_session (session);
  FacetTranscribeParams params = { .instruction = instruction,
                                   .sampling = options_sampling (options, model),
                                   .on_text = on_text,
                                   .on_progress = on_progress,
                                   .keep = kept != NULL,
                                   .cancel = cancel };
  g_autofree char *key = NULL, *journal = NULL;
  g_autoptr (FacetAudio) audio = facet_audio_load (file, cancel, error);

  if (audio == NULL)
    return FALSE;
  if (options->temperature < 0)
    params.sampling.temperature = facet_transcribe_sampling (model).temperature;
  key = facet_transcribe_key (model, options->mmproj, instruction, &params.sampling);
  journal = facet_journal_path (facet_audio_hash (audio), key);
  if (fresh)
    facet_journal_forget (journal);
  params.journal = journal;
  params.key = key;
  if (!facet_transcribe (&listener, audio, &params, result, error))
    return FALSE;
  if (kept != NULL)
    *kept = g_steal_pointer (&journal);
  return TRUE;
}

static void
print_time (GString *out, double seconds)
{
  g_string_append_printf (out, "%d:%02d", (int) seconds / 60, (int) seconds % 60);
}

void
listening_report (const char *file, const FacetTranscription *result)
{
  report_progress_end ();
  if (!result->finished)
    fprintf (stderr, _("[stopped after %u of %u parts; the same command goes on from there]\n"), result->done, result->pieces);
  else if (result->pieces == 0)
    report_sentence (_("%s: no speech is heard in %s\n"), g_get_prgname (), file);
  for (guint i = 0; i < result->doubtful->len; i++) {
    const FacetPiece *piece = &g_array_index (result->doubtful, FacetPiece, i);
    g_autoptr (GString) start = g_string_new (NULL), end = g_string_new (NULL);

    print_time (start, piece->start);
    print_time (end, piece->end);
    fprintf (stderr, _("[between %s and %s the model repeated itself or did not end; that part may be incomplete]\n"), start->str, end->str);
  }
}
