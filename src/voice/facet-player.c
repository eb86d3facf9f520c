#include "config.h"

#include "facet-player.h"
#include "voice-sink.h"

#include <sndfile.h>
#include <soxr.h>

#define BLOCK 1024 /* frames decoded at a time */
#define MAX_CHANNELS 64

struct FacetPlayer {
  gatomicrefcount  refs;   /* the owner, and the thread while it runs */
  char            *device;
  char            *path;
  GMutex           lock;   /* of what follows */
  GCond            wake;
  FacetPlayerState state;
  gboolean         quit;
  gboolean         ended;  /* the position is the end */
  double           seek;   /* -1: none wanted */
  double           position;
  GError          *error;
};

/* What the thread alone owns while it plays. */
typedef struct {
  SNDFILE   *snd;
  SF_INFO    info;
  VoiceSink *sink;
  soxr_t     resampler; /* NULL: the rates agree */
  int        channels;  /* of the sink */
  gint64     frame;     /* of the file: the next one to be decoded */
  float     *decoded;   /* [BLOCK, info.channels] */
  float     *mixed;     /* [BLOCK, channels] */
  float     *resampled;
  gsize      room;      /* frames in resampled */
} Playing;

static void
player_unref (FacetPlayer *player)
{
  if (!g_atomic_ref_count_dec (&player->refs))
    return;
  g_mutex_clear (&player->lock);
  g_cond_clear (&player->wake);
  g_clear_error (&player->error);
  g_free (player->device);
  g_free (player->path);
  g_free (player);
}

/* ---- in the thread ---- */

static void
close_all (Playing *playing)
{
  if (playing->sink != NULL)
    playing->sink->free (playing->sink);
  playing->sink = NULL;
  g_clear_pointer (&playing->resampler, soxr_delete);
  g_clear_pointer (&playing->snd, sf_close);
  g_clear_pointer (&playing->decoded, g_free);
  g_clear_pointer (&playing->mixed, g_free);
  g_clear_pointer (&playing->resampled, g_free);
}

static gboolean
open_all (FacetPlayer *player, Playing *playing, GError **error)
{
  soxr_error_t failed = NULL;

  playing->info = (SF_INFO) { 0 };
  playing->snd = sf_open (player->path, SFM_READ, &playing->info);
  if (playing->snd == NULL || playing->info.channels > MAX_CHANNELS) {
    g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_FILE, "%s: %s", player->path,
                 playing->snd == NULL ? sf_strerror (NULL) : "too many channels");
    return FALSE;
  }
  playing->sink = voice_sink_open (player->device, playing->info.samplerate, playing->info.channels == 2 ? 2 : 1, error);
  if (playing->sink == NULL)
    return FALSE;
  playing->channels = playing->sink->channels;
  playing->decoded = g_new (float, BLOCK * playing->info.channels);
  playing->mixed = g_new (float, BLOCK * playing->channels);
  if (playing->sink->rate != playing->info.samplerate) {
    playing->resampler = soxr_create (playing->info.samplerate, playing->sink->rate, (unsigned) playing->channels,
                                      &failed, NULL, NULL, NULL);
    playing->room = (gsize) BLOCK * (gsize) playing->sink->rate / (gsize) playing->info.samplerate + BLOCK;
    playing->resampled = g_new (float, playing->room * (gsize) playing->channels);
  }
  if (failed != NULL)
    g_set_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_FILE, "%s: %s", player->path, failed);
  return failed == NULL;
}

/* Channels beyond what the sink has are laid together. */
static void
mix (Playing *playing, gsize frames)
{
  int from = playing->info.channels, to = playing->channels;

  for (gsize i = 0; i < frames; i++) {
    const float *in = playing->decoded + i * (gsize) from;
    float *out = playing->mixed + i * (gsize) to;
    float sum = 0;

    if (from == to) {
      memcpy (out, in, sizeof (float) * (gsize) to);
      continue;
    }
    for (int c = 0; c < from; c++)
      sum += in[c];
    for (int c = 0; c < to; c++)
      out[c] = sum / (float) from;
  }
}

/* One block; FALSE at the end of the file or of the device, which sets @error. */
static gboolean
play_block (Playing *playing, GError **error)
{
  gsize frames = (gsize) sf_readf_float (playing->snd, playing->decoded, BLOCK), made = frames;
  const float *samples = playing->mixed;

  mix (playing, frames);
  playing->frame += (gint64) frames;
  if (playing->resampler != NULL) {
    soxr_process (playing->resampler, frames > 0 ? playing->mixed : NULL, frames, NULL, playing->resampled,
                  playing->room, &made);
    samples = playing->resampled;
  }
  if (made > 0 && !playing->sink->write (playing->sink, samples, made)) {
    g_set_error_literal (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_OUTPUT, "the playback device is gone");
    return FALSE;
  }
  return frames > 0;
}

