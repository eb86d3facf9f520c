/* Calls of tools: kept with their answer, exported and imported with it, never taken for what they are not. */
#include <string.h>

#include "facet-call-record.h"
#include "facet-store-db.h"
#include "store-fixture.h"

static const char text[] = "Let me see. It is 42.";

static char *
make_calls (const char *result, FacetCallState state)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_call_record_free);
  FacetCallRecord *record = facet_call_record_new ("convert_units", "{\"value\": 26.2, \"from\":\"mile\"}", 11, 3);

  g_free (record->result);
  record->result = g_strdup (result);
  record->state = state;
  g_ptr_array_add (records, record);
  return facet_call_records_write (records);
}

static gint64
add_answer (Fixture *self, const char *calls)
{
  gint64 chat = facet_store_add_chat (self->store, "Units", NULL);
  FacetStoreMessage answer = { .chat_id = chat, .role = FACET_STORE_ROLE_MODEL, .status = FACET_MESSAGE_RUNNING, .text = (char *) text };
  gint64 id = facet_store_add_message (self->store, &answer, NULL);

  g_assert_true (facet_store_save_calls (self->store, id, calls, NULL));
  g_assert_true (facet_store_finish_message (self->store, id, FACET_MESSAGE_DONE, text, "", NULL, NULL, NULL));
  return chat;
}

static void
assert_record (Fixture *self, gint64 chat, const char *result)
{
  g_autoptr (GPtrArray) branch = facet_store_get_branch (self->store, chat, NULL);
  const FacetStoreMessage *message = branch->pdata[0];
  g_autoptr (GPtrArray) records = facet_call_records_parse (message->calls, message->text);
  const FacetCallRecord *record = records->pdata[0];

  g_assert_cmpuint (records->len, ==, 1);
  g_assert_cmpstr (record->tool, ==, "convert_units");
  g_assert_cmpstr (record->arguments, ==, "{\"value\": 26.2, \"from\":\"mile\"}");
  g_assert_cmpstr (record->result, ==, result);
  g_assert_cmpint (record->state, ==, FACET_CALL_DONE);
  g_assert_cmpuint (record->offset, ==, 11);
  g_assert_cmpuint (record->round, ==, 3);
}

static void
test_kept (Fixture *self, gconstpointer data)
{
  g_autofree char *calls = make_calls ("42 \"km\"\n\x01", FACET_CALL_DONE);
  gint64 chat = add_answer (self, calls);

  fixture_reopen (self, NULL);
  assert_record (self, chat, "42 \"km\"\n\x01");
}

static char *
export_chat (Fixture *self, gint64 chat, FacetExportFormat format)
{
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();

  g_assert_true (facet_store_export (self->store, chat, format, stream, NULL, NULL));
  return g_strndup (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (stream)),
                    g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (stream)));
}

static void
chat_added_cb (FacetStore *store, gint64 id, gint64 *added)
{
  *added = id;
}

