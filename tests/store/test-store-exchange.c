/* Export and import: what goes out comes in again, and nothing else does. */
#include <glib/gstdio.h>
#include <string.h>

#include "store-fixture.h"

static guint
import_text (Fixture *self, const char *text, gssize length, GError **error)
{
  g_autofree char *path = g_build_filename (self->directory, "import.json", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_true (g_file_set_contents (path, text, length, NULL));
  facet_store_import_async (self->store, file, NULL, fixture_answer_cb, &result);
  return facet_store_import_finish (self->store, fixture_wait (&result), error);
}

static char *
export_text (Fixture *self, gint64 chat, FacetExportFormat format)
{
  g_autofree char *path = g_build_filename (self->directory, "export", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  char *text;

  facet_store_export_async (self->store, chat, format, file, NULL, fixture_answer_cb, &result);
  g_assert_true (facet_store_export_finish (self->store, fixture_wait (&result), &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
added_cb (FacetStore *store, gint64 chat, gint64 *added)
{
  *added = chat;
}

static void
test_round_trip (Fixture *self, gconstpointer data)
{
  g_autofree char *picture = g_strnfill (200000, 'p');
  g_autoptr (GBytes) bytes = g_bytes_new_static (picture, 200000);
  g_autoptr (FacetStoreAttachment) attachment = NULL;
  g_autoptr (GPtrArray) attachments = g_ptr_array_new ();
  gint64 chat = facet_store_add_chat (self->store, "Quotes \" and \\ and \n and 漢字", NULL);
  FacetStoreMessage question = {
    .chat_id = chat, .role = FACET_STORE_ROLE_USER, .status = FACET_MESSAGE_DONE,
    .text = (char *) "Look\x01 \"here\"", .mode = (char *) "describe", .attachments = attachments
  };
  g_autoptr (GPtrArray) branch = NULL;
  g_autofree char *json = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  FacetStoreMessage *first;
  gint64 added = 0;
  gint64 id;
  gint64 shown;

  attachment = facet_store_take_bytes (self->store, FACET_ATTACHMENT_IMAGE, bytes, "a.png", "image/png", NULL);
  g_ptr_array_add (attachments, attachment);
  id = facet_store_add_message (self->store, &question, NULL);
  shown = fixture_say (self, chat, id, FACET_STORE_ROLE_MODEL, "one");
  fixture_say (self, chat, id, FACET_STORE_ROLE_MODEL, "two");
  facet_store_show_message (self->store, shown, NULL);
  json = export_text (self, chat, FACET_EXPORT_JSON);
  facet_store_set_chat_deleted (self->store, chat, TRUE, NULL);
  g_assert_true (facet_store_purge (self->store, 0, NULL));
  g_signal_connect (self->store, "chat-added", G_CALLBACK (added_cb), &added);
  g_assert_cmpuint (import_text (self, json, -1, &error), ==, 1);
  g_assert_no_error (error);
  branch = facet_store_get_branch (self->store, added, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (branch->len, ==, 2);
  first = branch->pdata[0];
  g_assert_cmpstr (first->text, ==, "Look\x01 \"here\"");
  g_assert_cmpstr (first->mode, ==, "describe");
  g_assert_cmpstr (((FacetStoreMessage *) branch->pdata[1])->text, ==, "one");
  g_assert_cmpuint (((FacetStoreMessage *) branch->pdata[1])->sibling_count, ==, 2);
  path = facet_store_attachment_path (self->store, first->attachments->pdata[0]);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
}

static void
test_markdown (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Colours", NULL);
  gint64 question = fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, "Which?");
  g_autofree char *text = NULL;

  fixture_say (self, chat, question, FACET_STORE_ROLE_MODEL, "**Blue**");
  text = export_text (self, chat, FACET_EXPORT_MARKDOWN);
  g_assert_true (g_str_has_prefix (text, "# Colours\n\n"));
  g_assert_nonnull (strstr (text, "\n## You\n\nWhich?\n"));
  g_assert_nonnull (strstr (text, "\n## Answer\n\n**Blue**\n"));
}

/* An answer that the person corrected stays marked as such; a question never is. What follows it is older than the correction. */
static void
test_edited (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Note", NULL);
  gint64 question = fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, "Write it down");
  gint64 original = fixture_say (self, chat, question, FACET_STORE_ROLE_MODEL, "Facit");
  FacetStoreMessage correction = { .role = FACET_STORE_ROLE_MODEL, .status = FACET_MESSAGE_DONE, .text = (char *) "Facet",
                                   .model = (char *) "Gemma", .edited = TRUE };
  g_autoptr (GPtrArray) branch = NULL;
  g_autoptr (FacetStoreMessage) kept = NULL;
  g_autofree char *markdown = NULL, *json = NULL;
  g_autoptr (GError) error = NULL;
  gint64 added = 0;

  fixture_say (self, chat, original, FACET_STORE_ROLE_USER, "Thank you");
  g_assert_cmpint (facet_store_correct_message (self->store, original, &correction, NULL), >, original);
  markdown = export_text (self, chat, FACET_EXPORT_MARKDOWN);
  g_assert_nonnull (strstr (markdown, "\n## Gemma (edited)\n\nFacet\n"));
  g_assert_null (strstr (markdown, "Facit"));
  json = export_text (self, chat, FACET_EXPORT_JSON);
  g_signal_connect (self->store, "chat-added", G_CALLBACK (added_cb), &added);
  g_assert_cmpuint (import_text (self, json, -1, &error), ==, 1);
  g_assert_no_error (error);
  fixture_reopen (self, NULL);
  branch = facet_store_get_branch (self->store, added, NULL);
  g_assert_cmpstr (((FacetStoreMessage *) branch->pdata[1])->text, ==, "Facet");
  g_assert_true (((FacetStoreMessage *) branch->pdata[1])->edited);
  g_assert_cmpstr (((FacetStoreMessage *) branch->pdata[2])->text, ==, "Thank you");
  g_assert_cmpuint (((FacetStoreMessage *) branch->pdata[1])->sibling_count, ==, 2);
  g_assert_false (((FacetStoreMessage *) branch->pdata[0])->edited);
  kept = facet_store_get_message (self->store, original, NULL);
  g_assert_cmpstr (kept->text, ==, "Facit");
  g_assert_false (kept->edited);
}

static void
test_export_leaves_the_old_file_on_failure (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "kept", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "old", 3, NULL));
  facet_store_export_async (self->store, 4711, FACET_EXPORT_JSON, file, NULL, fixture_answer_cb, &result);
  g_assert_false (facet_store_export_finish (self->store, fixture_wait (&result), &error));
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_NOT_FOUND);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "old");
}

