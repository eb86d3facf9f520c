/* Another process keeps the database locked: the owner hardly waits, what must
 * not get lost is written later, and is read meanwhile as if it were. */
#include <gio/gio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "store-fixture.h"

static const char *program;

/* ---- the other process ---- */

static int
hold (const char *path)
{
  sqlite3 *handle;
  char byte;

  if (sqlite3_open (path, &handle) != SQLITE_OK || sqlite3_exec (handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
    return 1;
  if (write (STDOUT_FILENO, "!", 1) != 1 || read (STDIN_FILENO, &byte, 1) != 1)
    return 2;
  sqlite3_exec (handle, "COMMIT", NULL, NULL, NULL);
  sqlite3_close (handle);
  return 0;
}

static GSubprocess *
lock (Fixture *self)
{
  g_autofree char *path = g_build_filename (self->directory, "chats.db", NULL);
  g_autoptr (GError) error = NULL;
  GSubprocess *other = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, program, "hold",
                                         path, NULL);
  char byte;

  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (other), &byte, 1, NULL, NULL), ==, 1);
  return other;
}

static void
unlock (GSubprocess *other)
{
  g_assert_cmpint (g_output_stream_write (g_subprocess_get_stdin_pipe (other), "!", 1, NULL, NULL), ==, 1);
  g_assert_true (g_subprocess_wait_check (other, NULL, NULL));
  g_object_unref (other);
}

/* ---- the tests ---- */

static gint64
begin_answer (Fixture *self, gint64 chat, gint64 question)
{
  const FacetStoreMessage answer = { .chat_id = chat, .parent_id = question, .role = FACET_STORE_ROLE_MODEL,
                                     .status = FACET_MESSAGE_RUNNING };
  gint64 id = facet_store_add_message (self->store, &answer, NULL);

  g_assert_cmpint (id, >, 0);
  return id;
}

static gboolean
finish (Fixture *self, gint64 answer, const char *text)
{
  return facet_store_finish_message (self->store, answer, FACET_MESSAGE_DONE, text, "thought", "{}", NULL, NULL);
}

/* Through a second store, which knows nothing of what waits. */
static char *
on_disk (Fixture *self, gint64 answer)
{
  g_autoptr (FacetStore) store = facet_store_open (self->directory, FACET_STORE_READ_ONLY, NULL, NULL);
  g_autoptr (FacetStoreMessage) message = facet_store_get_message (store, answer, NULL);

  return g_strdup_printf ("%d %s %s", message->status, message->text, message->calls);
}

static void
waiting_cb (FacetStore *store, gboolean waiting, GString *seen)
{
  g_string_append_c (seen, waiting ? '+' : '-');
}

static void
test_refused (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Locked", NULL);
  GSubprocess *other = lock (self);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  g_assert_false (facet_store_set_chat_title (self->store, chat, "Other", &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 1000000); /* SQLite's own wait would be 2 s */
  unlock (other);
  g_assert_true (facet_store_set_chat_title (self->store, chat, "Other", NULL));
}

static void
test_late (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Locked", NULL);
  gint64 question = fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, "Question");
  gint64 answer = begin_answer (self, chat, question);
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (FacetStoreMessage) message = NULL;
  g_autofree char *draft = NULL, *options = NULL, *branch = NULL, *before = NULL, *after = NULL, *note = NULL;
  GSubprocess *other = lock (self);

  g_signal_connect (self->store, "waiting", G_CALLBACK (waiting_cb), seen);
  g_assert_true (facet_store_set_draft (self->store, chat, "first", NULL));
  g_assert_true (facet_store_set_draft (self->store, chat, "a draft", NULL));
  g_assert_true (facet_store_set_draft (self->store, 0, "of the next", NULL));
  g_assert_true (facet_store_set_options (self->store, chat, "{\"tools\":true}", NULL));
  g_assert_true (facet_store_save_calls (self->store, answer, "[1]", NULL));
  g_assert_true (facet_store_set_revision (self->store, answer, "half a cor", NULL));
  g_assert_true (finish (self, answer, "Answer"));
  g_assert_false (facet_store_resume_message (self->store, answer, NULL));

  /* read as if it were written */
  draft = facet_store_get_draft (self->store, chat, NULL);
  g_assert_cmpstr (draft, ==, "a draft");
  options = facet_store_get_options (self->store, chat, NULL);
  g_assert_cmpstr (options, ==, "{\"tools\":true}");
  message = facet_store_get_message (self->store, answer, NULL);
  g_assert_cmpint (message->status, ==, FACET_MESSAGE_DONE);
  g_assert_cmpstr (message->thinking, ==, "thought");
  g_assert_cmpstr (message->calls, ==, "[1]");
  g_assert_cmpstr (message->revision, ==, "half a cor");
  branch = fixture_branch (self, chat);
  g_assert_cmpstr (branch, ==, "Question|Answer");
  before = on_disk (self, answer);
  g_assert_cmpstr (before, ==, "0  ");

  while (seen->len == 0)
    g_main_context_iteration (NULL, TRUE);
  unlock (other);
  while (seen->len == 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (seen->str, ==, "+-");
  after = on_disk (self, answer);
  g_assert_cmpstr (after, ==, "1 Answer [1]");
  g_assert_true (facet_store_resume_message (self->store, answer, NULL));
  fixture_reopen (self, NULL);
  note = facet_store_get_draft (self->store, 0, NULL);
  g_assert_cmpstr (note, ==, "of the next");
}

/* What was deleted meanwhile is no obstacle for the rest. */
static void
test_deleted (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Locked", NULL);
  gint64 answer = begin_answer (self, chat, 0);
  g_autofree char *after = NULL;
  GSubprocess *other = lock (self);

  g_assert_true (facet_store_set_draft (self->store, 12345, "of nothing", NULL));
  g_assert_true (finish (self, answer, "Answer"));
  unlock (other);
  fixture_reopen (self, NULL);
  after = on_disk (self, answer);
  g_assert_cmpstr (after, ==, "1 Answer ");
}

static gpointer
unlock_soon (gpointer data)
{
  g_usleep (300000);
  unlock (data);
  return NULL;
}

/* Closing waits, as nobody would try again. */
static void
test_closed (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Locked", NULL);
  gint64 answer = begin_answer (self, chat, 0);
  g_autofree char *after = NULL;
  GSubprocess *other = lock (self);
  GThread *thread;

  g_assert_true (finish (self, answer, "Answer"));
  thread = g_thread_new ("unlock", unlock_soon, other);
  fixture_reopen (self, NULL);
  g_thread_join (thread);
  after = on_disk (self, answer);
  g_assert_cmpstr (after, ==, "1 Answer ");
}

/* One owner at a time; readers are no owners. */
static void
test_owned (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetStore) reader = facet_store_open (self->directory, FACET_STORE_READ_ONLY, NULL, NULL);

  g_assert_nonnull (reader);
  g_assert_null (facet_store_open (self->directory, FACET_STORE_READ_WRITE, NULL, &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY);
  fixture_reopen (self, NULL);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "hold"))
    return hold (argv[2]);
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  ADD ("locked/refused", test_refused);
  ADD ("locked/late", test_late);
  ADD ("locked/deleted", test_deleted);
  ADD ("locked/closed", test_closed);
  ADD ("locked/owned", test_owned);
  return g_test_run ();
}
