/* voice-sink.h - where a sound is played
 *
 * A sink belongs to one thread. Writing waits until there is room, so that
 * the writer keeps the pace of the device.
 */
#pragma once

#include "facet-recorder.h"

typedef struct VoiceSink VoiceSink;

struct VoiceSink {
  int      rate, channels;
  double   latency; /* seconds between a write and its being heard */
  /* Interleaved floats [frames, channels]. FALSE once the device is gone. */
  gboolean (*write) (VoiceSink *sink, const float *samples, gsize frames);
  /* Waits until everything is heard. */
  void     (*drain) (VoiceSink *sink);
  /* What is not heard yet is dropped. */
  void     (*free)  (VoiceSink *sink);
};

/* @device: an id from facet_voice_devices(), NULL: the default one, "clock:":
 * none, in real time (for tests and machines without sound). The sink's rate
 * is @rate where the device takes it. @channels: 1 or 2. */
VoiceSink *voice_sink_open (const char *device, int rate, int channels, GError **error);
