/* Chats, the tree of messages, attachments and the list that the sidebar binds to. */
#include <glib/gstdio.h>
#include <string.h>

#include "facet-chat-list.h"
#include "store-fixture.h"

#define USER FACET_STORE_ROLE_USER
#define MODEL FACET_STORE_ROLE_MODEL

static void
test_survives_reopening (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, NULL, NULL);
  gint64 question = fixture_say (self, chat, 0, USER, "What is a facet?\nTell me.");
  g_autoptr (FacetChatRecord) record = NULL;
  g_autofree char *branch = NULL;
  g_autofree char *draft = NULL;

  fixture_say (self, chat, question, MODEL, "One side of a gem.");
  g_assert_true (facet_store_set_draft (self->store, chat, "And a gem?", NULL));
  fixture_reopen (self, NULL);
  record = facet_store_get_chat (self->store, chat, NULL);
  g_assert_cmpstr (record->title, ==, "What is a facet?");
  branch = fixture_branch (self, chat);
  g_assert_cmpstr (branch, ==, "What is a facet?\nTell me.|One side of a gem.");
  draft = facet_store_get_draft (self->store, chat, NULL);
  g_assert_cmpstr (draft, ==, "And a gem?");
}

static void
test_long_question_gives_short_title (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, NULL, NULL);
  g_autoptr (FacetChatRecord) record = NULL;

  fixture_say (self, chat, 0, USER,
               "  Please explain to me in great detail why the sky over the mountains is blue and not green");
  record = facet_store_get_chat (self->store, chat, NULL);
  g_assert_cmpstr (record->title, ==, "Please explain to me in great detail why the sky over the…");
}

static void
test_editing_keeps_both_branches (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "t", NULL);
  gint64 a = fixture_say (self, chat, 0, USER, "a");
  gint64 a1 = fixture_say (self, chat, a, MODEL, "a1");
  gint64 b = fixture_say (self, chat, 0, USER, "b");
  g_autofree char *edited = NULL;
  g_autofree char *back = NULL;
  g_autofree char *second = NULL;
  g_autoptr (FacetStoreMessage) message = NULL;

  fixture_say (self, chat, a, MODEL, "a2");
  fixture_say (self, chat, b, MODEL, "b1");
  edited = fixture_branch (self, chat);
  g_assert_cmpstr (edited, ==, "b|b1");
  g_assert_cmpint (facet_store_show_sibling (self->store, b, 0, NULL), ==, a);
  back = fixture_branch (self, chat);
  g_assert_cmpstr (back, ==, "a|a2");
  g_assert_true (facet_store_show_message (self->store, a1, NULL));
  second = fixture_branch (self, chat);
  g_assert_cmpstr (second, ==, "a|a1");
  message = facet_store_get_message (self->store, b, NULL);
  g_assert_cmpuint (message->sibling_index, ==, 1);
  g_assert_cmpuint (message->sibling_count, ==, 2);
}

static void
test_deleting_a_message_can_be_undone (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "t", NULL);
  gint64 a = fixture_say (self, chat, 0, USER, "a");
  gint64 a1 = fixture_say (self, chat, a, MODEL, "a1");
  gint64 a2 = fixture_say (self, chat, a, MODEL, "a2");
  gint64 q = fixture_say (self, chat, a2, USER, "q");
  g_autofree char *other = NULL;
  g_autofree char *restored = NULL;
  g_autofree char *purged = NULL;

  /* Deleted before: undoing the later deletion must not bring it back. */
  g_assert_true (facet_store_set_message_deleted (self->store, fixture_say (self, chat, q, MODEL, "gone"), TRUE, NULL));
  g_assert_true (facet_store_set_message_deleted (self->store, a2, TRUE, NULL));
  other = fixture_branch (self, chat);
  g_assert_cmpstr (other, ==, "a|a1");
  g_assert_true (facet_store_set_message_deleted (self->store, a2, FALSE, NULL));
  restored = fixture_branch (self, chat);
  g_assert_cmpstr (restored, ==, "a|a2|q");
  g_assert_true (facet_store_set_message_deleted (self->store, a2, TRUE, NULL));
  g_assert_true (facet_store_set_message_deleted (self->store, a1, TRUE, NULL));
  fixture_reopen (self, NULL);
  purged = fixture_branch (self, chat);
  g_assert_cmpstr (purged, ==, "a");
  g_assert_null (facet_store_get_message (self->store, q, NULL));
}

