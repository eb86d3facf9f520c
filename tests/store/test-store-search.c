/* Search over all chats, in the scripts that people write. */
#include <string.h>

#include "store-fixture.h"

static guint
count (Fixture *self, const char *query)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = facet_store_search (self->store, query, 100, &error);

  g_assert_no_error (error);
  return hits->len;
}

static gint64
chat_with (Fixture *self, const char *text)
{
  gint64 chat = facet_store_add_chat (self->store, "-", NULL);

  fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, text);
  return chat;
}

static void
test_words (Fixture *self, gconstpointer data)
{
  chat_with (self, "The café in São Paulo; don't miss it, STRASSE 12");
  g_assert_cmpuint (count (self, "cafe"), ==, 1);
  g_assert_cmpuint (count (self, "CAFÉ sao"), ==, 1);
  g_assert_cmpuint (count (self, "straße"), ==, 1);
  g_assert_cmpuint (count (self, "pau"), ==, 1);
  g_assert_cmpuint (count (self, "pau cafe"), ==, 0);
  g_assert_cmpuint (count (self, "don't"), ==, 1);
  g_assert_cmpuint (count (self, "\"sao paulo\""), ==, 1);
  g_assert_cmpuint (count (self, "\"paulo sao\""), ==, 0);
  g_assert_cmpuint (count (self, "tea"), ==, 0);
}

static void
test_scripts_without_blanks (Fixture *self, gconstpointer data)
{
  chat_with (self, "明日は東京で会議があります。ｺｰﾋｰも飲みます");
  chat_with (self, "我们明天在北京开会");
  chat_with (self, "พรุ่งนี้ประชุมที่กรุงเทพ");
  chat_with (self, "내일 서울에서 회의가 있어요");
  g_assert_cmpuint (count (self, "会議"), ==, 1);
  g_assert_cmpuint (count (self, "東京"), ==, 1);
  g_assert_cmpuint (count (self, "京東"), ==, 0);
  g_assert_cmpuint (count (self, "コーヒー"), ==, 1);
  g_assert_cmpuint (count (self, "明天 开会"), ==, 1);
  g_assert_cmpuint (count (self, "京"), ==, 2);
  g_assert_cmpuint (count (self, "ประชุม"), ==, 1);
  g_assert_cmpuint (count (self, "서울"), ==, 1);
}

static void
test_vowel_signs (Fixture *self, gconstpointer data)
{
  chat_with (self, "كَتَبَ مُحَمَّدٌ الرسالة");
  chat_with (self, "שָׁלוֹם עולם");
  chat_with (self, "हिन्दी में उत्तर दो");
  g_assert_cmpuint (count (self, "محمد"), ==, 1);
  g_assert_cmpuint (count (self, "كتب"), ==, 1);
  g_assert_cmpuint (count (self, "שלום"), ==, 1);
  g_assert_cmpuint (count (self, "हिन्दी"), ==, 1);
}

static void
test_nothing_is_an_operator (Fixture *self, gconstpointer data)
{
  static const char *const queries[] = {
    "", " ", "\"", "\"\"", "\"\"\"", "*", "-", "NOT", "a OR", "AND", "(", "text:", "^a", "a*b(c)", "NEAR(", "{text} : x",
    "'; DROP TABLE chats; --", "%", "\xff\xfe", "\"open", "´`", "،", "🙂",
  };

  chat_with (self, "plain words: NOT this OR that AND more");
  for (gsize i = 0; i < G_N_ELEMENTS (queries); i++)
    count (self, queries[i]);
  g_assert_cmpuint (count (self, "NOT"), ==, 1);
  g_assert_cmpuint (count (self, "plain NOT absent"), ==, 0);
  g_assert_cmpuint (count (self, "plain - words"), ==, 1);
}

static void
test_snippet_and_counts (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "Garden", NULL);
  gint64 first = fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, "I have\nÄpfel and\tmore <b>Äpfel</b>.");
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GPtrArray) titles = NULL;
  FacetStoreHit *hit;
  FacetTextRange *range;

  fixture_say (self, chat, first, FACET_STORE_ROLE_MODEL, "Eat more of them. Some text follows here. apfel");
  hits = facet_store_search (self->store, "apfel", 10, NULL);
  g_assert_cmpuint (hits->len, ==, 1);
  hit = hits->pdata[0];
  g_assert_cmpint (hit->message_id, ==, first);
  g_assert_cmpuint (hit->matches, ==, 2);
  g_assert_cmpstr (hit->snippet, ==, "I have Äpfel and more <b>Äpfel</b>.");
  g_assert_cmpuint (hit->ranges->len, ==, 2);
  range = &g_array_index (hit->ranges, FacetTextRange, 1);
  g_assert_true (strncmp (hit->snippet + range->start, "Äpfel", range->end - range->start) == 0);
  titles = facet_store_search (self->store, "gard", 10, NULL);
  g_assert_cmpuint (titles->len, ==, 1);
  g_assert_cmpint (((FacetStoreHit *) titles->pdata[0])->message_id, ==, 0);
}

