/* Recording without hardware: what is heard is on disk, at any moment as a
 * valid file, and nothing that was captured is lost when the device goes. */
#include "facet-recorder.h"
#include "tree.h"

#include <math.h>
#include <signal.h>
#include <sndfile.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE 44100

static char *folder;

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static float
sound_at (int i, int channel)
{
  return 0.5f * sinf (0.05f * (float) i) * (channel == 0 ? 1 : 0.5f);
}

static char *
make_source (const char *kind, double seconds)
{
  g_autofree char *path = path_of ("source.wav");
  SF_INFO info = { .samplerate = RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
  SNDFILE *snd = sf_open (path, SFM_WRITE, &info);

  for (int i = 0; i < (int) (seconds * RATE); i++) {
    float frame[2] = { sound_at (i, 0), sound_at (i, 1) };

    sf_writef_float (snd, frame, 1);
  }
  sf_close (snd);
  return g_strdup_printf ("%s:%s", kind, path);
}

static float *
read_recording (const char *path, sf_count_t *frames)
{
  SF_INFO info = { 0 };
  SNDFILE *snd = sf_open (path, SFM_READ, &info);
  float *samples;

  if (snd == NULL)
    g_error ("%s: %s", path, sf_strerror (NULL));
  g_assert_cmpint (info.samplerate, ==, RATE);
  g_assert_cmpint (info.channels, ==, 2);
  samples = g_new (float, info.frames * 2 + 1);
  g_assert_cmpint (sf_readf_float (snd, samples, info.frames), ==, info.frames);
  sf_close (snd);
  *frames = info.frames;
  return samples;
}

static void
check_samples (const float *samples, sf_count_t frames)
{
  for (sf_count_t i = 0; i < frames; i++)
    for (int c = 0; c < 2; c++)
      g_assert_cmpfloat (fabsf (samples[2 * i + c] - sound_at ((int) i, c)), <, 1e-3f);
}

static void
test_device_lost (void)
{
  g_autofree char *device = make_source ("unplug", 0.7), *path = path_of ("lost.wav");
  g_autofree float *samples = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetRecorder) recorder = facet_recorder_start (device, path, &error);
  float peaks[4];
  sf_count_t frames;

  g_assert_no_error (error);
  for (int i = 0; i < 300 && facet_recorder_state (recorder) == FACET_RECORDER_RECORDING; i++)
    g_usleep (10000);
  g_assert_cmpint (facet_recorder_state (recorder), ==, FACET_RECORDER_FAILED);
  g_assert_error (facet_recorder_error (recorder), FACET_VOICE_ERROR, FACET_VOICE_ERROR_LOST);
  facet_recorder_stop (recorder);
  samples = read_recording (path, &frames);
  g_assert_cmpint (frames, ==, (sf_count_t) (0.7 * RATE));
  check_samples (samples, frames);
  facet_recorder_peaks (recorder, peaks, 4);
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat (fabsf (peaks[i] - 0.5f), <, 0.01f);
}

static void
test_pause (void)
{
  g_autofree char *device = make_source ("file", 10), *path = path_of ("pause.wav");
  g_autoptr (FacetRecorder) recorder = facet_recorder_start (device, path, NULL);
  double before;

  g_usleep (300000);
  facet_recorder_pause (recorder);
  g_assert_cmpint (facet_recorder_state (recorder), ==, FACET_RECORDER_PAUSED);
  g_assert_cmpfloat (facet_recorder_level (recorder), ==, 0);
  g_usleep (60000);
  before = facet_recorder_seconds (recorder);
  g_assert_cmpfloat (before, >, 0.1);
  g_usleep (400000);
  g_assert_cmpfloat (facet_recorder_seconds (recorder), ==, before);
  facet_recorder_resume (recorder);
  g_usleep (300000);
  g_assert_cmpfloat (facet_recorder_level (recorder), >, 0.3);
  facet_recorder_stop (recorder);
  g_assert_cmpint (facet_recorder_state (recorder), ==, FACET_RECORDER_STOPPED);
  g_assert_cmpfloat (facet_recorder_seconds (recorder), >, before + 0.1);
  g_assert_cmpfloat (facet_recorder_seconds (recorder), <, 1.0);
}

static void
test_killed (void)
{
  g_autofree char *device = make_source ("file", 10), *path = path_of ("killed.wav");
  g_autofree float *samples = NULL;
  sf_count_t frames;
  pid_t child = fork ();

  if (child == 0) {
    g_assert_nonnull (facet_recorder_start (device, path, NULL));
    g_usleep (1700000);
    kill (getpid (), SIGKILL);
  }
  waitpid (child, NULL, 0);
  samples = read_recording (path, &frames);
  g_test_message ("%.2f of 1.70 s survived", (double) frames / RATE);
  g_assert_cmpint (frames, >, (sf_count_t) (1.0 * RATE));
  check_samples (samples, frames);
}

static void
test_discard (void)
{
  g_autofree char *device = make_source ("file", 1), *path = path_of ("discard.wav");
  g_autoptr (FacetRecorder) recorder = facet_recorder_start (device, path, NULL);

  g_usleep (100000);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  facet_recorder_discard (recorder);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_refused (void)
{
  g_autofree char *device = make_source ("file", 1), *path = path_of ("refused.wav");
  g_autofree char *nowhere = g_build_filename (folder, "absent", "a.wav", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (facet_recorder_start ("file:/absent.wav", path, &error));
  g_assert_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_DEVICE);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  g_assert_null (facet_recorder_start ("ALSA/no such microphone", path, &error));
  g_assert_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_NO_DEVICE);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  g_assert_null (facet_recorder_start (device, nowhere, &error));
  g_assert_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_DISK);
  g_assert_nonnull (facet_voice_error_text (error->code));
  g_clear_error (&error);
  /* Never over a file that is there. */
  g_file_set_contents (path, "kept", -1, NULL);
  g_assert_null (facet_recorder_start (device, path, &error));
  g_assert_error (error, FACET_VOICE_ERROR, FACET_VOICE_ERROR_DISK);
}

int
main (int argc, char **argv)
{
  int failed;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("facet-recorder-XXXXXX", NULL);
  g_test_add_func ("/recorder/device-lost", test_device_lost);
  g_test_add_func ("/recorder/pause", test_pause);
  g_test_add_func ("/recorder/killed", test_killed);
  g_test_add_func ("/recorder/discard", test_discard);
  g_test_add_func ("/recorder/refused", test_refused);
  failed = g_test_run ();
  tree_remove (folder);
  g_free (folder);
  return failed;
}