/* What follows an answer follows its correction, in every branch and also what was deleted; undo brings all of it back. */
static void
test_corrections (Fixture *self, gconstpointer data)
{
  FacetStoreMessage correction = { .role = MODEL, .status = FACET_MESSAGE_DONE, .text = (char *) "A", .edited = TRUE };
  gint64 chat = facet_store_add_chat (self->store, "t", NULL);
  gint64 q = fixture_say (self, chat, 0, USER, "q");
  gint64 a = fixture_say (self, chat, q, MODEL, "a");
  gint64 r = fixture_say (self, chat, a, USER, "r");
  gint64 s = fixture_say (self, chat, a, USER, "s");
  gint64 gone;
  g_autoptr (FacetStoreMessage) writing = NULL, written = NULL;
  g_autofree char *corrected = NULL, *own = NULL, *other = NULL, *undone = NULL, *again = NULL;
  g_autoptr (GError) error = NULL;
  gint64 id;

  g_assert_true (facet_store_set_revision (self->store, a, "half of A", NULL));
  fixture_reopen (self, NULL);
  writing = facet_store_get_message (self->store, a, NULL);
  g_assert_cmpstr (writing->revision, ==, "half of A");
  gone = fixture_say (self, chat, a, USER, "gone");
  g_assert_true (facet_store_set_message_deleted (self->store, gone, TRUE, NULL));
  id = facet_store_correct_message (self->store, a, &correction, NULL);
  corrected = fixture_branch (self, chat);
  g_assert_cmpstr (corrected, ==, "q|A|s");
  written = facet_store_get_message (self->store, a, NULL);
  g_assert_cmpstr (written->revision, ==, "");
  g_assert_cmpint (facet_store_show_sibling (self->store, s, 0, NULL), ==, r);
  other = fixture_branch (self, chat);
  g_assert_cmpstr (other, ==, "q|A|r");
  g_assert_cmpint (facet_store_show_sibling (self->store, id, 0, NULL), ==, a);
  own = fixture_branch (self, chat);
  g_assert_cmpstr (own, ==, "q|a");
  g_assert_true (facet_store_set_message_deleted (self->store, gone, FALSE, NULL));
  g_assert_true (facet_store_uncorrect_message (self->store, id, a, NULL));
  undone = fixture_branch (self, chat);
  g_assert_cmpstr (undone, ==, "q|a|gone");

  /* a correction that was deleted takes what follows with it */
  id = facet_store_correct_message (self->store, a, &correction, NULL);
  g_assert_true (facet_store_set_message_deleted (self->store, id, TRUE, NULL));
  g_assert_true (facet_store_uncorrect_message (self->store, id, a, NULL));
  again = fixture_branch (self, chat);
  g_assert_cmpstr (again, ==, "q|a");
  g_assert_cmpint (facet_store_correct_message (self->store, 4711, &correction, &error), ==, 0);
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND);
}

static void
test_running_answer (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "t", NULL);
  FacetStoreMessage running = { .chat_id = chat, .role = MODEL, .status = FACET_MESSAGE_RUNNING, .model = (char *) "m" };
  gint64 id = facet_store_add_message (self->store, &running, NULL);
  g_autoptr (FacetStoreMessage) stopped = NULL;
  g_autoptr (FacetStoreMessage) done = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (facet_store_save_running (self->store, id, "half an", "hm", NULL));
  fixture_reopen (self, NULL);
  stopped = facet_store_get_message (self->store, id, NULL);
  g_assert_cmpint (stopped->status, ==, FACET_MESSAGE_STOPPED);
  g_assert_cmpstr (stopped->text, ==, "half an");
  g_assert_cmpstr (stopped->thinking, ==, "hm");
  g_assert_false (facet_store_save_running (self->store, id, "late", NULL, &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND);
  g_assert_true (facet_store_resume_message (self->store, id, NULL));
  g_assert_true (facet_store_finish_message (self->store, id, FACET_MESSAGE_DONE, "half an hour", NULL, "{\"n\": 3}",
                                             NULL, NULL));
  done = facet_store_get_message (self->store, id, NULL);
  g_assert_cmpstr (done->text, ==, "half an hour");
  g_assert_cmpstr (done->stats, ==, "{\"n\": 3}");
}

