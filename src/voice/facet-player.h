/* facet-player.h - playing a sound file
 *
 * Any file that libsndfile reads, resampled where the device lacks its rate,
 * through PortAudio. A thread of the player's own opens file and device,
 * decodes and waits; the device is open only while something is heard.
 *
 * Knows nothing of GTK. Thread-safety: a player belongs to one thread; no call
 * waits for the device.
 */
#pragma once

#include "facet-recorder.h"

G_BEGIN_DECLS

typedef enum {
  FACET_PLAYER_PAUSED, /* at first, and at the end */
  FACET_PLAYER_PLAYING,
  FACET_PLAYER_FAILED, /* see facet_player_error(); play tries again */
} FacetPlayerState;

typedef struct FacetPlayer FacetPlayer;

/* @device: an id from facet_voice_devices(), NULL: the default one, "clock:":
 * nothing is heard, but time passes. */
FacetPlayer     *facet_player_new      (const char *device, const char *path);
void             facet_player_free     (FacetPlayer *player);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetPlayer, facet_player_free)

/* From the position; from the beginning if that is the end. */
void             facet_player_play     (FacetPlayer *player);
void             facet_player_pause    (FacetPlayer *player);
/* To so many seconds from the beginning, playing or not. */
void             facet_player_seek     (FacetPlayer *player, double seconds);

FacetPlayerState facet_player_state    (FacetPlayer *player);
double           facet_player_position (FacetPlayer *player); /* seconds, of what is heard */
/* Returns: (transfer full) (nullable): of FAILED. */
GError          *facet_player_error    (FacetPlayer *player);

G_END_DECLS
