/* voice-source.h - where a recording comes from
 *
 * A source pushes interleaved floats into the ring from a thread of its own:
 * PortAudio's callback, or a file that is played in real time for tests and
 * machines without a microphone.
 */
#pragma once

#include "facet-recorder.h"
#include "voice-ring.h"

typedef struct VoiceSource VoiceSource;

struct VoiceSource {
  int      rate, channels;
  /* Whether sound may still come; FALSE once the device is gone. */
  gboolean (*alive) (VoiceSource *source);
  /* Stops; nothing is pushed afterwards. */
  void     (*free)  (VoiceSource *source);
};

/* Starts at once. @device: as facet_recorder_start(). */
VoiceSource *voice_source_open           (const char *device, VoiceRing *ring, GError **error);
VoiceSource *voice_source_open_portaudio (const char *device, VoiceRing *ring, GError **error);
VoiceSource *voice_source_open_file      (const char *path, gboolean vanishes, VoiceRing *ring, GError **error);
