/* Playing at the pace of a clock: position, pause, seek, end and failure. */
#include "facet-player.h"
#include "tree.h"

#include <math.h>
#include <sndfile.h>

#define RATE 22050

static char *folder;

static char *
make_sound (double seconds, int channels)
{
  char *path = g_strdup_printf ("%s/%g-%d.wav", folder, seconds, channels);
  SF_INFO info = { .samplerate = RATE, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
  SNDFILE *snd = sf_open (path, SFM_WRITE, &info);
  g_autofree float *samples = g_new0 (float, (gsize) (seconds * RATE) * (gsize) channels);

  sf_writef_float (snd, samples, (sf_count_t) (seconds * RATE));
  sf_close (snd);
  return path;
}

static void
wait_state (FacetPlayer *player, FacetPlayerState state)
{
  for (int i = 0; i < 600 && facet_player_state (player) != state; i++)
    g_usleep (5000);
  g_assert_cmpint (facet_player_state (player), ==, state);
}

static void
test_to_the_end (gconstpointer channels)
{
  g_autofree char *path = make_sound (0.4, GPOINTER_TO_INT (channels));
  g_autoptr (FacetPlayer) player = facet_player_new ("clock:", path);
  gint64 start = g_get_monotonic_time ();

  g_assert_cmpint (facet_player_state (player), ==, FACET_PLAYER_PAUSED);
  facet_player_play (player);
  wait_state (player, FACET_PLAYER_PAUSED);
  g_assert_cmpint (g_get_monotonic_time () - start, >, 350000);
  g_assert_cmpfloat (fabs (facet_player_position (player) - 0.4), <, 0.01);

  /* from the beginning again */
  facet_player_play (player);
  g_usleep (100000);
  g_assert_cmpfloat (facet_player_position (player), <, 0.3);
  wait_state (player, FACET_PLAYER_PAUSED);
}

static void
test_pause_and_seek (void)
{
  g_autofree char *path = make_sound (20, 1);
  g_autoptr (FacetPlayer) player = facet_player_new ("clock:", path);
  double before;

  facet_player_seek (player, 5);
  g_assert_cmpfloat (facet_player_position (player), ==, 5);
  facet_player_play (player);
  g_usleep (300000);
  facet_player_pause (player);
  g_usleep (100000);
  before = facet_player_position (player);
  g_assert_cmpfloat (before, >, 5.1);
  g_assert_cmpfloat (before, <, 6);
  g_usleep (200000);
  g_assert_cmpfloat (facet_player_position (player), ==, before);

  facet_player_play (player);
  g_usleep (100000);
  facet_player_seek (player, 19.8);
  wait_state (player, FACET_PLAYER_PAUSED);
  g_assert_cmpfloat (facet_player_position (player), ==, 20);
}

static void
test_refused (void)
{
  g_autofree char *path = g_build_filename (folder, "words.wav", NULL);
  g_autofree char *sound = make_sound (1, 1);
  g_autoptr (FacetPlayer) player = facet_player_new ("clock:", path);
  g_autoptr (FacetPlayer) silent = facet_player_new ("ALSA/no such loudspeaker", sound);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, "no sound at all", -1, NULL);
  facet_player_play (player);
  wait_state (player, FACET_PLAYER_FAILED);
  error = facet_player_error (player);
  g_assert_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_FILE);

  g_clear_error (&error);
  facet_player_play (silent);
  wait_state (silent, FACET_PLAYER_FAILED);
  error = facet_player_error (silent);
  g_assert_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_OUTPUT);
  g_assert_cmpstr (facet_voice_error_text (error->code), !=, facet_voice_error_text (FACET_VOICE_ERROR_DISK));
}

/* Letting go of one that plays neither waits nor crashes. */
static void
test_let_go (void)
{
  g_autofree char *path = make_sound (20, 2);
  gint64 start = g_get_monotonic_time ();

  for (int i = 0; i < 20; i++) {
    FacetPlayer *player = facet_player_new ("clock:", path);

    facet_player_play (player);
    g_usleep (i * 1000);
    facet_player_free (player);
  }
  g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * G_USEC_PER_SEC);
  g_usleep (200000);
}

int
main (int argc, char **argv)
{
  int failed;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("facet-player-XXXXXX", NULL);
  g_test_add_data_func ("/player/to-the-end/mono", GINT_TO_POINTER (1), test_to_the_end);
  g_test_add_data_func ("/player/to-the-end/stereo", GINT_TO_POINTER (2), test_to_the_end);
  g_test_add_data_func ("/player/to-the-end/surround", GINT_TO_POINTER (6), test_to_the_end);
  g_test_add_func ("/player/pause-and-seek", test_pause_and_seek);
  g_test_add_func ("/player/refused", test_refused);
  g_test_add_func ("/player/let-go", test_let_go);
  failed = g_test_run ();
  tree_remove (folder);
  g_free (folder);
  return failed;
}