#define FRAME(messages) "{\"format\": \"facet-chats\", \"version\": 1, \"chats\": [{\"title\": \"x\", \"messages\": [" messages "]}]}"
#define MESSAGE(id, parent, rest) "{\"id\": " id ", \"parent\": " parent ", \"role\": \"user\", \"status\": \"done\", " rest "}"
#define PLAIN "\"text\": \"t\", \"attachments\": []"
#define ATTACHED(rest) "\"text\": \"t\", \"attachments\": [{" rest "}]"
#define HASH "\"sha256\": \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""

static void
test_hostile (Fixture *self, gconstpointer data)
{
  static const char *const files[] = {
    "", "{", "[]", "null", "42", "{\"format\": \"facet-chats\"}", "{\"format\": 7, \"version\": 1, \"chats\": []}",
    "{\"format\": \"facet-chats\", \"version\": 2, \"chats\": []}",
    "{\"format\": \"facet-chats\", \"version\": \"1\", \"chats\": []}",
    "{\"format\": \"facet-chats\", \"version\": 1, \"chats\": {}}",
    "{\"format\": \"facet-chats\", \"version\": 1, \"chats\": [7]}",
    "{\"format\": \"facet-chats\", \"version\": 1, \"chats\": [{}]}",
    "{\"format\": \"facet-chats\", \"version\": 1, \"chats\": [{\"messages\": 3}]}",
    FRAME ("null"), FRAME ("{}"),
    FRAME (MESSAGE ("0", "0", PLAIN)), FRAME (MESSAGE ("-1", "0", PLAIN)), FRAME (MESSAGE ("1", "1", PLAIN)),
    FRAME (MESSAGE ("1", "2", PLAIN) ", " MESSAGE ("2", "1", PLAIN)),
    FRAME (MESSAGE ("1", "0", PLAIN) ", " MESSAGE ("1", "0", PLAIN)),
    FRAME (MESSAGE ("1", "-5", PLAIN)), FRAME (MESSAGE ("1.5", "0", PLAIN)), FRAME (MESSAGE ("\"1\"", "0", PLAIN)),
    FRAME (MESSAGE ("99999999999999999999999", "0", "\"text\": 4, \"attachments\": []")),
    FRAME (MESSAGE ("1", "0", "\"text\": 4, \"attachments\": []")),
    FRAME (MESSAGE ("1", "0", "\"text\": \"t\"")), FRAME (MESSAGE ("1", "0", ATTACHED (""))),
    FRAME (MESSAGE ("1", "0", ATTACHED ("\"kind\": \"image\", \"sha256\": \"../../../../etc/passwd\", \"data\": null"))),
    FRAME (MESSAGE ("1", "0", ATTACHED ("\"kind\": \"program\", " HASH ", \"data\": \"YWJj\""))),
    FRAME (MESSAGE ("1", "0", ATTACHED ("\"kind\": \"image\", " HASH ", \"data\": \"YWJk\""))),
    FRAME (MESSAGE ("1", "0", "\"text\": \"t\", \"attachments\": []") ", "
           "{\"id\": 2, \"parent\": 1, \"role\": \"root\", \"status\": \"done\", " PLAIN "}"),
    FRAME ("{\"id\": 2, \"parent\": 0, \"role\": \"user\", \"status\": \"sleeping\", " PLAIN "}"),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) chats = NULL;

    g_test_message ("%s", files[i]);
    g_assert_cmpuint (import_text (self, files[i], -1, &error), ==, 0);
    g_assert_true (error && error->domain == FACET_STORE_ERROR);
    chats = facet_store_list_chats (self->store, NULL);
    g_assert_cmpuint (chats->len, ==, 0);
  }
}