/* Plays until something else is wanted. The lock is held on entry and exit. */
static gboolean
play_some (FacetPlayer *player, Playing *playing, GError **error)
{
  gboolean more = TRUE;

  if (player->seek >= 0) {
    playing->frame = (gint64) (MIN (player->seek, (double) playing->info.frames / playing->info.samplerate) *
                               playing->info.samplerate);
    player->seek = -1;
    sf_seek (playing->snd, playing->frame, SEEK_SET);
    if (playing->resampler != NULL)
      soxr_clear (playing->resampler);
  }
  while (more && !player->quit && player->state == FACET_PLAYER_PLAYING && player->seek < 0) {
    g_mutex_unlock (&player->lock);
    more = play_block (playing, error);
    if (!more && *error == NULL)
      playing->sink->drain (playing->sink);
    g_mutex_lock (&player->lock);
    if (player->seek < 0)
      player->position = MAX (0, (double) playing->frame / playing->info.samplerate - (more ? playing->sink->latency : 0));
  }
  return more;
}

static void
play_until_paused (FacetPlayer *player)
{
  Playing playing = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean opened;

  if (player->seek < 0)
    player->seek = player->ended ? 0 : player->position;
  player->ended = FALSE;
  g_mutex_unlock (&player->lock);
  opened = open_all (player, &playing, &error);
  g_mutex_lock (&player->lock);
  while (opened && !player->quit && player->state == FACET_PLAYER_PLAYING && error == NULL)
    if (!play_some (player, &playing, &error) && error == NULL) {
      player->ended = TRUE;
      player->state = FACET_PLAYER_PAUSED;
    }
  if (error != NULL) {
    player->state = FACET_PLAYER_FAILED;
    g_clear_error (&player->error);
    player->error = g_steal_pointer (&error);
  }
  g_mutex_unlock (&player->lock);
  close_all (&playing);
  g_mutex_lock (&player->lock);
}

static gpointer
player_thread (gpointer data)
{
  FacetPlayer *player = data;

  g_mutex_lock (&player->lock);
  while (!player->quit) {
    if (player->state == FACET_PLAYER_PLAYING)
      play_until_paused (player);
    else
      g_cond_wait (&player->wake, &player->lock);
  }
  g_mutex_unlock (&player->lock);
  player_unref (player);
  return NULL;
}

/* ---- the owner's ---- */

FacetPlayer *
facet_player_new (const char *device, const char *path)
{
  FacetPlayer *player = g_new0 (FacetPlayer, 1);

  g_atomic_ref_count_init (&player->refs);
  g_atomic_ref_count_inc (&player->refs);
  g_mutex_init (&player->lock);
  g_cond_init (&player->wake);
  player->device = g_strdup (device);
  player->path = g_strdup (path);
  player->seek = -1;
  g_thread_unref (g_thread_new ("voice-player", player_thread, player));
  return player;
}

void
facet_player_free (FacetPlayer *player)
{
  if (player == NULL)
    return;
  g_mutex_lock (&player->lock);
  player->quit = TRUE;
  g_cond_signal (&player->wake);
  g_mutex_unlock (&player->lock);
  player_unref (player);
}

void
facet_player_play (FacetPlayer *player)
{
  g_mutex_lock (&player->lock);
  player->state = FACET_PLAYER_PLAYING;
  g_cond_signal (&player->wake);
  g_mutex_unlock (&player->lock);
}

void
facet_player_pause (FacetPlayer *player)
{
  g_mutex_lock (&player->lock);
  if (player->state == FACET_PLAYER_PLAYING)
    player->state = FACET_PLAYER_PAUSED;
  g_mutex_unlock (&player->lock);
}

void
facet_player_seek (FacetPlayer *player, double seconds)
{
  g_mutex_lock (&player->lock);
  player->seek = player->position = MAX (seconds, 0);
  player->ended = FALSE;
  g_mutex_unlock (&player->lock);
}

FacetPlayerState
facet_player_state (FacetPlayer *player)
{
  FacetPlayerState state;

  g_mutex_lock (&player->lock);
  state = player->state;
  g_mutex_unlock (&player->lock);
  return state;
}

double
facet_player_position (FacetPlayer *player)
{
  double position;

  g_mutex_lock (&player->lock);
  position = player->position;
  g_mutex_unlock (&player->lock);
  return position;
}

GError *
facet_player_error (FacetPlayer *player)
{
  GError *error = NULL;

  g_mutex_lock (&player->lock);
  if (player->state == FACET_PLAYER_FAILED && player->error != NULL)
    error = g_error_copy (player->error);
  g_mutex_unlock (&player->lock);
  return error;
}
