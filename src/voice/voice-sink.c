#include "config.h"

#include "voice-sink.h"
#include "voice-portaudio.h"

/* ---- no device, but its pace ---- */

typedef struct {
  VoiceSink base;
  gint64    start;
  gint64    frames; /* written */
} ClockSink;

static void
clock_wait (ClockSink *sink, gint64 frames)
{
  gint64 due = sink->start + frames * G_USEC_PER_SEC / sink->base.rate, now = g_get_monotonic_time ();

  if (due > now)
    g_usleep ((gulong) (due - now));
}

static gboolean
clock_write (VoiceSink *base, const float *samples, gsize frames)
{
  ClockSink *sink = (ClockSink *) base;

  clock_wait (sink, sink->frames);
  sink->frames += (gint64) frames;
  return TRUE;
}

static void
clock_drain (VoiceSink *base)
{
  clock_wait ((ClockSink *) base, ((ClockSink *) base)->frames);
}

static void
clock_free (VoiceSink *base)
{
  g_free (base);
}

static VoiceSink *
open_clock (int rate, int channels)
{
  ClockSink *sink = g_new0 (ClockSink, 1);

  sink->base = (VoiceSink) { rate, channels, 0, clock_write, clock_drain, clock_free };
  sink->start = g_get_monotonic_time ();
  return &sink->base;
}

/* ---- PortAudio ---- */

typedef struct {
  VoiceSink base;
  PaStream *stream;
} PortSink;

static gboolean
port_write (VoiceSink *base, const float *samples, gsize frames)
{
  PaError failed = Pa_WriteStream (((PortSink *) base)->stream, samples, (unsigned long) frames);

  return failed == paNoError || failed == paOutputUnderflowed;
}

static void
port_drain (VoiceSink *base)
{
  Pa_StopStream (((PortSink *) base)->stream);
}

static void
port_free (VoiceSink *base)
{
  PortSink *sink = (PortSink *) base;

  voice_portaudio_lock ();
  if (Pa_IsStreamActive (sink->stream) == 1)
    Pa_AbortStream (sink->stream);
  Pa_CloseStream (sink->stream);
  Pa_Terminate ();
  voice_portaudio_unlock ();
  g_free (sink);
}

static VoiceSink *
open_port (const char *device, int rate, int channels, GError **error)
{
  PaError failed = Pa_Initialize ();
  PaDeviceIndex index = failed == paNoError ? voice_portaudio_find (device, FACET_VOICE_OUTPUT) : paNoDevice;
  const PaDeviceInfo *info = index != paNoDevice ? Pa_GetDeviceInfo (index) : NULL;
  PaStreamParameters wanted = { .device = index, .sampleFormat = paFloat32 };
  PortSink *sink;

  if (info == NULL || info->maxOutputChannels < 1) {
    g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_OUTPUT, "no playback device \"%s\"",
                 device != NULL ? device : "default");
    if (failed == paNoError)
      Pa_Terminate ();
    return NULL;
  }
  wanted.channelCount = MIN (channels, info->maxOutputChannels);
  wanted.suggestedLatency = info->defaultHighOutputLatency;
  if (Pa_IsFormatSupported (NULL, &wanted, rate) != paFormatIsSupported)
    rate = (int) info->defaultSampleRate;
  sink = g_new0 (PortSink, 1);
  failed = Pa_OpenStream (&sink->stream, NULL, &wanted, rate, paFramesPerBufferUnspecified, paNoFlag, NULL, NULL);
  if (failed == paNoError) {
    failed = Pa_StartStream (sink->stream);
    if (failed == paNoError) {
      sink->base = (VoiceSink) { rate, wanted.channelCount, Pa_GetStreamInfo (sink->stream)->outputLatency,
                                 port_write, port_drain, port_free };
      return &sink->base;
    }
    Pa_CloseStream (sink->stream);
  }
  g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_OUTPUT, "playback device \"%s\": %s", info->name,
               Pa_GetErrorText (failed));
  Pa_Terminate ();
  g_free (sink);
  return NULL;
}

VoiceSink *
voice_sink_open (const char *device, int rate, int channels, GError **error)
{
  VoiceSink *sink;

  if (g_strcmp0 (device, "clock:") == 0)
    return open_clock (rate, channels);
  voice_portaudio_lock ();
  sink = open_port (device, rate, channels, error);
  voice_portaudio_unlock ();
  return sink;
}
