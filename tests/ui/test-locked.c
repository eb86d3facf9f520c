/* The window while another program keeps its chats locked. */
#include <adwaita.h>
#include <sqlite3.h>
#include <string.h>

#include "ui-fixture.h"
#include "widget-find.h"
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

/* ---- changes of what there is ------------------------------------------- */

static void
activate (Fixture *self, const char *action, const char *types, gint64 id)
{
  gtk_widget_activate_action (GTK_WIDGET (self->window), action, types, id);
}

static FacetMessage *
message_at (Fixture *self, guint i)
{
  return facet_conversation_get_message (self->window->conversation, i);
}

static gboolean
nothing_waits (Fixture *self)
{
  return g_queue_is_empty (&self->window->changes);
}

static gboolean
is_named (Fixture *self)
{
  return self->window->title_job == 0;
}

static char *
title_of (Fixture *self, gint64 chat)
{
  g_autoptr (FacetChatRecord) record = facet_store_get_chat (self->store, chat, NULL);

  g_assert_nonnull (record);
  return g_strdup (record->title);
}

/* All wait, in their order, and the loop goes on. */
static void
test_locked_changes (Fixture *self, gconstpointer data)
{
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (FacetChatRecord) record = NULL;
  gint64 chat, answer;
  sqlite3 *other;

  fixture_ask_and_wait (self, "First");
  fixture_ask_and_wait (self, "Second");
  chat = facet_conversation_get_chat_id (self->window->conversation);
  answer = facet_message_get_id (message_at (self, 1));
  self->script.answer = "A name";
  other = lock_chats (self);
  activate (self, "win.suggest-title", NULL, 0);
  fixture_wait (is_named, self);
  activate (self, "win.pin-chat", NULL, 0);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.correct", "(xs)", answer, "Never seen");
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.correct", "(xs)", answer, "In my words");
  activate (self, "chat.delete", "x", facet_message_get_id (fixture_last (self)));
  g_assert_cmpuint (g_queue_get_length (&self->window->changes), ==, 4);
  g_assert_cmpint (run_for (500), <, MOST_LOCKED_USEC);
  g_assert_cmpuint (g_queue_get_length (&self->window->changes), ==, 4);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 4);
  before = title_of (self, chat);
  g_assert_cmpstr (before, ==, "First");

  /* also while another chat is shown */
  activate (self, "win.new-chat", NULL, 0);
  unlock_chats (other);
  fixture_wait (nothing_waits, self);
  facet_window_open_chat (self->window, chat);
  after = title_of (self, chat);
  g_assert_cmpstr (after, ==, "A name");
  record = facet_store_get_chat (self->store, chat, NULL);
  g_assert_true (record->pinned);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 3);
  g_assert_cmpstr (facet_message_get_text (message_at (self, 1)), ==, "In my words");
  g_assert_cmpuint (facet_message_get_record (message_at (self, 1))->sibling_count, ==, 2);
}

static void
test_locked_branches (Fixture *self, gconstpointer data)
{
  gint64 chat, answer;
  sqlite3 *other;

  fixture_ask_and_wait (self, "Question");
  chat = facet_conversation_get_chat_id (self->window->conversation);
  answer = facet_message_get_id (fixture_last (self));
  self->script.answer = "Another";
  other = lock_chats (self);
  activate (self, "chat.regenerate", "x", answer);
  g_assert_cmpint (run_for (300), <, MOST_LOCKED_USEC);
  g_assert_false (facet_replier_is_running (self->window->replier));
  unlock_chats (other);
  fixture_wait (nothing_waits, self);
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "Another");

  other = lock_chats (self);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.branch", "(xu)", facet_message_get_id (fixture_last (self)), 0);
  activate (self, "win.delete-chat", NULL, 0);
  activate (self, "win.undelete-chat", "x", chat);
  g_assert_cmpint (run_for (300), <, MOST_LOCKED_USEC);
  g_assert_cmpint (facet_message_get_id (fixture_last (self)), !=, answer);
  unlock_chats (other);
  fixture_wait (nothing_waits, self);
  g_assert_cmpint (facet_conversation_get_chat_id (self->window->conversation), ==, chat);
  g_assert_cmpint (facet_message_get_id (fixture_last (self)), ==, answer);
}

static gboolean
says (GtkWidget *label, const char *sentence)
{
  return gtk_widget_get_mapped (label) && g_str_equal (gtk_label_get_text (GTK_LABEL (label)), sentence);
}

static gboolean
is_refused (Fixture *self)
{
  return widget_find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, says,
                      "Another program is using the file with your chats.") != NULL;
}

/* Not for ever: it is said, and another try may be made. */
static void
test_locked_for_long (Fixture *self, gconstpointer data)
{
  gint64 question;
  sqlite3 *other;

  fixture_ask_and_wait (self, "Question");
  question = facet_message_get_id (message_at (self, 0));
  other = lock_chats (self);
  activate (self, "chat.delete", "x", question);
  g_assert_false (is_refused (self));
  while (!is_refused (self))
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (nothing_waits (self));
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  unlock_chats (other);
  activate (self, "chat.delete", "x", question);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 0);
}

static gpointer
unlock_soon (gpointer data)
{
  g_usleep (300000);
  unlock_chats (data);
  return NULL;
}

/* The window's end waits for what was wanted; no answer is begun. */
static void
test_locked_closing (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetWindow) window = NULL;
  g_autoptr (GPtrArray) branch = NULL;
  gint64 chat, question, answer;
  GThread *thread;

  fixture_ask_and_wait (self, "First");
  fixture_ask_and_wait (self, "Second");
  chat = facet_conversation_get_chat_id (self->window->conversation);
  question = facet_message_get_id (message_at (self, 2));
  answer = facet_message_get_id (message_at (self, 1));
  thread = g_thread_new ("unlock", unlock_soon, lock_chats (self));
  activate (self, "chat.regenerate", "x", answer);
  activate (self, "chat.delete", "x", question);
  g_assert_cmpuint (g_queue_get_length (&self->window->changes), ==, 2);
  window = g_object_ref (self->window);
  gtk_window_destroy (GTK_WINDOW (window));
  g_object_run_dispose (G_OBJECT (window));
  g_thread_join (thread);
  branch = facet_store_get_branch (self->store, chat, NULL);
  g_assert_cmpuint (branch->len, ==, 2);
  g_assert_cmpint (((FacetStoreMessage *) branch->pdata[1])->id, ==, answer);
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/locked/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("question", test_locked_question);
  ADD ("answer", test_locked_answer);
  ADD ("changes", test_locked_changes);
  ADD ("branches", test_locked_branches);
  ADD ("for-long", test_locked_for_long);
  ADD ("closing", test_locked_closing);
  return g_test_run ();
}