static void
test_deep_nesting (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (4000000, '[');
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (import_text (self, text, -1, &error), ==, 0);
  g_assert_error (error, FACET_STORE_ERROR, FACET_STORE_ERROR_INVALID);
}

static void
test_truncated_and_scrambled (Fixture *self, gconstpointer data)
{
  const char *good = FRAME (MESSAGE ("1", "0", ATTACHED ("\"kind\": \"image\", \"name\": \"a/../b.png\", " HASH
                                                         ", \"data\": \"YWJj\"")));
  gsize length = strlen (good);
  g_autoptr (GError) error = NULL;

  for (gsize cut = 0; cut < length; cut += 7) {
    g_autoptr (GError) local = NULL;

    g_assert_cmpuint (import_text (self, good, cut, &local), ==, 0);
    g_assert_nonnull (local);
  }
  for (int i = 0; i < 400; i++) {
    g_autofree char *text = g_strdup (good);
    g_autoptr (GError) local = NULL;

    text[g_test_rand_int_range (0, length)] = g_test_rand_int_range (0, 256);
    import_text (self, text, length, &local);
  }
  g_assert_cmpuint (import_text (self, good, -1, &error), ==, 1);
  g_assert_no_error (error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("exchange/round-trip", test_round_trip);
  ADD ("exchange/markdown", test_markdown);
  ADD ("exchange/edited", test_edited);
  ADD ("exchange/export-leaves-the-old-file-on-failure", test_export_leaves_the_old_file_on_failure);
  ADD ("exchange/hostile", test_hostile);
  ADD ("exchange/deep-nesting", test_deep_nesting);
  ADD ("exchange/truncated-and-scrambled", test_truncated_and_scrambled);
  return g_test_run ();
}