static void
test_attachments_by_content (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "t", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  g_autoptr (FacetStoreAttachment) a = NULL;
  g_autoptr (FacetStoreAttachment) evil = NULL;
  g_autoptr (GPtrArray) attachments = g_ptr_array_new ();
  g_autoptr (FacetStoreMessage) stored = NULL;
  FacetStoreMessage message = { .chat_id = chat, .role = USER, .status = FACET_MESSAGE_DONE, .attachments = attachments };
  g_autofree char *path = NULL;
  g_autofree char *evil_path = NULL;
  gint64 id;

  a = facet_store_take_bytes (self->store, FACET_ATTACHMENT_IMAGE, bytes, "Chart.PNG", "image/png", NULL);
  g_assert_cmpstr (a->hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  path = facet_store_attachment_path (self->store, a);
  g_assert_true (g_str_has_suffix (path, "attachments/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.png"));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  g_ptr_array_add (attachments, a);
  id = facet_store_add_message (self->store, &message, NULL);
  stored = facet_store_get_message (self->store, id, NULL);
  g_assert_cmpuint (stored->attachments->len, ==, 1);
  g_assert_cmpstr (((FacetStoreAttachment *) stored->attachments->pdata[0])->name, ==, "Chart.PNG");
  evil = facet_store_take_bytes (self->store, FACET_ATTACHMENT_TEXT, bytes, "x./../../../etc/passwd", NULL, NULL);
  evil_path = facet_store_attachment_path (self->store, evil);
  g_assert_cmpstr (evil->extension, ==, "");
  g_assert_null (strstr (evil_path, ".."));
  g_assert_true (facet_store_purge (self->store, 0, NULL));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (facet_store_set_message_deleted (self->store, id, TRUE, NULL));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (facet_store_purge (self->store, 3600, NULL));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (facet_store_purge (self->store, 0, NULL));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_take_file (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "note.wav", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) missing = NULL;
  g_autoptr (FacetStoreAttachment) attachment = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "RIFF", 4, NULL));
  facet_store_take_file_async (self->store, FACET_ATTACHMENT_AUDIO, file, "note.wav", "audio/wav", NULL,
                               fixture_answer_cb, &result);
  attachment = facet_store_take_file_finish (self->store, fixture_wait (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (attachment->size, ==, 4);
  g_assert_cmpint (attachment->kind, ==, FACET_ATTACHMENT_AUDIO);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_remove (path);
  facet_store_take_file_async (self->store, FACET_ATTACHMENT_AUDIO, file, "note.wav", NULL, NULL, fixture_answer_cb,
                               &missing);
  g_assert_null (facet_store_take_file_finish (self->store, fixture_wait (&missing), &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO);
}

static void
items_changed_cb (GListModel *model, guint position, guint removed, guint added, GString *log)
{
  g_string_append_printf (log, "%u-%u+%u ", position, removed, added);
}

static gint64
id_at (FacetChatList *list, guint i)
{
  g_autoptr (FacetChat) chat = g_list_model_get_item (G_LIST_MODEL (list), i);

  return facet_chat_get_id (chat);
}

static void
test_list_follows_the_store (Fixture *self, gconstpointer data)
{
  gint64 a = facet_store_add_chat (self->store, "a", NULL);
  gint64 b = facet_store_add_chat (self->store, "b", NULL);
  g_autoptr (FacetChatList) list = facet_chat_list_new (self->store);
  g_autoptr (GString) log = g_string_new (NULL);
  FacetChat *chat = facet_chat_list_find (list, a);
  gint64 c;

  g_signal_connect (list, "items-changed", G_CALLBACK (items_changed_cb), log);
  g_assert_cmpint (id_at (list, 0), ==, b);
  fixture_say (self, a, 0, USER, "newest");
  g_assert_cmpint (id_at (list, 0), ==, a);
  g_assert_true (facet_chat_list_find (list, a) == chat);
  g_assert_cmpstr (log->str, ==, "1-1+0 0-0+1 ");
  facet_store_set_chat_pinned (self->store, b, TRUE, NULL);
  g_assert_cmpint (id_at (list, 0), ==, b);
  c = facet_store_add_chat (self->store, "c", NULL);
  g_assert_cmpint (id_at (list, 1), ==, c);
  g_string_truncate (log, 0);
  facet_store_set_chat_deleted (self->store, c, TRUE, NULL);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 2);
  facet_store_set_chat_deleted (self->store, c, FALSE, NULL);
  g_assert_cmpint (id_at (list, 1), ==, c);
  g_assert_cmpstr (log->str, ==, "1-1+0 1-0+1 ");
  facet_store_set_chat_title (self->store, a, "renamed", NULL);
  g_assert_cmpstr (facet_chat_get_title (chat), ==, "renamed");
}

static void
test_deleted_chat_goes_for_good (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "a", NULL);
  gint64 message = fixture_say (self, chat, 0, USER, "x");
  g_autoptr (GError) error = NULL;

  g_assert_true (facet_store_set_chat_deleted (self->store, chat, TRUE, NULL));
  fixture_reopen (self, NULL);
  g_assert_false (facet_store_set_chat_deleted (self->store, chat, FALSE, &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND);
  g_assert_null (facet_store_get_message (self->store, message, NULL));
}

static void
test_misplaced_message_is_refused (Fixture *self, gconstpointer data)
{
  gint64 a = facet_store_add_chat (self->store, "a", NULL);
  gint64 b = facet_store_add_chat (self->store, "b", NULL);
  FacetStoreMessage message = { .chat_id = b, .parent_id = fixture_say (self, a, 0, USER, "x") };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (facet_store_add_message (self->store, &message, &error), ==, 0);
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND);
}

