/* Long recordings: cut only in pauses where there are any, silence and noise
 * are no speech, hours fit in little memory. Speech is made by espeak-ng. */
#include "facet.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE 22050 /* of espeak-ng */

typedef struct {
  GArray *samples; /* float */
  GArray *spoken;  /* FacetPiece: where the utterances are */
} Recording;

static void
recording_clear (Recording *recording)
{
  g_array_unref (recording->samples);
  g_array_unref (recording->spoken);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recording, recording_clear)

static void
recording_init (Recording *recording)
{
  recording->samples = g_array_new (FALSE, TRUE, sizeof (float));
  recording->spoken = g_array_new (FALSE, FALSE, sizeof (FacetPiece));
}

static double
now (Recording *recording)
{
  return (double) recording->samples->len / RATE;
}

static gboolean
have_espeak (void)
{
  g_autofree char *path = g_find_program_in_path ("espeak-ng");

  if (path == NULL)
    g_test_skip ("espeak-ng is not installed");
  return path != NULL;
}

/* Appends what espeak-ng says, without the silence around it. */
static void
say (Recording *recording, const char *voice, const char *text)
{
  g_autofree char *path = g_strdup_printf ("%s/facet-say-%d.wav", g_get_tmp_dir (), (int) getpid ());
  const char *argv[] = { "espeak-ng", "-v", voice, "-w", path, text, NULL };
  SF_INFO info = { 0 };
  g_autofree float *samples = NULL;
  FacetPiece spoken;
  sf_count_t first = 0, last;
  SNDFILE *snd;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  snd = sf_open (path, SFM_READ, &info);
  g_assert_nonnull (snd);
  g_assert_cmpint (info.samplerate, ==, RATE);
  samples = g_new (float, info.frames);
  g_assert_cmpint (sf_readf_float (snd, samples, info.frames), ==, info.frames);
  sf_close (snd);
  g_remove (path);
  last = info.frames;
  while (first < last && fabsf (samples[first]) < 0.02f)
    first++;
  while (last > first && fabsf (samples[last - 1]) < 0.02f)
    last--;
  spoken = (FacetPiece) { .start = now (recording) };
  g_array_append_vals (recording->samples, samples + first, (guint) (last - first));
  spoken.end = now (recording);
  g_array_append_val (recording->spoken, spoken);
}

static void
pause_for (Recording *recording, double seconds)
{
  g_array_set_size (recording->samples, recording->samples->len + (guint) (seconds * RATE));
}

static void
add_noise (Recording *recording, float amplitude)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint i = 0; i < recording->samples->len; i++)
    g_array_index (recording->samples, float, i) += (float) g_rand_double_range (rand, -amplitude, amplitude);
}

static GArray *
split (Recording *recording)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetAudio) audio = facet_audio_new_samples ((const float *) (gpointer) recording->samples->data,
                                                          recording->samples->len, 1, RATE, &error);
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

/* Every utterance lies whole in exactly one piece. */
static void
check_whole (Recording *recording, GArray *pieces)
{
  for (guint u = 0; u < recording->spoken->len; u++) {
    const FacetPiece *spoken = &g_array_index (recording->spoken, FacetPiece, u);
    int holders = 0;

    for (guint i = 0; i < pieces->len; i++) {
      const FacetPiece *p = &g_array_index (pieces, FacetPiece, i);

      holders += p->start <= spoken->start + 0.03 && p->end >= spoken->end - 0.03;
      g_assert_false (p->overlaps);
    }
    if (holders != 1)
      g_error ("utterance %u, %.2f to %.2f s, is whole in %d pieces", u, spoken->start, spoken->end, holders);
  }
}

static void
talk (Recording *recording, double gap)
{
  static const char *const lines[][2] = {
    { "en", "The quarterly figures are better than we had expected." },
    { "it", "La riunione di domani comincia alle nove e mezza." },
    { "de", "Bitte denken Sie an die Unterlagen für den Vertrag." },
    { "fr", "Le train pour Lyon part dans une vingtaine de minutes." },
    { "en-us+f3", "Call me back when you have read the second chapter." },
    { "es+m4", "El informe llega por correo antes del viernes." },
  };

  for (int round = 0; round < 4; round++)
    for (gsize i = 0; i < G_N_ELEMENTS (lines); i++) {
      say (recording, lines[i][0], lines[i][1]);
      pause_for (recording, gap);
    }
}

