#include "store-fixture.h"

#include "tree.h"

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->directory = g_dir_make_tmp ("facet-store-XXXXXX", &error);
  g_assert_no_error (error);
  self->store = facet_store_open (self->directory, FACET_STORE_READ_WRITE, NULL, &error);
  g_assert_no_error (error);
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  g_clear_object (&self->store);
  tree_remove (self->directory);
  g_free (self->directory);
}

void
fixture_close (Fixture *self)
{
  g_autofree char *log = g_build_filename (self->directory, "chats.db-wal", NULL);

  g_clear_object (&self->store);
  /* The last connection takes the log along: nothing of the store runs on. */
  g_assert_false (g_file_test (log, G_FILE_TEST_EXISTS));
}

FacetStore *
fixture_open (const char *directory, FacetStoreRecovery *recovery)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  for (;;) {
    g_autoptr (GError) error = NULL;
    FacetStore *store = facet_store_open (directory, FACET_STORE_READ_WRITE, recovery, &error);

    if (!g_error_matches (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY) || g_get_monotonic_time () > end) {
      g_assert_no_error (error);
      return store;
    }
    g_usleep (1000);
  }
}

void
fixture_reopen (Fixture *self, FacetStoreRecovery *recovery)
{
  g_clear_object (&self->store);
  self->store = fixture_open (self->directory, recovery);
}

gint64
fixture_say (Fixture *self, gint64 chat, gint64 parent, FacetStoreRole role, const char *text)
{
  FacetStoreMessage message = {
    .chat_id = chat, .parent_id = parent, .role = role, .status = FACET_MESSAGE_DONE, .text = (char *) text
  };
  g_autoptr (GError) error = NULL;
  gint64 id = facet_store_add_message (self->store, &message, &error);

  g_assert_no_error (error);
  g_assert_cmpint (id, >, 0);
  return id;
}

char *
fixture_branch (Fixture *self, gint64 chat)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) branch = facet_store_get_branch (self->store, chat, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < branch->len; i++)
    g_string_append_printf (text, "%s%s", i ? "|" : "", ((FacetStoreMessage *) branch->pdata[i])->text);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
fixture_answer_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

GAsyncResult *
fixture_wait (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}
