/* Recording and hearing in the window, with files in place of devices. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>

#include "composer/facet-composer-private.h"
#include "sound/facet-sound-view.h"
#include "sound/facet-waveform.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static void
set_up (Fixture *self, gconstpointer data)
{
  self->script.hears = TRUE;
  fixture_set_up (self, NULL);
  g_settings_set_string (self->settings, "speaker", "clock:");
}

/* Words with pauses between them, as far as a drawing can tell. */
static char *
make_sound (Fixture *self, const char *name, double seconds)
{
  char *path = g_build_filename (self->folder, name, NULL);
  SF_INFO info = { .samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
  SNDFILE *snd = sf_open (path, SFM_WRITE, &info);

  for (int i = 0; i < (int) (seconds * 16000); i++) {
    double t = i / 16000.0;
    float sample = (float) (0.5 * sin (t * 900) * pow (fabs (sin (t * 2.2)), 3) * (0.4 + 0.6 * fabs (sin (t * 17))));

    sf_writef_float (snd, &sample, 1);
  }
  sf_close (snd);
  return path;
}

static FacetComposer *
composer (Fixture *self)
{
  return self->window->composer;
}

static gboolean
is_recording (Fixture *self)
{
  return composer (self)->recorder != NULL && facet_composer_is_recording (composer (self)) &&
         gtk_widget_is_sensitive (GTK_WIDGET (composer (self)->recorder_bin)) &&
         !gtk_widget_get_sensitive (composer (self)->record);
}

static gboolean
is_quiet (Fixture *self)
{
  return !facet_composer_is_recording (composer (self));
}

static void
use_device (Fixture *self, const char *kind, const char *path)
{
  g_autofree char *device = g_strdup_printf ("%s:%s", kind, path);

  g_settings_set_string (self->settings, "microphone", device);
}

static char *
recordings (Fixture *self)
{
  return g_build_filename (self->folder, "recordings", NULL);
}

static guint
n_files (Fixture *self)
{
  g_autofree char *path = recordings (self);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_record (Fixture *self, gconstpointer data)
{
  g_autofree char *path = make_sound (self, "talk.wav", 30);
  GtkWidget *send = composer (self)->send;
  FacetAttachment *note;

  use_device (self, "file", path);
  facet_composer_set_text (composer (self), "What did I say?");
  g_assert_true (gtk_widget_get_sensitive (send));
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.record", NULL);
  fixture_wait (is_recording, self);
  g_assert_false (gtk_widget_get_sensitive (send));
  settle (1200);
  fixture_picture (self, "recording");
  g_assert_cmpuint (n_files (self), ==, 1);

  facet_recorder_bar_pause (composer (self)->recorder, TRUE);
  settle (300);
  facet_recorder_bar_pause (composer (self)->recorder, FALSE);
  settle (200);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.record", NULL);
  fixture_wait (fixture_looked_at, self);
  note = fixture_attached (self, 0);
  g_assert_cmpint (facet_attachment_get_state (note), ==, FACET_ATTACHMENT_READY);
  g_assert_cmpint (facet_attachment_get_kind (note), ==, FACET_ATTACHMENT_AUDIO);
  g_assert_cmpfloat (facet_attachment_get_seconds (note), >, 1.2);
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (composer (self)->recorder_bin)));
  fixture_picture (self, "voice-note");

  /* once it is stored with its question, the folder of recordings is empty */
  g_assert_true (gtk_widget_get_sensitive (send));
  fixture_ask (self, "What did I say?");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (self->script.asked->str, ==, "user: <file> What did I say?\n");
  g_assert_cmpuint (fixture_n_attached (self), ==, 0);
  g_assert_cmpuint (n_files (self), ==, 0);
  settle (300);
  fixture_picture (self, "voice-message");
}

static void
test_discard (Fixture *self, gconstpointer data)
{
  g_autofree char *path = make_sound (self, "talk.wav", 5);

  use_device (self, "file", path);
  facet_composer_record (composer (self));
  fixture_wait (is_recording, self);
  settle (200);
  facet_recorder_bar_discard (composer (self)->recorder);
  fixture_wait (is_quiet, self);
  g_assert_cmpuint (fixture_n_attached (self), ==, 0);
  g_assert_cmpuint (n_files (self), ==, 0);
}

static gboolean
has_problem (Fixture *self)
{
  return facet_recorder_bar_get_problem (composer (self)->recorder) != NULL;
}

/* Missing: a sentence. Pulled out: a sentence, and what was captured is kept. */
static void
test_device_trouble (Fixture *self, gconstpointer data)
{
  g_autofree char *path = make_sound (self, "talk.wav", 0.6);

  g_settings_set_string (self->settings, "microphone", "file:/nowhere.wav");
  facet_composer_record (composer (self));
  fixture_wait (has_problem, self);
  g_assert_nonnull (strstr (facet_recorder_bar_get_problem (composer (self)->recorder), "No microphone"));
  g_assert_cmpuint (n_files (self), ==, 0);
  fixture_picture (self, "no-microphone");

  /* choosing another device tries that one at once */
  use_device (self, "unplug", path);
  fixture_wait (is_recording, self);
  fixture_wait (fixture_looked_at, self);
  g_assert_nonnull (strstr (facet_recorder_bar_get_problem (composer (self)->recorder), "disconnected"));
  g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_READY);
  g_assert_cmpfloat (fabs (facet_attachment_get_seconds (fixture_attached (self, 0)) - 0.6), <, 0.01);
}

/* A recording that a crash or a closed window left is there at the next start,
 * until it is sent or removed. */
