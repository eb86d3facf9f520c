/* voice-ring.h - from the sound callback to the writer without a lock
 *
 * One producer, one consumer, two free-running indices. The producer never
 * waits: what does not fit is dropped and counted.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#define VOICE_RING_SIZE (1u << 18) /* floats: 2.7 s of stereo at 48 kHz */

typedef struct {
  _Atomic guint32 written, read;
  _Atomic guint32 dropped; /* floats */
  float           data[VOICE_RING_SIZE];
} VoiceRing;

static inline void
voice_ring_push (VoiceRing *ring, const float *samples, guint32 n)
{
  guint32 w = atomic_load_explicit (&ring->written, memory_order_relaxed);
  guint32 r = atomic_load_explicit (&ring->read, memory_order_acquire);

  if (n > VOICE_RING_SIZE - (w - r)) {
    atomic_fetch_add_explicit (&ring->dropped, n, memory_order_relaxed);
    return;
  }
  for (guint32 i = 0; i < n; i++)
    ring->data[(w + i) % VOICE_RING_SIZE] = samples[i];
  atomic_store_explicit (&ring->written, w + n, memory_order_release);
}

static inline guint32
voice_ring_pop (VoiceRing *ring, float *samples, guint32 n)
{
  guint32 r = atomic_load_explicit (&ring->read, memory_order_relaxed);
  guint32 w = atomic_load_explicit (&ring->written, memory_order_acquire);

  n = MIN (n, w - r);
  for (guint32 i = 0; i < n; i++)
    samples[i] = ring->data[(r + i) % VOICE_RING_SIZE];
  atomic_store_explicit (&ring->read, r + n, memory_order_release);
  return n;
}
