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

gboolean    facet_projector_accepts_images (FacetProjector *projector);
gboolean    facet_projector_accepts_audio  (FacetProjector *projector);
/* float32 [tokens, width]. NO_ENCODER without one, INVALID if too long.
 * Returns: (transfer full). */
GBytes     *facet_projector_encode_audio   (FacetProjector *projector,
                                            FacetAudio     *audio,
                                            FacetCancel    *cancel,
                                            GError        **error);
/* The sound as the encoder sees it: logarithmic mel spectrum, float32
 * [frames, 128]. Returns: (transfer full). */
GBytes     *facet_projector_mel            (FacetProjector *projector, FacetAudio *audio, GError **error);

G_END_DECLS