static void
test_recover (Fixture *self, gconstpointer data)
{
  g_autofree char *folder = recordings (self);
  g_autofree char *made = make_sound (self, "left.wav", 1);
  g_autofree char *left = g_build_filename (folder, "left.wav", NULL);
  g_autofree char *empty = g_build_filename (folder, "empty.wav", NULL);

  g_mkdir_with_parents (folder, 0700);
  g_assert_cmpint (g_rename (made, left), ==, 0);
  g_assert_true (g_file_set_contents (empty, "RIFF", 4, NULL));
  gtk_window_destroy (GTK_WINDOW (self->window));
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
  g_assert_cmpuint (fixture_n_attached (self), ==, 1);
  fixture_wait (fixture_looked_at, self);
  g_assert_cmpfloat (fabs (facet_attachment_get_seconds (fixture_attached (self, 0)) - 1), <, 0.01);
  g_assert_cmpuint (n_files (self), ==, 1);

  /* removing it may be undone; after that it is gone for good */
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.restore-attachment", "u", self->window->last_removed);
  g_assert_cmpuint (fixture_n_attached (self), ==, 1);
  facet_composer_remove (composer (self), fixture_attached (self, 0));
  g_assert_cmpuint (fixture_n_attached (self), ==, 0);
  g_assert_cmpuint (n_files (self), ==, 1);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.restore-attachment", "u", self->window->last_removed);
  g_assert_cmpuint (fixture_n_attached (self), ==, 1);
  facet_composer_remove (composer (self), fixture_attached (self, 0));
  gtk_window_destroy (GTK_WINDOW (self->window));
  settle (100);
  g_assert_cmpuint (n_files (self), ==, 0);
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
}

static void
test_no_ears (Fixture *self, gconstpointer data)
{
  FacetLoadSpec spec = { .path = (char *) "deaf.gguf" };

  self->script.hears = FALSE;
  facet_engine_service_load (self->service, &spec);
  settle (50);
  fixture_wait (fixture_idle, self);
  g_assert_false (gtk_widget_get_sensitive (composer (self)->record));
  g_assert_nonnull (strstr (gtk_widget_get_tooltip_text (composer (self)->record), "cannot hear"));
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.record", NULL);
  g_assert_false (facet_composer_is_recording (composer (self)));
}

/* ---- hearing ------------------------------------------------------------ */

static FacetSoundView *playing_view;

static gboolean
at_end (Fixture *self)
{
  return !facet_sound_view_get_playing (playing_view);
}

static gboolean
has_moved (Fixture *self)
{
  return facet_sound_view_get_position (playing_view) > 0.1;
}

static void
test_play (Fixture *self, gconstpointer data)
{
  g_autofree char *path = make_sound (self, "heard.wav", 3);
  const float peaks[] = { 0.1f, 0.9f, 0.4f };
  GtkWidget *window = gtk_window_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  FacetSoundView *views[2];

  for (int i = 0; i < 2; i++) {
    views[i] = FACET_SOUND_VIEW (facet_sound_view_new (self->settings));
    facet_sound_view_set_sound (views[i], path, 3, peaks, 3);
    gtk_box_append (GTK_BOX (box), GTK_WIDGET (views[i]));
  }
  gtk_window_set_child (GTK_WINDOW (window), box);
  gtk_window_present (GTK_WINDOW (window));
  settle (100);

  playing_view = views[0];
  facet_sound_view_set_playing (views[0], TRUE);
  fixture_wait (has_moved, self);
  /* one is heard at a time */
  facet_sound_view_set_playing (views[1], TRUE);
  g_assert_false (facet_sound_view_get_playing (views[0]));
  g_assert_true (facet_sound_view_get_playing (views[1]));

  /* the waveform is a slider: arrows and clicks move */
  facet_sound_view_seek (views[1], 2.8);
  g_assert_cmpfloat (facet_sound_view_get_position (views[1]), >=, 2.8);
  playing_view = views[1];
  fixture_wait (at_end, self);
  g_assert_cmpfloat (facet_sound_view_get_position (views[1]), ==, 3);
  g_signal_emit_by_name (gtk_widget_get_next_sibling (gtk_widget_get_first_child (GTK_WIDGET (views[1]))), "seek", 0.5);
  g_assert_cmpfloat (facet_sound_view_get_position (views[1]), ==, 1.5);

  /* out of sight is out of hearing */
  facet_sound_view_set_playing (views[1], TRUE);
  gtk_widget_set_visible (GTK_WIDGET (views[1]), FALSE);
  g_assert_false (facet_sound_view_get_playing (views[1]));
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_time (void)
{
  const struct {
    double      seconds;
    const char *text;
  } cases[] = { { 0, "0:00" }, { 65.9, "1:05" }, { 3723, "1:02:03" }, { -1, "0:00" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = facet_waveform_format_time (cases[i].seconds);

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

/* A damaged sound is refused with a reason. */
static void
test_damaged (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "damaged.txt", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_assert_true (g_file_set_contents (path, "RIFF\4\0\0\0WAVEfmt ", 16, NULL));
  facet_window_attach (self->window, file);
  fixture_wait (fixture_looked_at, self);
  g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_REFUSED);
  g_assert_nonnull (strstr (facet_attachment_get_details (fixture_attached (self, 0)), "sound"));
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/sound/" name, Fixture, NULL, set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("record", test_record);
  ADD ("discard", test_discard);
  ADD ("device-trouble", test_device_trouble);
  ADD ("recover", test_recover);
  ADD ("no-ears", test_no_ears);
  ADD ("play", test_play);
  ADD ("damaged", test_damaged);
  g_test_add_func ("/sound/time", test_time);
  return g_test_run ();
}
