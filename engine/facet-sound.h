/* facet-sound.h - the part of the public interface that is about sound
 *
 * Included by facet.h, which is what programs include.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

/* A sound that may be heard, drawn and put into a prompt. Loading decodes it
 * once from start to end, in bounded memory, so that every fault is known and
 * named before anything is asked about it; only metadata stay in memory, the
 * samples are decoded again where they are needed (the file stays open).
 * Thread-safety: immutable, reference counted, may be shared. */
typedef struct FacetAudio FacetAudio;

/* Any file that libsndfile reads; the type comes from the content. */
FacetAudio *facet_audio_load        (const char *path, FacetCancel *cancel, GError **error);
/* @name: for messages. */
FacetAudio *facet_audio_load_bytes  (GBytes *bytes, const char *name, FacetCancel *cancel, GError **error);
/* Copies float samples [frames, channels], full scale 1. */
FacetAudio *facet_audio_new_samples (const float *samples, gsize frames, int channels, int rate, GError **error);
FacetAudio *facet_audio_ref         (FacetAudio *audio);
void        facet_audio_unref       (FacetAudio *audio);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetAudio, facet_audio_unref)

double      facet_audio_duration    (FacetAudio *audio); /* seconds */
int         facet_audio_rate        (FacetAudio *audio); /* of the file, Hz */
int         facet_audio_channels    (FacetAudio *audio); /* of the file */
/* SHA-256 in hexadecimal: of the file's bytes, or of samples and shape. */
const char *facet_audio_hash        (FacetAudio *audio);
/* The largest absolute value (0 .. 1 and beyond) of any channel in each of @n
 * equal parts, for drawing a waveform. */
void        facet_audio_peaks       (FacetAudio *audio, float *peaks, gsize n);

/* ---- encoding ---- */

/* Longest sound that an encoder takes at once. */
#define FACET_MAX_CLIP_SECONDS 30

gboolean    facet_projector_accepts_audio  (FacetProjector *projector);
/* Soft tokens that the sound becomes; -1 on error: NO_ENCODER, or INVALID if
 * it is empty or too long. */
int         facet_projector_count_audio    (FacetProjector *projector, FacetAudio *audio, GError **error);
/* Rows that every sound takes in the family's prompts, whatever its length;
 * 0: as many as it has soft tokens. */
int         facet_projector_sound_rows     (FacetProjector *projector);
/* float32 [tokens, width]. NO_ENCODER without one, INVALID if too long.
 * Returns: (transfer full). */
GBytes     *facet_projector_encode_audio   (FacetProjector *projector,
                                            FacetAudio     *audio,
                                            FacetCancel    *cancel,
                                            GError        **error);
/* Floating-point operations of encoding it: two for each multiplication of a
 * product, of the attention and of the convolutions. 0 on error. */
guint64     facet_projector_audio_work     (FacetProjector *projector, FacetAudio *audio, GError **error);
/* The sound as the encoder sees it: logarithmic mel spectrum, float32
 * [frames, 128]. Returns: (transfer full). */
GBytes     *facet_projector_mel            (FacetProjector *projector, FacetAudio *audio, GError **error);

/* ---- prompts ---- */

/* The sound stands after the text given so far, framed as the family frames
 * sounds; in prompts of token ids its soft tokens stand alone. At most
 * FACET_MAX_CLIP_SECONDS long: facet_audio_clips() makes such of others. */
void        facet_prompt_add_audio (FacetPrompt *prompt, FacetAudio *audio);

/* ---- long recordings ---- */

/* A stretch of a recording that holds speech, short enough for an encoder. */
typedef struct {
  double   start, end; /* seconds */
  gboolean overlaps;   /* begins inside the piece before: no pause to cut at */
} FacetPiece;

/* Cuts @audio at pauses into pieces of at most @max_seconds (0: 28) by an
 * energy gate over a noise floor that follows the recording; stretches
 * without speech are left out, so silence or steady noise gives no piece at
 * all. Speech that goes on for longer is cut where it is weakest and the next
 * piece begins 1 to 2.5 seconds earlier, at a weak place, too. Keeps 200 bytes for each second of sound,
 * not its samples.
 * Returns: (transfer full): FacetPiece array, ascending; unref it. */
GArray     *facet_audio_split (FacetAudio *audio, double max_seconds, FacetCancel *cancel, GError **error);

/* The stretch as a sound of its own, 16 kHz mono. */
FacetAudio *facet_audio_clip  (FacetAudio *audio, double start, double end, GError **error);

/* @audio itself if an encoder takes it at once, else its pieces of speech as
 * sounds; none if no speech is heard in them.
 * Returns: (transfer full): of FacetAudio. */
GPtrArray  *facet_audio_clips (FacetAudio *audio, FacetCancel *cancel, GError **error);

/* What was said in the pieces, in order. A plain value of one thread. */
typedef struct FacetTranscript FacetTranscript;

FacetTranscript *facet_transcript_new  (void);
void             facet_transcript_free (FacetTranscript *transcript);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetTranscript, facet_transcript_free)

/* Adds the text of the next piece. Where it overlaps, words that both texts
 * have are kept once: the longest run of equal words (letter case and
 * punctuation aside) near the seam joins them. */
void             facet_transcript_add  (FacetTranscript *transcript, const FacetPiece *piece, const char *text);

/* The beginning of the text that adding pieces does not change any more: all
 * of it, unless the next piece overlaps and may shorten what came last.
 * Returns: (transfer full): UTF-8. */
char            *facet_transcript_settled (FacetTranscript *transcript, gboolean next_overlaps);

typedef enum {
  FACET_TRANSCRIPT_TEXT,
  FACET_TRANSCRIPT_SRT,  /* SubRip: cues of at most two lines of 42 characters */
  FACET_TRANSCRIPT_VTT,  /* WebVTT, the same cues */
  FACET_TRANSCRIPT_JSON, /* {"text": ..., "segments": [{"start", "end", "text"}]} */
} FacetTranscriptFormat;

/* Times inside a piece are shared out by length of text.
 * Returns: (transfer full): UTF-8. */
char            *facet_transcript_write (FacetTranscript *transcript, FacetTranscriptFormat format);

G_END_DECLS