static void
test_index_follows_changes (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "old title", NULL);
  FacetStoreMessage running = { .chat_id = chat, .role = FACET_STORE_ROLE_MODEL };
  gint64 id = facet_store_add_message (self->store, &running, NULL);

  g_assert_true (facet_store_save_running (self->store, id, "first version", NULL, NULL));
  g_assert_true (facet_store_finish_message (self->store, id, FACET_MESSAGE_DONE, "final version", NULL, NULL, NULL, NULL));
  g_assert_cmpuint (count (self, "first"), ==, 0);
  g_assert_cmpuint (count (self, "final"), ==, 1);
  g_assert_true (facet_store_resume_message (self->store, id, NULL));
  g_assert_cmpuint (count (self, "final"), ==, 0);
  fixture_reopen (self, NULL);
  g_assert_cmpuint (count (self, "final"), ==, 1);
  g_assert_true (facet_store_set_chat_title (self->store, chat, "new title", NULL));
  g_assert_cmpuint (count (self, "old"), ==, 0);
  g_assert_true (facet_store_set_message_deleted (self->store, id, TRUE, NULL));
  g_assert_cmpuint (count (self, "final"), ==, 0);
  g_assert_true (facet_store_set_chat_deleted (self->store, chat, TRUE, NULL));
  g_assert_cmpuint (count (self, "title"), ==, 0);
}

static void
test_async (Fixture *self, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) cancelled = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GError) error = NULL;

  chat_with (self, "needle");
  facet_store_search_async (self->store, "needle", 10, NULL, fixture_answer_cb, &result);
  hits = facet_store_search_finish (self->store, fixture_wait (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hits->len, ==, 1);
  g_cancellable_cancel (cancellable);
  facet_store_search_async (self->store, "needle", 10, cancellable, fixture_answer_cb, &cancelled);
  g_assert_null (facet_store_search_finish (self->store, fixture_wait (&cancelled), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Years of use: the list, a search and opening must stay quick. */
static void
test_many_chats (Fixture *self, gconstpointer data)
{
  static const char *const words[] = { "river", "stone", "harbour", "window", "engine", "garden", "letter" };
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GPtrArray) chats = NULL;
  gint64 start;
  double ms;

  for (int i = 0; i < 1000; i++) {
    gint64 chat = facet_store_add_chat (self->store, words[i % 7], NULL);
    gint64 parent = 0;

    for (int j = 0; j < 10; j++) {
      g_autofree char *text = g_strdup_printf ("message %d about the %s and the %s of %d", j, words[(i + j) % 7],
                                               words[i * j % 7], i);

      parent = fixture_say (self, chat, parent, FACET_STORE_ROLE_USER, text);
    }
  }
  start = g_get_monotonic_time ();
  hits = facet_store_search (self->store, "harb", 50, NULL);
  g_test_message ("search of 10000 messages: %.1f ms", (g_get_monotonic_time () - start) / 1e3);
  g_assert_cmpuint (hits->len, ==, 50);
  start = g_get_monotonic_time ();
  chats = facet_store_list_chats (self->store, NULL);
  g_test_message ("list of 1000 chats: %.1f ms", (g_get_monotonic_time () - start) / 1e3);
  g_assert_cmpuint (chats->len, ==, 1000);
  fixture_close (self);
  start = g_get_monotonic_time ();
  fixture_reopen (self, NULL);
  ms = (g_get_monotonic_time () - start) / 1e3;
  g_test_message ("opening: %.1f ms", ms);
  g_assert_cmpfloat (ms, <, 500);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("search/words", test_words);
  ADD ("search/scripts-without-blanks", test_scripts_without_blanks);
  ADD ("search/vowel-signs", test_vowel_signs);
  ADD ("search/nothing-is-an-operator", test_nothing_is_an_operator);
  ADD ("search/snippet-and-counts", test_snippet_and_counts);
  ADD ("search/index-follows-changes", test_index_follows_changes);
  ADD ("search/async", test_async);
  ADD ("search/many-chats", test_many_chats);
  return g_test_run ();
}
