/* Recordings of any length as text: what the model is asked, how its answers
 * are joined, and that stopping, failing and crashing lose nothing. The model
 * is a script; bursts of tone stand for speech. */
#include "facet-transcriber.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "facet-journal.h"
#include "tree.h"

#define RATE 16000

/* ---- a listener that follows a script ---- */

typedef struct {
  const char *const *answers;
  guint              asked;
  int                stop_at, fail_at; /* call that is stopped or fails; -1: none */
  int                loop_at;          /* call whose answer ends in a loop */
  int                most_tokens;
  FacetCancel       *cancel;
} Script;

static gboolean
script_reply (gpointer self, FacetPrompt *prompt, const FacetReplyParams *params, FacetReply *reply, GError **error)
{
  Script *script = self;
  int call = (int) script->asked++;

  *reply = (FacetReply){ .text = g_strdup (script->answers[call]), .ids = g_array_new (FALSE, FALSE, sizeof (gint32)) };
  script->most_tokens = MAX (script->most_tokens, params->max_tokens);
  if (call == script->fail_at) {
    facet_reply_clear (reply);
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_NUMERIC, "told to fail");
    return FALSE;
  }
  if (call == script->stop_at)
    facet_cancel (script->cancel);
  reply->stop_reason = facet_is_cancelled (params->cancel) ? FACET_STOP_CANCELLED
                       : call == script->loop_at           ? FACET_STOP_LOOP
                                                           : FACET_STOP_EOS;
  return TRUE;
}

/* ---- recordings ---- */

/* In syllables of 0.4 seconds with gaps of 0.2, since a steady tone is noise. */
static void
add (GArray *samples, double seconds, float amplitude)
{
  for (guint i = 0; i < (guint) (seconds * RATE); i++) {
    float x = i % 9600 < 6400 ? amplitude * sinf (0.2f * (float) i) : 0;

    g_array_append_val (samples, x);
  }
}

static FacetAudio *
finish (GArray *samples)
{
  FacetAudio *audio = facet_audio_new_samples ((const float *) (gpointer) samples->data, samples->len, 1, RATE, NULL);

  g_assert_nonnull (audio);
  return audio;
}

/* @n bursts of 20 seconds, a second of silence around each. */
static FacetAudio *
make_recording (int n)
{
  g_autoptr (GArray) samples = g_array_new (FALSE, FALSE, sizeof (float));

  add (samples, 1, 0);
  for (int i = 0; i < n; i++) {
    add (samples, 20, 0.3f);
    add (samples, 1, 0);
  }
  return finish (samples);
}

/* ---- calls ---- */

typedef struct {
  char               *folder, *journal;
  GString            *told;
  double              last_seconds;
  FacetCancel         cancel;
  Script              script;
  FacetTranscription  result;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("facet-transcribe-XXXXXX", NULL);
  f->journal = g_build_filename (f->folder, "deeper", "journal", NULL);
  f->told = g_string_new (NULL);
  f->script = (Script){ .stop_at = -1, .fail_at = -1, .loop_at = -1, .cancel = &f->cancel };
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  facet_transcription_clear (&f->result);
  tree_remove (f->folder);
  g_string_free (f->told, TRUE);
  g_free (f->folder);
  g_free (f->journal);
}

static void
on_text (const char *text, gsize length, gpointer data)
{
  g_string_append_len (((Fixture *) data)->told, text, length);
}

static void
on_progress (double seconds, double total, gpointer data)
{
  Fixture *f = data;

  g_assert_cmpfloat (seconds, >=, f->last_seconds);
  g_assert_cmpfloat (seconds, <=, total);
  f->last_seconds = seconds;
}

static gboolean
transcribe (Fixture *f, FacetAudio *audio, const char *key, GError **error)
{
  FacetListener listener = { script_reply, NULL, &f->script };
  FacetTranscribeParams params = {
    .instruction = "Transcribe.",
    .journal = f->journal,
    .key = key,
    .on_text = on_text,
    .on_progress = on_progress,
    .user_data = f,
    .cancel = &f->cancel,
  };

  facet_transcription_clear (&f->result);
  facet_cancel_reset (&f->cancel);
  g_string_truncate (f->told, 0);
  f->last_seconds = 0;
  f->script.asked = 0;
  return facet_transcribe (&listener, audio, &params, &f->result, error);
}

static void
assert_text (Fixture *f, const char *expected)
{
  g_autofree char *text = facet_transcript_write (f->result.transcript, FACET_TRANSCRIPT_TEXT);

  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpstr (f->told->str, ==, expected);
}

