/* voice-portaudio.h - PortAudio's devices, and its lock
 *
 * PortAudio may be used by one thread at a time where it starts, ends, lists
 * devices, and opens or closes streams: such calls are made under the lock.
 * Reading and writing a stream needs none.
 */
#pragma once

#include "facet-recorder.h"

#include <portaudio.h>

void          voice_portaudio_lock   (void);
void          voice_portaudio_unlock (void);

/* The device of this id (NULL: the default one) for this direction, or
 * paNoDevice. Under the lock, PortAudio being initialised. */
PaDeviceIndex voice_portaudio_find   (const char *device, FacetVoiceDirection direction);
