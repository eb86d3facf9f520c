#include "speech.h"

#include <math.h>
#include <sndfile.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define QUIET 0.02f

void
recording_init (Recording *recording)
{
  recording->samples = g_array_new (FALSE, TRUE, sizeof (float));
  recording->spoken = g_array_new (FALSE, FALSE, sizeof (FacetPiece));
}

void
recording_clear (Recording *recording)
{
  g_array_unref (recording->samples);
  g_array_unref (recording->spoken);
}

double
recording_seconds (const Recording *recording)
{
  return (double) recording->samples->len / SPEECH_RATE;
}

gboolean
speech_is_there (void)
{
  g_autofree char *path = g_find_program_in_path ("espeak-ng");

  if (path == NULL)
    g_test_skip ("espeak-ng is not installed");
  return path != NULL;
}

GArray *
speech_make (const char *voice, const char *text)
{
  g_autofree char *path = g_strdup_printf ("%s/facet-say-%d.wav", g_get_tmp_dir (), (int) getpid ());
  const char *argv[] = { "espeak-ng", "-v", voice, "-w", path, text, NULL };
  SF_INFO info = { 0 };
  GArray *speech;
  float *samples;
  guint first = 0, last;
  SNDFILE *snd;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  snd = sf_open (path, SFM_READ, &info);
  g_assert_nonnull (snd);
  g_assert_cmpint (info.samplerate, ==, SPEECH_RATE);
  g_assert_cmpint (info.frames, <, 60 * SPEECH_RATE);
  speech = g_array_sized_new (FALSE, FALSE, sizeof (float), (guint) info.frames);
  g_array_set_size (speech, (guint) info.frames);
  samples = (float *) (gpointer) speech->data;
  g_assert_cmpint (sf_readf_float (snd, samples, info.frames), ==, info.frames);
  sf_close (snd);
  g_remove (path);
  last = speech->len;
  while (first < last && fabsf (samples[first]) < QUIET)
    first++;
  while (last > first && fabsf (samples[last - 1]) < QUIET)
    last--;
  g_assert_cmpuint (first, <, last);
  g_array_set_size (speech, last);
  if (first > 0)
    g_array_remove_range (speech, 0, first);
  return speech;
}

void
recording_say (Recording *recording, GArray *speech)
{
  FacetPiece spoken = { .start = recording_seconds (recording) };

  g_array_append_vals (recording->samples, speech->data, speech->len);
  spoken.end = recording_seconds (recording);
  g_array_append_val (recording->spoken, spoken);
}

void
recording_pause (Recording *recording, double seconds)
{
  g_array_set_size (recording->samples, recording->samples->len + (guint) (seconds * SPEECH_RATE));
}

void
recording_noise (Recording *recording, float amplitude)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint i = 0; i < recording->samples->len; i++)
    g_array_index (recording->samples, float, i) += (float) g_rand_double_range (rand, -amplitude, amplitude);
}

GArray *
recording_split (Recording *recording)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetAudio) audio = facet_audio_new_samples ((const float *) (gpointer) recording->samples->data, recording->samples->len, 1,
                                                          SPEECH_RATE, &error);
  GArray *pieces;

  g_assert_no_error (error);
  pieces = facet_audio_split (audio, 0, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < pieces->len; i++) {
    const FacetPiece *p = &g_array_index (pieces, FacetPiece, i);

    g_assert_cmpfloat (p->end, >, p->start);
    g_assert_cmpfloat (p->end - p->start, <=, 28.001);
    g_assert_cmpfloat (p->end, <=, facet_audio_duration (audio) + 1e-6);
  }
  return pieces;
}
