#include "config.h"

#include "voice-source.h"
#include "voice-portaudio.h"

/* Without a callback for this long the device is gone, whatever it says. */
#define GONE_AFTER (3 * G_USEC_PER_SEC)

typedef struct {
  VoiceSource base;
  VoiceRing  *ring;
  PaStream   *stream;
  guint32     last_written;
  gint64      last_heard;
} PortSource;

/* In PortAudio's real-time thread: no lock, no allocation, no log. */
static int
capture (const void *input, void *output, unsigned long frames, const PaStreamCallbackTimeInfo *time,
         PaStreamCallbackFlags flags, void *data)
{
  PortSource *source = data;

  if (input != NULL)
    voice_ring_push (source->ring, input, (guint32) (frames * (unsigned long) source->base.channels));
  return paContinue;
}

static gboolean
port_alive (VoiceSource *base)
{
  PortSource *source = (PortSource *) base;
  guint32 written = atomic_load (&source->ring->written) + atomic_load (&source->ring->dropped);
  gint64 now = g_get_monotonic_time ();

  if (written != source->last_written) {
    source->last_written = written;
    source->last_heard = now;
  }
  return Pa_IsStreamActive (source->stream) == 1 && now - source->last_heard < GONE_AFTER;
}

static void
port_free (VoiceSource *base)
{
  PortSource *source = (PortSource *) base;

  voice_portaudio_lock ();
  Pa_CloseStream (source->stream);
  Pa_Terminate ();
  voice_portaudio_unlock ();
  g_free (source);
}

static VoiceSource *
open_locked (const char *device, VoiceRing *ring, GError **error)
{
  PaError failed = Pa_Initialize ();
  PaDeviceIndex index = failed == paNoError ? voice_portaudio_find (device, FACET_VOICE_INPUT) : paNoDevice;
  const PaDeviceInfo *info = index != paNoDevice ? Pa_GetDeviceInfo (index) : NULL;
  PaStreamParameters wanted = { .device = index, .sampleFormat = paFloat32 };
  PortSource *source;

  if (info == NULL || info->maxInputChannels < 1) {
    g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_DEVICE, "no recording device \"%s\"",
                 device != NULL ? device : "default");
    if (failed == paNoError)
      Pa_Terminate ();
    return NULL;
  }
  source = g_new0 (PortSource, 1);
  source->base = (VoiceSource) { (int) info->defaultSampleRate, MIN (info->maxInputChannels, 2), port_alive, port_free };
  source->ring = ring;
  source->last_heard = g_get_monotonic_time ();
  wanted.channelCount = source->base.channels;
  wanted.suggestedLatency = info->defaultHighInputLatency;
  failed = Pa_OpenStream (&source->stream, &wanted, NULL, info->defaultSampleRate, paFramesPerBufferUnspecified,
                          paNoFlag, capture, source);
  if (failed == paNoError) {
    failed = Pa_StartStream (source->stream);
    if (failed == paNoError)
      return &source->base;
    Pa_CloseStream (source->stream);
  }
  g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_BUSY, "recording device \"%s\": %s", info->name,
               Pa_GetErrorText (failed));
  Pa_Terminate ();
  g_free (source);
  return NULL;
}

VoiceSource *
voice_source_open_portaudio (const char *device, VoiceRing *ring, GError **error)
{
  VoiceSource *source;

  voice_portaudio_lock ();
  source = open_locked (device, ring, error);
  voice_portaudio_unlock ();
  return source;
}

VoiceSource *
voice_source_open (const char *device, VoiceRing *ring, GError **error)
{
  if (device != NULL && g_str_has_prefix (device, "file:"))
    return voice_source_open_file (device + 5, FALSE, ring, error);
  if (device != NULL && g_str_has_prefix (device, "unplug:"))
    return voice_source_open_file (device + 7, TRUE, ring, error);
  return voice_source_open_portaudio (device, ring, error);
}
