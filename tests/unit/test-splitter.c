/* Long recordings: silence and noise are no speech, hours fit in little
 * memory, pieces become transcripts. test-splitter-speech.c has the speech. */
#include "speech.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
test_no_speech (void)
{
  for (int kind = 0; kind < 4; kind++) {
    g_auto (Recording) recording;
    g_autoptr (GArray) pieces = NULL;

    recording_init (&recording);
    recording_pause (&recording, kind == 3 ? 0.1 : 45);
    if (kind == 1)
      recording_noise (&recording, 0.2f);
    for (guint i = 0; kind == 2 && i < recording.samples->len; i++)
      g_array_index (recording.samples, float, i) = 0.3f * sinf (2 * (float) G_PI * 50 * (float) i / SPEECH_RATE);
    pieces = recording_split (&recording);
    g_assert_cmpuint (pieces->len, ==, 0);
  }
}

/* Half a second of every five that is @gain times as loud as the noise around it. */
static guint
pieces_of_swelling_noise (float gain)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL;

  recording_init (&recording);
  recording_pause (&recording, 30);
  recording_noise (&recording, 0.02f);
  for (guint i = 0; i < recording.samples->len; i++)
    if (i % (5 * SPEECH_RATE) > 9 * SPEECH_RATE / 2)
      g_array_index (recording.samples, float, i) *= gain;
  pieces = recording_split (&recording);
  return pieces->len;
}

/* Noise that swells by 10 dB, such as wind, passes the gate, which lies 8 dB
 * above the floor, without standing out from it; what swells by 20 dB does. */
static void
test_swelling_noise (void)
{
  g_assert_cmpuint (pieces_of_swelling_noise (3.2f), ==, 0);
  g_assert_cmpuint (pieces_of_swelling_noise (10), >, 0);
}

static void
test_shortest_note (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL;

  recording_init (&recording);
  recording_pause (&recording, 0.1);
  for (guint i = 0; i < recording.samples->len; i++)
    g_array_index (recording.samples, float, i) = 0.3f * sinf (2 * (float) G_PI * 440 * (float) i / SPEECH_RATE);
  pieces = recording_split (&recording);
  g_assert_cmpuint (pieces->len, ==, 1);
}

static void
test_clip (void)
{
  float samples[48000];
  g_autoptr (FacetAudio) audio = NULL, clip = NULL;
  float peaks[10];

  for (int i = 0; i < 48000; i++)
    samples[i] = i == 20000 ? 0.5f : 0;
  audio = facet_audio_new_samples (samples, 48000, 1, 16000, NULL);
  clip = facet_audio_clip (audio, 1, 2, NULL);
  g_assert_cmpfloat (facet_audio_duration (clip), ==, 1);
  facet_audio_peaks (clip, peaks, 10);
  for (int i = 0; i < 10; i++)
    g_assert_cmpfloat (peaks[i], ==, i == 2 ? 0.5f : 0);
  g_assert_null (facet_audio_clip (audio, 2, 1, NULL));
  g_assert_null (facet_audio_clip (audio, 3, 4, NULL));
}

/* ---- three hours ---- */

static long
peak_memory_kib (void)
{
  g_autofree char *status = NULL;
  const char *line;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "VmHWM:");
  return line != NULL ? strtol (line + 6, NULL, 10) : 0;
}

static void
test_three_hours (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "facet-three-hours.wav", NULL);
  SF_INFO info = { .samplerate = 8000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_ULAW };
  g_autoptr (FacetAudio) audio = NULL;
  g_autoptr (GArray) pieces = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree float *block = g_new (float, 5 * 8000);
  SNDFILE *snd;
  long before;

  snd = sf_open (path, SFM_WRITE, &info);
  for (int i = 0; i < 5 * 8000; i++)
    block[i] = i >= 4 * 8000 ? 0 : 0.3f * sinf ((float) (i % 8000) * 0.5f) * fabsf (sinf ((float) (i % 8000) * 0.002f));
  for (int n = 0; n < 3 * 720; n++)
    sf_writef_float (snd, block, 5 * 8000);
  sf_close (snd);
  before = peak_memory_kib ();
  audio = facet_audio_load (path, NULL, &error);
  g_assert_no_error (error);
  pieces = facet_audio_split (audio, 0, NULL, &error);
  g_assert_no_error (error);
  g_remove (path);
  g_test_message ("%u pieces, %ld KiB more memory", pieces->len, peak_memory_kib () - before);
  g_assert_cmpuint (pieces->len, >, 300);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
  g_assert_cmpint (peak_memory_kib () - before, <, 32 * 1024);
