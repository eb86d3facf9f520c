/* speech.h - recordings of synthetic speech with known pauses
 *
 * espeak-ng speaks; what it says is put together with pauses and noise. Every
 * utterance is trimmed, so that where it stands is known to the sample.
 */
#pragma once

#include "facet.h"

#define SPEECH_RATE 22050 /* of espeak-ng */

typedef struct {
  GArray *samples; /* float, mono */
  GArray *spoken;  /* FacetPiece: where the utterances are */
} Recording;

void     recording_init  (Recording *recording);
void     recording_clear (Recording *recording);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recording, recording_clear)

double   recording_seconds (const Recording *recording);

/* Skips the running test if not. */
gboolean speech_is_there (void);

/* What espeak-ng says, float samples without the silence around them. */
GArray  *speech_make     (const char *voice, const char *text);

void     recording_say   (Recording *recording, GArray *speech);
void     recording_pause (Recording *recording, double seconds);
/* White noise over all of it, the same each time. */
void     recording_noise (Recording *recording, float amplitude);
/* Its pieces as facet_audio_split() gives them by default; none is too long
 * or ends after the recording. */
GArray  *recording_split (Recording *recording);