static void
assert_journal (Fixture *f, gboolean exists)
{
  g_assert_true (g_file_test (f->journal, G_FILE_TEST_EXISTS) == exists);
}

/* ---- tests ---- */

static const char *const three[] = { " The first\npiece. ", "The second.", "The third." };

static void
test_whole (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetAudio) audio = make_recording (3);
  g_autoptr (GError) error = NULL;

  f->script.answers = three;
  g_assert_true (transcribe (f, audio, "model", &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->script.asked, ==, 3);
  g_assert_cmpuint (f->result.pieces, ==, 3);
  g_assert_cmpuint (f->result.done, ==, 3);
  g_assert_true (f->result.finished);
  g_assert_cmpuint (f->result.doubtful->len, ==, 0);
  g_assert_cmpint (f->script.most_tokens, >, 100);
  g_assert_cmpint (f->script.most_tokens, <, 450);
  g_assert_cmpfloat (f->last_seconds, ==, f->result.seconds);
  assert_text (f, "The first piece. The second. The third.");
  assert_journal (f, FALSE);
}

static void
test_silence (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) samples = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (FacetAudio) audio = NULL;

  add (samples, 40, 0);
  audio = finish (samples);
  f->script.answers = three;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 0);
  g_assert_cmpuint (f->result.pieces, ==, 0);
  g_assert_true (f->result.finished);
  assert_text (f, "");
  assert_journal (f, FALSE);
}

static void
test_stop (Fixture *f, gconstpointer data)
{
  static const char *const rest[] = { "The second.", "The third." };
  g_autoptr (FacetAudio) audio = make_recording (3);

  f->script.answers = three;
  f->script.stop_at = 1;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->result.done, ==, 1);
  g_assert_false (f->result.finished);
  g_assert_cmpuint (f->script.asked, ==, 2);
  assert_text (f, "The first piece.");
  assert_journal (f, TRUE);

  f->script.answers = rest;
  f->script.stop_at = -1;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 2);
  g_assert_cmpuint (f->result.resumed, ==, 1);
  g_assert_cmpuint (f->result.done, ==, 3);
  assert_text (f, "The first piece. The second. The third.");
  assert_journal (f, FALSE);
}

static void
test_failure (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetAudio) audio = make_recording (3);
  g_autoptr (GError) error = NULL;

  f->script.answers = three;
  f->script.fail_at = 2;
  g_assert_false (transcribe (f, audio, "model", &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NUMERIC);
  g_assert_null (f->result.transcript);
  assert_journal (f, TRUE);

  f->script.answers = three + 2;
  f->script.fail_at = -1;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 1);
  assert_text (f, "The first piece. The second. The third.");
}

