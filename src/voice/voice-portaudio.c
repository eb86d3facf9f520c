#include "config.h"

#include "voice-portaudio.h"

static GMutex lock;

void
voice_portaudio_lock (void)
{
  g_mutex_lock (&lock);
}

void
voice_portaudio_unlock (void)
{
  g_mutex_unlock (&lock);
}

static char *
device_id (const PaDeviceInfo *info)
{
  return g_strdup_printf ("%s/%s", Pa_GetHostApiInfo (info->hostApi)->name, info->name);
}

static gboolean
serves (const PaDeviceInfo *info, FacetVoiceDirection direction)
{
  return (direction == FACET_VOICE_INPUT ? info->maxInputChannels : info->maxOutputChannels) > 0;
}

static PaDeviceIndex
default_device (FacetVoiceDirection direction)
{
  return direction == FACET_VOICE_INPUT ? Pa_GetDefaultInputDevice () : Pa_GetDefaultOutputDevice ();
}

PaDeviceIndex
voice_portaudio_find (const char *device, FacetVoiceDirection direction)
{
  if (device == NULL)
    return default_device (direction);
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount (); i++) {
    const PaDeviceInfo *info = Pa_GetDeviceInfo (i);
    g_autofree char *id = device_id (info);

    if (serves (info, direction) && g_str_equal (id, device))
      return i;
  }
  return paNoDevice;
}

static void
device_free (gpointer data)
{
  FacetVoiceDevice *device = data;

  g_free (device->id);
  g_free (device->name);
  g_free (device);
}

static void
add_devices (GPtrArray *devices, FacetVoiceDirection direction)
{
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount (); i++) {
    const PaDeviceInfo *info = Pa_GetDeviceInfo (i);
    FacetVoiceDevice *device;

    if (!serves (info, direction))
      continue;
    device = g_new0 (FacetVoiceDevice, 1);
    device->id = device_id (info);
    device->name = g_utf8_make_valid (info->name, -1);
    device->is_default = i == default_device (direction);
    g_ptr_array_add (devices, device);
  }
}

GPtrArray *
facet_voice_devices (FacetVoiceDirection direction)
{
  GPtrArray *devices = g_ptr_array_new_with_free_func (device_free);

  voice_portaudio_lock ();
  if (Pa_Initialize () == paNoError) {
    add_devices (devices, direction);
    Pa_Terminate ();
  }
  voice_portaudio_unlock ();
  return devices;
}
