#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>

#include "commands.h"
#include "facet-store.h"
#include "options.h"
#include "report.h"

#define MAX_HITS 1000

typedef struct {
  char *directory;
  char *search;
  char *format;
  char *output;
} Wanted;

static void
wanted_clear (Wanted *wanted)
{
  g_free (wanted->directory);
  g_free (wanted->search);
  g_free (wanted->format);
  g_free (wanted->output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wanted, wanted_clear)

/* The store's messages are sentences made for people. */
static int
complain (const GError *error)
{
  fprintf (stderr, "facet-cli: %s\n", error->message);
  return EXIT_FAILED;
}

static char *
format_time (gint64 time)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_local (time / G_USEC_PER_SEC);

  return when ? g_date_time_format (when, "%F %R") : g_strdup ("-");
}

static void
print_safe (const char *text)
{
  g_autoptr (GString) safe = g_string_new (NULL);

  report_append_safe (safe, text, strlen (text));
  fputs (safe->str, stdout);
}

static int
list_all (FacetStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) chats = facet_store_list_chats (store, &error);

  if (chats == NULL)
    return complain (error);
  for (guint i = 0; i < chats->len; i++) {
    const FacetChatRecord *chat = chats->pdata[i];
    g_autofree char *time = format_time (chat->updated);
    g_autofree char *title = g_strdelimit (g_strdup (chat->title), "\n\t", ' ');

    printf ("%6" G_GINT64_FORMAT "  %s  %s", chat->id, time, chat->pinned ? "* " : "");
    print_safe (title);
    putchar ('\n');
  }
  return EXIT_OK;
}

static int
list_found (FacetStore *store, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) hits = facet_store_search (store, words, MAX_HITS, &error);

  if (hits == NULL)
    return complain (error);
  for (guint i = 0; i < hits->len; i++) {
    const FacetStoreHit *hit = hits->pdata[i];
    g_autofree char *title = g_strdelimit (g_strdup (hit->title), "\n\t", ' ');

    printf ("%6" G_GINT64_FORMAT "  ", hit->chat_id);
    print_safe (title);
    if (*hit->snippet != '\0') {
      fputs ("\n        ", stdout);
      print_safe (hit->snippet);
    }
    putchar ('\n');
  }
  return EXIT_OK;
}

/* Text of chats goes to a terminal only with its control characters disarmed. */
static gboolean
export_to_terminal (FacetStore *store, gint64 chat_id, FacetExportFormat format, GError **error)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GString) safe = g_string_new (NULL);

  if (!facet_store_export (store, chat_id, format, memory, NULL, error))
    return FALSE;
  report_append_safe (safe, g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (memory)),
                      g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)));
  fputs (safe->str, stdout);
  return TRUE;
}

static gboolean
export_to_file (FacetStore *store, gint64 chat_id, FacetExportFormat format, const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (GFileOutputStream) stream = g_file_replace (file, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL, error);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  if (stream == NULL)
    return FALSE;
  if (facet_store_export (store, chat_id, format, G_OUTPUT_STREAM (stream), NULL, error))
    return g_output_stream_close (G_OUTPUT_STREAM (stream), NULL, error);
  /* A cancelled close leaves the file that was there. */
  g_cancellable_cancel (cancelled);
  g_output_stream_close (G_OUTPUT_STREAM (stream), cancelled, NULL);
  return FALSE;
}

static int
run_export (FacetStore *store, gint64 chat_id, FacetExportFormat format, const char *output)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (output != NULL) {
    ok = export_to_file (store, chat_id, format, output, &error);
  } else if (isatty (STDOUT_FILENO)) {
    ok = export_to_terminal (store, chat_id, format, &error);
  } else {
    g_autoptr (GOutputStream) stream = g_unix_output_stream_new (STDOUT_FILENO, FALSE);

    ok = facet_store_export (store, chat_id, format, stream, NULL, &error);
  }
  return ok ? EXIT_OK : complain (error);
}

/* What comes after "list" or "export". */
static int
run (const Wanted *wanted, FacetStore *store, int argc, char **argv)
{
  gint64 chat_id = 0;

  if (g_str_equal (argv[1], "list") && argc == 2)
    return wanted->search ? list_found (store, wanted->search) : list_all (store);
  if (argc == 3 && !g_ascii_string_to_signed (argv[2], 10, 1, G_MAXINT64, &chat_id, NULL)) {
    options_complain (g_get_prgname (), _("“%s” is not the number of a chat"), argv[2]);
    return EXIT_USAGE;
  }
  return run_export (store, chat_id,
                     g_strcmp0 (wanted->format, "json") == 0 ? FACET_EXPORT_JSON : FACET_EXPORT_MARKDOWN,
                     wanted->output);
}

static gboolean
makes_sense (const Wanted *wanted, int argc, char **argv)
{
  if (argc < 2 || argc > 3 || !(g_str_equal (argv[1], "export") || (g_str_equal (argv[1], "list") && argc == 2))) {
    options_complain (g_get_prgname (), _("say “list” or “export”"));
    return FALSE;
  }
  if (wanted->format != NULL && !g_str_equal (wanted->format, "json") && !g_str_equal (wanted->format, "markdown")) {
    options_complain (g_get_prgname (), _("there is no format “%s”; say “markdown” or “json”"), wanted->format);
    return FALSE;
  }
  return TRUE;
}

int
command_chats (int argc, char **argv)
{
  g_auto (Options) options;
  g_auto (Wanted) wanted = { 0 };
  const GOptionEntry entries[] = {
    { "directory", 0, 0, G_OPTION_ARG_FILENAME, &wanted.directory, N_("folder with the chats"), N_("FOLDER") },
    { "search", 's', 0, G_OPTION_ARG_STRING, &wanted.search, N_("list only the chats with these words"), N_("WORDS") },
    { "format", 'f', 0, G_OPTION_ARG_STRING, &wanted.format, N_("markdown (the default) or json"), N_("FORMAT") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &wanted.output, N_("write to this file"), N_("FILE") },
    { NULL }
  };
  g_autoptr (FacetStore) store = NULL;
  g_autoptr (GError) error = NULL;

  options_init (&options);
  if (!options_parse (&options, 0, N_("list | export [NUMBER]"),
                      N_("Lists the chats of the window, or exports one of them or all."), entries, &argc, &argv)
      || !makes_sense (&wanted, argc, argv))
    return EXIT_USAGE;
  if (wanted.directory == NULL)
    wanted.directory = facet_store_default_directory ();
  store = facet_store_open (wanted.directory, FACET_STORE_READ_ONLY, NULL, &error);
  return store ? run (&wanted, store, argc, argv) : complain (error);
}
