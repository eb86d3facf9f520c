#include "config.h"

#include "voice-source.h"

#include <sndfile.h>

typedef struct {
  VoiceSource base;
  VoiceRing  *ring;
  SNDFILE    *snd;
  gboolean    vanishes;
  GThread    *thread;
  gint        quit, ended;
} FileSource;

/* Pushes as much as the clock says, so that pauses of this thread lose nothing. */
static gpointer
play (gpointer data)
{
  FileSource *source = data;
  gint64 start = g_get_monotonic_time (), pushed = 0;
  float block[1024];
  int frames = (int) G_N_ELEMENTS (block) / source->base.channels;

  while (!g_atomic_int_get (&source->quit)) {
    gint64 due = (g_get_monotonic_time () - start) * source->base.rate / G_USEC_PER_SEC;

    while (pushed + frames <= due) {
      sf_count_t n = sf_readf_float (source->snd, block, frames);

      if (n < frames && source->vanishes) {
        voice_ring_push (source->ring, block, (guint32) (n * source->base.channels));
        g_atomic_int_set (&source->ended, 1);
        return NULL;
      }
      memset (block + n * source->base.channels, 0, (gsize) ((frames - n) * source->base.channels) * sizeof (float));
      voice_ring_push (source->ring, block, (guint32) (frames * source->base.channels));
      pushed += frames;
    }
    g_usleep (5000);
  }
  return NULL;
}

static gboolean
file_alive (VoiceSource *base)
{
  return !g_atomic_int_get (&((FileSource *) base)->ended);
}

static void
file_free (VoiceSource *base)
{
  FileSource *source = (FileSource *) base;

  g_atomic_int_set (&source->quit, 1);
  g_thread_join (source->thread);
  sf_close (source->snd);
  g_free (source);
}

VoiceSource *
voice_source_open_file (const char *path, gboolean vanishes, VoiceRing *ring, GError **error)
{
  SF_INFO info = { 0 };
  SNDFILE *snd = sf_open (path, SFM_READ, &info);
  FileSource *source;

  if (snd == NULL || info.channels > 2) {
    g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_DEVICE, "%s: %s", path,
                 snd == NULL ? sf_strerror (NULL) : "more than two channels");
    if (snd != NULL)
      sf_close (snd);
    return NULL;
  }
  source = g_new0 (FileSource, 1);
  source->base = (VoiceSource) { info.samplerate, info.channels, file_alive, file_free };
  source->ring = ring;
  source->snd = snd;
  source->vanishes = vanishes;
  source->thread = g_thread_new ("voice-file", play, source);
  return &source->base;
}