#endif
}

/* ---- transcripts ---- */

static char *
joined (const char *a, const char *b, gboolean overlaps)
{
  g_autoptr (FacetTranscript) transcript = facet_transcript_new ();

  facet_transcript_add (transcript, &(FacetPiece) { 0, 10, FALSE }, a);
  facet_transcript_add (transcript, &(FacetPiece) { 9, 20, overlaps }, b);
  return facet_transcript_write (transcript, FACET_TRANSCRIPT_TEXT);
}

static void
test_join (void)
{
  static const struct { const char *a, *b; gboolean overlaps; const char *expected; } cases[] = {
    { "One two three.", "Four five.", FALSE, "One two three. Four five." },
    { "no no", "no no", FALSE, "no no no no" },
    { "we saw the quick brown fo", "uick brown fox jumps", TRUE, "we saw the quick brown fox jumps" },
    { "and then he said, Hello", "he said hello to everyone", TRUE, "and then he said, Hello to everyone" },
    { "the end of it", "completely other words", TRUE, "the end of it completely other words" },
    { "今日は天気が", "天気がいいです", TRUE, "今日は天気がいいです" },
    { "Größe zählt", "ZÄHLT immer", TRUE, "Größe zählt immer" },
    { "a lot of", "of a kind", TRUE, "a lot of a kind" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = joined (cases[i].a, cases[i].b, cases[i].overlaps);

    g_assert_cmpstr (text, ==, cases[i].expected);
  }
}

static void
test_formats (void)
{
  g_autoptr (FacetTranscript) transcript = facet_transcript_new ();
  g_autofree char *srt = NULL, *vtt = NULL, *json = NULL;

  facet_transcript_add (transcript, &(FacetPiece) { 3599.5, 3601.25, FALSE }, "Hello <b> --> \"you\"\n\n1");
  srt = facet_transcript_write (transcript, FACET_TRANSCRIPT_SRT);
  vtt = facet_transcript_write (transcript, FACET_TRANSCRIPT_VTT);
  json = facet_transcript_write (transcript, FACET_TRANSCRIPT_JSON);
  g_assert_cmpstr (srt, ==, "1\n00:59:59,500 --> 01:00:01,250\nHello <b> -- > \"you\"  1\n\n");
  g_assert_cmpstr (vtt, ==, "WEBVTT\n\n00:59:59.500 --> 01:00:01.250\nHello &lt;b> --&gt; \"you\"  1\n\n");
  g_assert_cmpstr (json, ==, "{\"text\": \"Hello <b> --> \\\"you\\\"\\u000a\\u000a1\", \"segments\": [{\"start\": 3599.500, "
                             "\"end\": 3601.250, \"text\": \"Hello <b> --> \\\"you\\\"\\u000a\\u000a1\"}]}\n");
}

static void
test_cues (void)
{
  g_autoptr (FacetTranscript) transcript = facet_transcript_new ();
  g_autofree char *srt = NULL;
  g_auto (GStrv) lines = NULL;
  int cues = 0;

  facet_transcript_add (transcript, &(FacetPiece) { 0, 20, FALSE },
                        "This is a long stretch of speech that nobody could read in one go, so it has to be shown in "
                        "several cues one after the other, each of them short enough for two lines of a screen.");
  srt = facet_transcript_write (transcript, FACET_TRANSCRIPT_SRT);
  lines = g_strsplit (srt, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_assert_cmpint (g_utf8_strlen (lines[i], -1), <=, 42);
    cues += strstr (lines[i], " --> ") != NULL;
  }
  g_assert_cmpint (cues, >=, 3);
  g_assert_nonnull (strstr (srt, "--> 00:00:20,000"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* First, while the process is small: the peak is what it measures. */
  g_test_add_func ("/splitter/three-hours", test_three_hours);
  g_test_add_func ("/splitter/no-speech", test_no_speech);
  g_test_add_func ("/splitter/swelling-noise", test_swelling_noise);
  g_test_add_func ("/splitter/shortest-note", test_shortest_note);
  g_test_add_func ("/splitter/clip", test_clip);
  g_test_add_func ("/transcript/join", test_join);
  g_test_add_func ("/transcript/formats", test_formats);
  g_test_add_func ("/transcript/cues", test_cues);
  return g_test_run ();
}