static void
test_pauses (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) clean = NULL, noisy = NULL;

  recording_init (&recording);
  if (!have_espeak ())
    return;
  talk (&recording, 0.7);
  clean = split (&recording);
  g_test_message ("%.1f s of speech in %u pieces", now (&recording), clean->len);
  g_assert_cmpuint (clean->len, >=, 3);
  check_whole (&recording, clean);
  add_noise (&recording, 0.01f);
  noisy = split (&recording);
  check_whole (&recording, noisy);
}

static void
test_endless_speech (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL;
  guint overlaps = 0;

  recording_init (&recording);
  if (!have_espeak ())
    return;
  talk (&recording, 0.05);
  pieces = split (&recording);
  for (guint i = 1; i < pieces->len; i++) {
    const FacetPiece *p = &g_array_index (pieces, FacetPiece, i), *before = p - 1;

    /* Nothing is lost between pieces but pauses. */
    g_assert_cmpfloat (p->start - before->end, <, 0.5);
    if (p->overlaps)
      g_assert_cmpfloat (before->end - p->start, >, 1.0);
    overlaps += p->overlaps;
  }
  g_assert_cmpuint (pieces->len, >=, 3);
  g_assert_cmpuint (overlaps, >=, 1);
}

static void
test_long_silence_left_out (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL;

  recording_init (&recording);
  if (!have_espeak ())
    return;
  pause_for (&recording, 20);
  say (&recording, "en", "One sentence before the long break.");
  pause_for (&recording, 40);
  say (&recording, "en", "And another one after it.");
  pause_for (&recording, 10);
  pieces = split (&recording);
  g_assert_cmpuint (pieces->len, ==, 2);
  check_whole (&recording, pieces);
  g_assert_cmpfloat (g_array_index (pieces, FacetPiece, 0).start, >, 19.5);
}

static void
test_no_speech (void)
{
  for (int kind = 0; kind < 4; kind++) {
    g_auto (Recording) recording;
    g_autoptr (GArray) pieces = NULL;

    recording_init (&recording);
    pause_for (&recording, kind == 3 ? 0.1 : 45);
    if (kind == 1)
      add_noise (&recording, 0.2f);
    for (guint i = 0; kind == 2 && i < recording.samples->len; i++)
      g_array_index (recording.samples, float, i) = 0.3f * sinf (2 * (float) G_PI * 50 * (float) i / RATE);
    pieces = split (&recording);
    g_assert_cmpuint (pieces->len, ==, 0);
  }
}

static void
test_shortest_note (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL;

  recording_init (&recording);
  pause_for (&recording, 0.1);
  for (guint i = 0; i < recording.samples->len; i++)
    g_array_index (recording.samples, float, i) = 0.3f * sinf (2 * (float) G_PI * 440 * (float) i / RATE);
  pieces = split (&recording);
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
  float second[8000];
  SNDFILE *snd;
  long before;

  if (!g_test_slow ()) {
    g_test_skip ("only with -m slow");
    return;
  }
  snd = sf_open (path, SFM_WRITE, &info);
  for (int s = 0; s < 3 * 3600; s++) {
    for (int i = 0; i < 8000; i++)
      second[i] = s % 5 == 4 ? 0 : 0.3f * sinf ((float) i * 0.5f) * fabsf (sinf ((float) i * 0.002f));
    sf_writef_float (snd, second, 8000);
  }
  sf_close (snd);
  before = peak_memory_kib ();
  audio = facet_audio_load (path, NULL, &error);
  g_assert_no_error (error);
  pieces = facet_audio_split (audio, 0, NULL, &error);
  g_assert_no_error (error);
  g_remove (path);
  g_test_message ("%u pieces, %ld KiB more memory", pieces->len, peak_memory_kib () - before);
  g_assert_cmpuint (pieces->len, >, 300);
  g_assert_cmpint (peak_memory_kib () - before, <, 32 * 1024);
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
  g_test_add_func ("/splitter/pauses", test_pauses);
  g_test_add_func ("/splitter/endless-speech", test_endless_speech);
  g_test_add_func ("/splitter/long-silence-left-out", test_long_silence_left_out);
  g_test_add_func ("/splitter/no-speech", test_no_speech);
  g_test_add_func ("/splitter/shortest-note", test_shortest_note);
  g_test_add_func ("/splitter/clip", test_clip);
  g_test_add_func ("/transcript/join", test_join);
  g_test_add_func ("/transcript/formats", test_formats);
  g_test_add_func ("/transcript/cues", test_cues);
  return g_test_run ();
}
