/* kill -9 in the middle of writing, and files that are not what they were. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store-fixture.h"

static char *program;

/* The child announces each call that returned; the parent kills it between
 * any two instructions. SQLite does not survive a fork, so it is started anew. */
static G_NORETURN void
write_for_ever (const char *directory)
{
  FacetStore *store = fixture_open (directory, NULL);
  gint64 chat = facet_store_add_chat (store, "t", NULL);

  for (gint64 parent = 0;;) {
    g_autofree char *question = g_strdup_printf ("question below %" G_GINT64_FORMAT, parent);
    FacetStoreMessage asked = {
      .chat_id = chat, .parent_id = parent, .role = FACET_STORE_ROLE_USER, .status = FACET_MESSAGE_DONE, .text = question
    };
    FacetStoreMessage answer = { .chat_id = chat, .role = FACET_STORE_ROLE_MODEL };

    answer.parent_id = facet_store_add_message (store, &asked, NULL);
    if (write (STDOUT_FILENO, &answer.parent_id, sizeof answer.parent_id) != sizeof answer.parent_id)
      exit (1);
    parent = facet_store_add_message (store, &answer, NULL);
    for (int i = 0; i < 3; i++)
      facet_store_save_running (store, parent, question, NULL, NULL);
    facet_store_finish_message (store, parent, FACET_MESSAGE_DONE, question, NULL, NULL, NULL, NULL);
  }
}

/* The last message that was announced. The time runs from the start, or where @at_work from the first message: how long a start takes
 * is up to the machine. */
static gint64
run_and_kill (const char *directory, gboolean at_work, guint after_us)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) child = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, program, "--write",
                                                    directory, NULL);
  GInputStream *output;
  gint64 last = 0;
  gint64 id;
  gsize n;

  g_assert_no_error (error);
  output = g_subprocess_get_stdout_pipe (child);
  if (at_work && g_input_stream_read_all (output, &id, sizeof id, &n, NULL, NULL) && n == sizeof id)
    last = id;
  g_usleep (after_us);
  g_subprocess_force_exit (child);
  g_subprocess_wait (child, NULL, NULL);
  while (g_input_stream_read_all (output, &id, sizeof id, &n, NULL, NULL) && n == sizeof id)
    last = id;
  return last;
}