static guint
import_text (Fixture *self, const char *json)
{
  g_autofree char *path = g_build_filename (self->directory, "import.json", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_true (g_file_set_contents (path, json, -1, NULL));
  facet_store_import_async (self->store, file, NULL, fixture_answer_cb, &result);
  return facet_store_import_finish (self->store, fixture_wait (&result), NULL);
}

static void
test_exchange (Fixture *self, gconstpointer data)
{
  g_autofree char *calls = make_calls ("```\n42 km", FACET_CALL_DONE);
  gint64 chat = add_answer (self, calls), added = 0;
  g_autofree char *markdown = export_chat (self, chat, FACET_EXPORT_MARKDOWN);
  g_autofree char *json = export_chat (self, chat, FACET_EXPORT_JSON);

  /* in its place, and as a block that its own marks cannot end */
  g_assert_nonnull (strstr (markdown, "Let me see.\n\n*Tool: convert_units*\n\n    {\"value\": 26.2, \"from\":\"mile\"}\n\n"
                                      "    ```\n    42 km\n\n It is 42.\n"));
  g_signal_connect (self->store, "chat-added", G_CALLBACK (chat_added_cb), &added);
  g_assert_cmpuint (import_text (self, json), ==, 1);
  g_assert_cmpint (added, >, chat);
  assert_record (self, added, "```\n42 km");
}

/* Exports are JSON to the letter: no control character stands in a string as it is. */
static void
test_control_characters (Fixture *self, gconstpointer data)
{
  g_autoptr (GString) result = g_string_new ("42");
  gint64 added = 0;

  for (char c = 1; c < 0x20; c++)
    g_string_append_c (result, c);
  g_string_append (result, "\x7f \"\\/");
  {
    g_autofree char *calls = make_calls (result->str, FACET_CALL_DONE);
    gint64 chat = add_answer (self, calls);
    g_autofree char *json = export_chat (self, chat, FACET_EXPORT_JSON);

    for (const char *at = json; *at != '\0'; at++)
      g_assert_true ((guchar) *at >= 0x20 || *at == '\n');
    g_signal_connect (self->store, "chat-added", G_CALLBACK (chat_added_cb), &added);
    g_assert_cmpuint (import_text (self, json), ==, 1);
    assert_record (self, added, result->str);
  }
}

static void
test_hostile (Fixture *self, gconstpointer data)
{
  static const char *const none[] = {
    "", "[", "{}", "[1, null, []]", "[{}]", "[{\"tool\": 3, \"arguments\": \"{}\", \"state\": \"done\"}]",
    "[{\"tool\": \"x\", \"arguments\": \"[]\", \"state\": \"done\"}]", "[{\"tool\": \"x\", \"arguments\": \"{\", \"state\": \"done\"}]",
    "[{\"tool\": \"x\", \"arguments\": {}, \"state\": \"done\"}]", "[{\"tool\": \"x\", \"arguments\": \"{}\", \"state\": \"allowed\"}]",
  };
  g_autoptr (GPtrArray) far = facet_call_records_parse (
    "[{\"tool\": \"x\", \"arguments\": \"{}\", \"state\": \"open\", \"offset\": 99999999999, \"round\": -1},"
    " {\"tool\": \"y\", \"arguments\": \"{}\", \"state\": \"open\", \"offset\": -5}]", "a\xc3\xa9");
  g_autoptr (GPtrArray) inside = facet_call_records_parse (
    "[{\"tool\": \"x\", \"arguments\": \"{}\", \"state\": \"open\", \"offset\": 2}]", "a\xc3\xa9");

  for (guint i = 0; i < G_N_ELEMENTS (none); i++) {
    g_autoptr (GPtrArray) records = facet_call_records_parse (none[i], "text");

    g_assert_cmpuint (records->len, ==, 0);
  }
  g_assert_cmpuint (far->len, ==, 2);
  g_assert_cmpuint (((FacetCallRecord *) far->pdata[0])->offset, ==, 3);
  g_assert_cmpuint (((FacetCallRecord *) far->pdata[1])->offset, ==, 3); /* never before the one before it */
  g_assert_cmpuint (((FacetCallRecord *) inside->pdata[0])->offset, ==, 1);
}

/* A store of the first version gains what is new and loses nothing. */
static void
test_first_version (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Old", NULL);
  g_autoptr (GPtrArray) branch = NULL;
  g_autoptr (FacetStoreDb) db = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *draft = NULL;

  fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, "Question");
  fixture_close (self);
  db = facet_store_db_open (self->directory, FALSE, &error);
  g_assert_true (facet_store_db_script (db, "ALTER TABLE messages DROP COLUMN calls; ALTER TABLE messages DROP COLUMN edited;"
                                           " ALTER TABLE messages DROP COLUMN revision;"
                                           " DROP TABLE notes; PRAGMA user_version = 1", &error));
  g_assert_no_error (error);
  g_clear_pointer (&db, facet_store_db_close);
  self->store = facet_store_open (self->directory, FACET_STORE_READ_WRITE, NULL, &error);
  g_assert_no_error (error);
  branch = facet_store_get_branch (self->store, chat, NULL);
  g_assert_cmpstr (((FacetStoreMessage *) branch->pdata[0])->text, ==, "Question");
  g_assert_cmpstr (((FacetStoreMessage *) branch->pdata[0])->calls, ==, "");
  g_assert_false (((FacetStoreMessage *) branch->pdata[0])->edited);
  g_assert_true (facet_store_set_draft (self->store, 0, "Next", &error));
  draft = facet_store_get_draft (self->store, 0, NULL);
  g_assert_cmpstr (draft, ==, "Next");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("calls/kept", test_kept);
  ADD ("calls/exchange", test_exchange);
  ADD ("calls/control-characters", test_control_characters);
  ADD ("calls/hostile", test_hostile);
  ADD ("calls/first-version", test_first_version);
  return g_test_run ();
}