/* What a crash leaves, and what is another's. */
static void
test_journal (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetAudio) audio = make_recording (3), other = make_recording (2);
  g_autofree char *whole = NULL, *target = g_build_filename (f->folder, "target", NULL);
  g_autoptr (GError) error = NULL;
  gsize length;
  GStatBuf info;

  f->script.answers = three;
  f->script.stop_at = 2;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_true (g_file_get_contents (f->journal, &whole, &length, NULL));
  g_assert_cmpint (g_stat (f->journal, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
  f->script.stop_at = -1;

  /* Cut within the second piece's line: that piece is heard again. */
  g_assert_true (g_file_set_contents (f->journal, whole, (gssize) length - 5, NULL));
  f->script.answers = three + 1;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 2);
  assert_text (f, "The first piece. The second. The third.");

  f->script.answers = three;
  g_assert_true (g_file_set_contents (f->journal, whole, (gssize) length, NULL));
  g_assert_true (transcribe (f, audio, "another model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 3);
  g_assert_true (g_file_set_contents (f->journal, whole, (gssize) length, NULL));
  g_assert_true (transcribe (f, other, "model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 2);
  g_assert_true (g_file_set_contents (f->journal, "{\"piece\": 7}\n\xff\n", -1, NULL));
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->script.asked, ==, 3);

  /* A link is not followed. */
  g_assert_true (g_file_set_contents (target, "mine", -1, NULL));
  g_assert_cmpint (symlink (target, f->journal), ==, 0);
  g_assert_false (transcribe (f, audio, "model", &error));
  g_assert_nonnull (error);
  g_free (whole);
  g_assert_true (g_file_get_contents (target, &whole, NULL, NULL));
  g_assert_cmpstr (whole, ==, "mine");
}

/* Whatever a piece says comes back to the letter. */
static void
test_journal_text (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("é \"\\/\x7f\xc2\x85\xe2\x80\xa8\xf0\x9f\x8e\xa4<end_of_turn>");
  FacetJournal *journal;
  gboolean doubtful;

  for (char c = 1; c < 0x20; c++)
    g_string_append_c (text, c);
  journal = facet_journal_open (f->journal, "sound", "key\x1f", 2, NULL);
  g_assert_true (facet_journal_add (journal, 0, text->str, FALSE, NULL));
  g_assert_true (facet_journal_add (journal, 1, "", TRUE, NULL));
  facet_journal_close (journal);
  journal = facet_journal_open (f->journal, "sound", "key\x1f", 2, NULL);
  g_assert_cmpstr (facet_journal_get (journal, 0, &doubtful), ==, text->str);
  g_assert_false (doubtful);
  g_assert_cmpstr (facet_journal_get (journal, 1, &doubtful), ==, "");
  g_assert_true (doubtful);
  facet_journal_close (journal);
}

/* What nobody came back to: by age and number; other files stay. */
static void
test_tidy (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->journal), *journal = g_build_filename (folder, "own.journal", NULL);
  g_autoptr (FacetJournal) opened = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint journals = 0;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  for (int i = 0; i < 70; i++) {
    g_autofree char *base = g_strdup_printf (i == 69 ? "mine.txt" : "%02d.journal", i);
    g_autofree char *path = g_build_filename (folder, base, NULL);
    /* from this moment back, the last ones older than 30 days */
    struct timespec times[2] = { { .tv_sec = time (NULL) - (i < 20 ? i : i * 86400 + 3600) } };

    g_assert_true (g_file_set_contents (path, "x", -1, NULL));
    times[1] = times[0];
    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  }
  opened = facet_journal_open (journal, "sound", "key", 3, NULL);
  g_assert_nonnull (opened);
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    journals += g_str_has_suffix (name, ".journal");
    if (!g_str_equal (name, "own.journal") && !g_str_equal (name, "mine.txt"))
      g_assert_cmpint (atoi (name), <, 30);
  }
  g_assert_cmpuint (journals, ==, 31);

  for (int i = 0; i < 70; i++) {
    g_autofree char *base = g_strdup_printf ("new%02d.journal", i), *path = g_build_filename (folder, base, NULL);

    g_assert_true (g_file_set_contents (path, "x", -1, NULL));
  }
  g_clear_pointer (&opened, facet_journal_close);
  opened = facet_journal_open (journal, "sound", "key", 3, NULL);
  g_dir_rewind (dir);
  for (journals = 0; (name = g_dir_read_name (dir)) != NULL;)
    journals += g_str_has_suffix (name, ".journal");
  g_assert_cmpuint (journals, ==, 50);
  g_assert_true (g_file_test (journal, G_FILE_TEST_EXISTS));
}

static void
test_loop (Fixture *f, gconstpointer data)
{
  static const char *const answers[] = { "And so on and on. Thank you. Thank you. Thank you. Thank you. Thank you.", "no no no no" };
  g_autoptr (FacetAudio) audio = make_recording (2);

  f->script.answers = answers;
  f->script.loop_at = 0;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->result.doubtful->len, ==, 1);
  g_assert_cmpfloat (g_array_index (f->result.doubtful, FacetPiece, 0).start, <, 2);
  assert_text (f, "And so on and on. Thank you. no no no no");

  /* the next run knows of it from the journal */
  f->script.stop_at = 1;
  g_assert_true (transcribe (f, audio, "model", NULL));
  f->script.answers = answers + 1;
  f->script.stop_at = f->script.loop_at = -1;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->result.resumed, ==, 1);
  g_assert_cmpuint (f->result.doubtful->len, ==, 1);
  assert_text (f, "And so on and on. Thank you. no no no no");
}

/* Speech without a pause: pieces overlap, words that both have are told once. */
static void
test_overlap (Fixture *f, gconstpointer data)
{
  static const char *const answers[] = { "One two three four fife", "three four five six.", "Seven." };
  g_autoptr (GArray) samples = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (FacetAudio) audio = NULL;

  add (samples, 45, 0.3f);
  add (samples, 1.5, 0);
  add (samples, 25, 0.3f);
  audio = finish (samples);
  f->script.answers = answers;
  g_assert_true (transcribe (f, audio, "model", NULL));
  g_assert_cmpuint (f->result.pieces, ==, 3);
  assert_text (f, "One two three four five six. Seven.");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/transcriber/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("whole", test_whole);
  ADD ("silence", test_silence);
  ADD ("stop", test_stop);
  ADD ("failure", test_failure);
  ADD ("journal", test_journal);
  ADD ("journal-text", test_journal_text);
  ADD ("tidy", test_tidy);
  ADD ("loop", test_loop);
  ADD ("overlap", test_overlap);
  return g_test_run ();
}
