/* The window while another program keeps its chats locked. */
#include <adwaita.h>
#include <sqlite3.h>
#include <string.h>

#include "ui-fixture.h"
#include "widget-picture.h"

static gboolean
has_words (Fixture *self)
{
  return facet_message_is_answer (fixture_last (self)) && *facet_message_get_text (fixture_last (self)) != '\0';
}

static sqlite3 *
lock_chats (Fixture *self)
{
  g_autofree char *path = g_build_filename (self->folder, "chats.db", NULL);
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  return handle;
}

static void
unlock_chats (sqlite3 *handle)
{
  sqlite3_exec (handle, "COMMIT", NULL, NULL, NULL);
  sqlite3_close (handle);
}

/* What SQLite has waited for the lock in the main thread. */
static int (*sqlite_sleep) (sqlite3_vfs *vfs, int usec);
static gint64 waited_usec;

static int
count_sleep (sqlite3_vfs *vfs, int usec)
{
  if (g_main_context_is_owner (NULL))
    waited_usec += usec;
  return sqlite_sleep (vfs, usec);
}

/* Returns the longest iteration of the main loop, in microseconds: what it computed and what it waited for
 * the lock; a busy machine is not the window's fault. */
static gint64
run_for (int ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000, longest = 0;
  sqlite3_vfs *vfs = sqlite3_vfs_find (NULL);

  sqlite_sleep = vfs->xSleep;
  vfs->xSleep = count_sleep;
  while (g_get_monotonic_time () < end) {
    gint64 start = fixture_thread_time ();

    waited_usec = 0;
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (500);
    longest = MAX (longest, fixture_thread_time () - start + waited_usec);
  }
  vfs->xSleep = sqlite_sleep;
  g_test_message ("longest iteration while locked: %.1f ms", longest / 1000.0);
  return longest;
}

#define MOST_LOCKED_USEC (50000 * FIXTURE_SLOWED)

static void
test_locked_question (Fixture *self, gconstpointer data)
{
  sqlite3 *other = lock_chats (self);
  g_autofree char *kept = NULL;

  facet_composer_set_text (self->window->composer, "Question");
  g_signal_emit_by_name (self->window->composer, "send");
  g_assert_cmpint (run_for (500), <, MOST_LOCKED_USEC);
  g_assert_true (self->window->asking);
  kept = facet_composer_get_text (self->window->composer);
  g_assert_cmpstr (kept, ==, "Question");
  unlock_chats (other);
  fixture_wait (fixture_not_asking, self);
  fixture_wait (fixture_idle, self);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, self->script.answer);
  g_assert_true (gtk_widget_get_sensitive (GTK_WIDGET (self->window->composer)));

  /* one that is never stored stays where it was written */
  other = lock_chats (self);
  facet_composer_set_text (self->window->composer, "Another");
  g_signal_emit_by_name (self->window->composer, "send");
  g_assert_true (self->window->asking);
  g_object_ref (self->window);
  gtk_window_destroy (GTK_WINDOW (self->window));
  g_object_run_dispose (G_OBJECT (self->window));
  unlock_chats (other);
  settle (300);
  g_object_unref (self->window);
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
}

static gboolean
is_told (Fixture *self)
{
  return gtk_revealer_get_reveal_child (self->window->notice);
}

static gboolean
is_told_no_more (Fixture *self)
{
  return !is_told (self);
}

static void
test_locked_answer (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (120, 'o');
  g_autoptr (FacetStore) disk = NULL;
  g_autoptr (FacetStoreMessage) message = NULL;
  sqlite3 *other;
  gint64 chat, id;

  for (gsize i = 1; i < strlen (text); i += 2)
    text[i] = ' ';
  self->script.answer = text;
  self->script.delay_usec = 5000;
  fixture_ask (self, "Count");
  fixture_wait (has_words, self);
  chat = facet_conversation_get_chat_id (self->window->conversation);
  id = facet_message_get_id (fixture_last (self));
  other = lock_chats (self);
  g_assert_cmpint (run_for (800), <, MOST_LOCKED_USEC);
  fixture_wait (fixture_idle, self);
  facet_composer_set_text (self->window->composer, "Not sent");
  fixture_wait (is_told, self);
  fixture_picture (self, "locked");

  /* what waits is there when the chat is left and shown again */
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  facet_window_open_chat (self->window, chat);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, text);
  unlock_chats (other);
  fixture_wait (is_told_no_more, self);
  disk = facet_store_open (self->folder, FACET_STORE_READ_ONLY, NULL, NULL);
  message = facet_store_get_message (disk, id, NULL);
  g_assert_cmpint (message->status, ==, FACET_MESSAGE_DONE);
  g_assert_cmpstr (message->text, ==, text);
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/locked/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("question", test_locked_question);
  ADD ("answer", test_locked_answer);
  return g_test_run ();
}
