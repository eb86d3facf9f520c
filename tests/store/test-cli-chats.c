/* facet-cli chats, run as a program beside an open store. Argument: the program. */
#include <string.h>

#include "store-fixture.h"

static const char *program;

static char *
run (Fixture *self, int status, const char *const *arguments)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *errors = NULL;
  char *output = NULL;
  int got;

  g_ptr_array_add (argv, (char *) program);
  g_ptr_array_add (argv, (char *) "chats");
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (argv, (char *) *arguments);
  g_ptr_array_add (argv, (char *) "--directory");
  g_ptr_array_add (argv, self->directory);
  g_ptr_array_add (argv, NULL);
  g_spawn_sync (NULL, (char **) argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors, &got, &error);
  g_assert_no_error (error);
  g_assert_cmpint (got >> 8, ==, status);
  return output;
}

#define RUN(self, status, ...) run (self, status, (const char *const[]) { __VA_ARGS__, NULL })

static void
test_list_and_export (Fixture *self, gconstpointer data)
{
  gint64 chat = facet_store_add_chat (self->store, "A \x1b[31mred\x1b[0m title", NULL);
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, chat);
  g_autofree char *path = g_build_filename (self->directory, "out.json", NULL);
  g_autofree char *list = NULL;
  g_autofree char *found = NULL;
  g_autofree char *none = NULL;
  g_autofree char *markdown = NULL;
  g_autofree char *nothing = NULL;
  g_autofree char *json = NULL;

  fixture_say (self, chat, 0, FACET_STORE_ROLE_USER, "Where is the needle?");
  list = RUN (self, 0, "list");
  g_assert_nonnull (strstr (list, "title\n"));
  g_assert_null (strchr (list, '\x1b'));
  found = RUN (self, 0, "list", "--search", "needle");
  g_assert_nonnull (strstr (found, "Where is the needle?"));
  none = RUN (self, 0, "list", "--search", "haystack");
  g_assert_cmpstr (none, ==, "");
  markdown = RUN (self, 0, "export", id);
  g_assert_nonnull (strstr (markdown, "Where is the needle?"));
  nothing = RUN (self, 0, "export", "--format", "json", "--output", path);
  g_assert_cmpstr (nothing, ==, "");
  g_assert_true (g_file_get_contents (path, &json, NULL, NULL));
  g_assert_true (g_str_has_prefix (json, "{\"format\": \"facet-chats\""));
}

static void
test_wrong_use (Fixture *self, gconstpointer data)
{
  g_free (RUN (self, 2, "shred"));
  g_free (RUN (self, 2, "export", "one"));
  g_free (RUN (self, 2, "export", "--format", "pdf"));
  g_free (RUN (self, 2, "list", "7"));
  g_free (RUN (self, 1, "export", "4711"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  program = argv[1];
  ADD ("cli/list-and-export", test_list_and_export);
  ADD ("cli/wrong-use", test_wrong_use);
  return g_test_run ();
}
