/* audio.h - sound as the encoders want it: 16 kHz, one channel
 *
 * The down-mix, chosen once per sound when it is loaded:
 *   - the mean of all channels that carry a signal; a dead channel (no sample
 *     beyond -90 dB of full scale) does not make the others quieter;
 *   - channels marked as low-frequency effects count only if nothing else is
 *     alive;
 *   - if the channels cancel each other (the mean has less than 1 % of the
 *     energy of the loudest one, as with one microphone wired in reverse), the
 *     loudest channel alone.
 * Nothing is normalised, limited or dithered: clipped sound stays as it is.
 * Other rates are converted by soxr at its high quality (20 bits); 16 kHz
 * passes through unchanged.
 */
#pragma once

#include "media/sound-file.h"

#define FACET_AUDIO_RATE 16000

typedef struct FacetAudioReader FacetAudioReader;

/* Streams @audio in bounded memory, however long it is. Holds a reference. */
FacetAudioReader *facet_audio_reader_new  (FacetAudio *audio, GError **error);
void              facet_audio_reader_free (FacetAudioReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetAudioReader, facet_audio_reader_free)

/* Up to @n samples at 16 kHz. Returns their number, 0 at the end, -1 on error. */
gssize            facet_audio_reader_read (FacetAudioReader *reader, float *samples, gsize n, GError **error);

/* Continues at sample @sample (16 kHz). */
gboolean          facet_audio_reader_seek (FacetAudioReader *reader, gint64 sample, GError **error);

/* Samples at 16 kHz of the whole sound. */
gint64            facet_audio_length      (FacetAudio *audio);

/* ---- for the reader ---- */
const FacetSoundSource *facet_audio_source      (FacetAudio *audio); /* NULL: samples in memory */
const float            *facet_audio_samples     (FacetAudio *audio); /* [frames, channels] then */
gint64                  facet_audio_frames      (FacetAudio *audio); /* at its own rate */
const double           *facet_audio_weights     (FacetAudio *audio); /* [channels], the down-mix */
