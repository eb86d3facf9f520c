/* facet-transcriber.h - what is said in a recording of any length, as text
 *
 * A recording is cut at its pauses, each piece is put to a model with the same
 * instruction, and the texts are joined. A recording without speech gives an
 * empty transcript and asks the model nothing, so that nothing is invented.
 * What a piece may grow to is bounded by its length; a model that begins to
 * repeat itself is stopped, and one of the repetitions kept.
 *
 * Knows nothing of GTK: both programs share it. Thread-safety: all of a call
 * happens in the calling thread.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

/* What answers prompts: as facet_session_reply() and facet_session_count(). */
typedef struct {
  gboolean (*reply) (gpointer                self,
                     FacetPrompt            *prompt,
                     const FacetReplyParams *params,
                     FacetReply             *reply,
                     GError                **error);
  int      (*count) (gpointer self, FacetPrompt *prompt, GError **error);
  gpointer self;
} FacetListener;

FacetListener facet_listener_for_session (FacetSession *session);

/* @seconds of the recording are done of @total. */
typedef void (*FacetTranscribeProgress) (double seconds, double total, gpointer user_data);

typedef struct {
  const char             *instruction; /* stands after the sound of each piece */
  FacetSampling           sampling;
  const char             *journal;     /* file for finished pieces, see facet-journal.h; NULL: none */
  const char             *key;         /* names model and settings there */
  gboolean                keep;        /* the journal of a finished transcript: the caller removes it, when its own work is done */
  FacetTextFunc           on_text;     /* text that is settled; all of it together is the transcript's */
  FacetTranscribeProgress on_progress;
  gpointer                user_data;
  FacetCancel            *cancel;
} FacetTranscribeParams;

typedef struct {
  FacetTranscript *transcript;
  double           seconds;   /* of the recording */
  guint            pieces;    /* with speech; 0: none was heard */
  guint            done;      /* of these */
  guint            resumed;   /* of these, taken from the journal */
  gboolean         finished;  /* FALSE: it was stopped */
  FacetStats       stats;     /* of all pieces that were asked about */
  GArray          *doubtful;  /* FacetPiece: where the model repeated itself or did not come to an end */
} FacetTranscription;

void facet_transcription_clear (FacetTranscription *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetTranscription, facet_transcription_clear)

/* Cancelling is no error: @result holds what there is. Whatever ends the work
 * early leaves the journal, and the next call with it goes on from there; a
 * call that comes to its end removes it, unless told to keep it. On failure
 * @result is empty. */
gboolean facet_transcribe (const FacetListener         *listener,
                           FacetAudio                  *audio,
                           const FacetTranscribeParams *params,
                           FacetTranscription          *result,
                           GError                     **error);

/* How transcripts are sampled where the person asks for nothing else: as the
 * model's makers recommend, but without chance, since what was said leaves no
 * choice. */
FacetSampling facet_transcribe_sampling (FacetModel *model);

/* Adds @more; the first token is that of the first. */
void facet_transcribe_add_stats (FacetStats *stats, const FacetStats *more);

/* Hexadecimal digest of what a transcript by @model depends on beside the
 * sound. Returns: (transfer full). */
char *facet_transcribe_key (FacetModel *model, const char *projector, const char *instruction, const FacetSampling *sampling);

G_END_DECLS