static void
test_read_only (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "a", NULL);
  FacetStoreMessage running = { .chat_id = chat, .role = MODEL, .status = FACET_MESSAGE_RUNNING };
  gint64 id = facet_store_add_message (self->store, &running, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetStore) reader = facet_store_open (self->directory, FACET_STORE_READ_ONLY, NULL, &error);
  g_autoptr (FacetStoreMessage) message = NULL;

  g_assert_no_error (error);
  message = facet_store_get_message (reader, id, NULL);
  g_assert_cmpint (message->status, ==, FACET_MESSAGE_RUNNING);
  g_assert_false (facet_store_set_chat_title (reader, chat, "b", &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO);
}

/* What the window calls while drawing must not be felt. */
static void
test_calls_are_quick (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (20000, 'x');
  gint64 chat = facet_store_add_chat (self->store, "t", NULL);
  gint64 parent = 0;
  FacetStoreMessage running = { .chat_id = chat, .role = MODEL };
  gint64 id;
  double start;

  for (int i = 0; i < 300; i++)
    parent = fixture_say (self, chat, parent, i % 2 ? MODEL : USER, "Some words that are said in a long chat.");
  id = facet_store_add_message (self->store, &running, NULL);
  start = g_get_monotonic_time ();
  for (int i = 0; i < 50; i++)
    g_assert_true (facet_store_save_running (self->store, id, text, NULL, NULL));
  g_test_message ("save of 20 kB: %.3f ms", (g_get_monotonic_time () - start) / 50e3);
  g_assert_cmpfloat ((g_get_monotonic_time () - start) / 50e3, <, 5);
  start = g_get_monotonic_time ();
  g_ptr_array_unref (facet_store_get_branch (self->store, chat, NULL));
  g_test_message ("branch of 300: %.3f ms", (g_get_monotonic_time () - start) / 1e3);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("survives-reopening", test_survives_reopening);
  ADD ("long-question-gives-short-title", test_long_question_gives_short_title);
  ADD ("editing-keeps-both-branches", test_editing_keeps_both_branches);
  ADD ("deleting-a-message-can-be-undone", test_deleting_a_message_can_be_undone);
  ADD ("corrections", test_corrections);
  ADD ("running-answer", test_running_answer);
  ADD ("attachments-by-content", test_attachments_by_content);
  ADD ("take-file", test_take_file);
  ADD ("list-follows-the-store", test_list_follows_the_store);
  ADD ("deleted-chat-goes-for-good", test_deleted_chat_goes_for_good);
  ADD ("misplaced-message-is-refused", test_misplaced_message_is_refused);
  ADD ("read-only", test_read_only);
  ADD ("calls-are-quick", test_calls_are_quick);
  return g_test_run ();
}