static void
test_kill (Fixture *self, gconstpointer data)
{
  g_clear_object (&self->store);
  for (int round = 0; round < 12; round++) {
    gboolean at_work = round % 3 != 0;
    gint64 last = run_and_kill (self->directory, at_work, g_test_rand_int_range (0, 100000));
    FacetStoreRecovery recovery = { 0 };
    g_autoptr (GAsyncResult) result = NULL;
    g_autoptr (GError) error = NULL;

    fixture_reopen (self, &recovery);
    g_assert_null (recovery.moved_to);
    facet_store_check_async (self->store, NULL, fixture_answer_cb, &result);
    g_assert_true (facet_store_check_finish (self->store, fixture_wait (&result), &error));
    g_assert_true (last != 0 || !at_work);
    if (last != 0) {
      g_autoptr (FacetStoreMessage) message = facet_store_get_message (self->store, last, &error);
      g_autoptr (GPtrArray) branch = NULL;

      g_assert_no_error (error);
      g_assert_true (g_str_has_prefix (message->text, "question below"));
      branch = facet_store_get_branch (self->store, message->chat_id, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (branch->len, >, 0);
      for (guint i = 0; i < branch->len; i++)
        g_assert_cmpint (((FacetStoreMessage *) branch->pdata[i])->status, !=, FACET_MESSAGE_RUNNING);
    }
    g_clear_object (&self->store);
  }
}

static char *
db_path (Fixture *self)
{
  return g_build_filename (self->directory, "chats.db", NULL);
}

static void
test_garbage_is_moved_aside (Fixture *self, gconstpointer data)
{
  g_autofree char *path = db_path (self);
  g_autofree char *garbage = g_strnfill (8192, 'g');
  g_autofree char *kept = NULL;
  g_auto (FacetStoreRecovery) recovery = { 0 };

  g_clear_object (&self->store);
  g_assert_true (g_file_set_contents (path, garbage, 8192, NULL));
  fixture_reopen (self, &recovery);
  g_assert_nonnull (recovery.moved_to);
  g_assert_true (g_file_get_contents (recovery.moved_to, &kept, NULL, NULL));
  g_assert_cmpstr (kept, ==, garbage);
  g_assert_cmpuint (recovery.chats, ==, 0);
  g_assert_cmpint (facet_store_add_chat (self->store, "works", NULL), >, 0);
}

/* Overwrites one page in the middle, as a bad disk would. */
static void
spoil (const char *path, double where)
{
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  memset (bytes + (gsize) (length / 4096 * where) * 4096, 0x5a, 4096);
  g_assert_true (g_file_set_contents (path, bytes, length, NULL));
}

static void
test_salvage (Fixture *self, gconstpointer data)
{
  g_autofree char *path = db_path (self);
  g_autofree char *filler = g_strnfill (900, 'x');
  g_autoptr (GAsyncResult) result = NULL;
  g_auto (FacetStoreRecovery) recovery = { 0 };
  g_autoptr (GPtrArray) chats = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 40; i++) {
    gint64 chat = facet_store_add_chat (self->store, "A chat", NULL);
    gint64 parent = 0;

    for (int j = 0; j < 10; j++)
      parent = fixture_say (self, chat, parent, FACET_STORE_ROLE_USER, filler);
  }
  fixture_close (self);
  spoil (path, 0.5);
  fixture_reopen (self, &recovery);
  facet_store_check_async (self->store, NULL, fixture_answer_cb, &result);
  g_assert_false (facet_store_check_finish (self->store, fixture_wait (&result), &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_CORRUPT);
  g_clear_object (&result); /* holds the store */
  fixture_reopen (self, &recovery);
  g_assert_nonnull (recovery.moved_to);
  g_clear_error (&error);
  g_test_message ("%u chats, %u of 400 messages brought over", recovery.chats, recovery.messages);
  g_assert_cmpuint (recovery.messages, >, 300);
  chats = facet_store_list_chats (self->store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (chats->len, ==, 40);
  for (guint i = 0; i < chats->len; i++) {
    g_autofree char *branch = fixture_branch (self, ((FacetChatRecord *) chats->pdata[i])->id);

    g_assert_nonnull (branch);
  }
}

static void
test_newer_version_is_left_alone (Fixture *self, gconstpointer data)
{
  g_autofree char *path = db_path (self);
  g_autofree char *bytes = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  facet_store_add_chat (self->store, "t", NULL);
  g_clear_object (&self->store);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  bytes[60 + 3] = 99; /* user_version, big-endian at 60 (SQLite file format, 1.3) */
  g_assert_true (g_file_set_contents (path, bytes, length, NULL));
  g_assert_null (facet_store_open (self->directory, FACET_STORE_READ_WRITE, NULL, &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_VERSION);
  g_assert_true (g_file_get_contents (path, &after, NULL, NULL));
  g_assert_true (memcmp (bytes, after, length) == 0);
}

static void
test_directory_that_cannot_be_made (Fixture *self, gconstpointer data)
{
  g_autofree char *file = g_build_filename (self->directory, "file", NULL);
  g_autofree char *below = g_build_filename (file, "facet", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_null (facet_store_open (below, FACET_STORE_READ_WRITE, NULL, &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO);
  g_clear_error (&error);
  g_assert_null (facet_store_open (below, FACET_STORE_READ_ONLY, NULL, &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND);
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && g_str_equal (argv[1], "--write"))
    write_for_ever (argv[2]);
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  ADD ("damage/kill", test_kill);
  ADD ("damage/garbage-is-moved-aside", test_garbage_is_moved_aside);
  ADD ("damage/salvage", test_salvage);
  ADD ("damage/newer-version-is-left-alone", test_newer_version_is_left_alone);
  ADD ("damage/directory-that-cannot-be-made", test_directory_that_cannot_be_made);
  return g_test_run ();
}
