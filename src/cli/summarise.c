#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "listening.h"
#include "media.h"
#include "mode-prompt.h"
#include "print.h"
#include "report.h"
#include "transcribe/facet-journal.h"
#include "transcribe/facet-summariser.h"

/* Bytes of a file that tell whether it holds text. */
#define LOOK_AT 65536

typedef struct {
  Options  options;
  char    *language, *words;
  int      max_tokens;
  gboolean named; /* several files */
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->language);
  g_free (arguments->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* The loaded model and what it is asked in. */
typedef struct {
  const Arguments *arguments;
  FacetModel      *model;
  FacetSession    *session;
  FacetCancel     *cancel;
} Work;

static gboolean
holds_text (const char *file)
{
  g_autofree char *start = g_malloc (LOOK_AT);
  FILE *stream = g_str_equal (file, "-") ? NULL : fopen (file, "rb");
  const char *end;
  gsize n;

  if (stream == NULL)
    return TRUE; /* reading it says what is wrong */
  n = fread (start, 1, LOOK_AT, stream);
  fclose (stream);
  g_utf8_validate_len (start, n, &end);
  return end == start + n || (n == LOOK_AT && start + n - end < 4);
}

/* What is said in a recording; NULL with the exit @status if that is nothing,
 * was stopped or failed. @journal keeps it until the summary is there. */
static char *
listen_to (Work *work, const char *file, char **journal, int *status)
{
  g_autofree char *instruction = mode_prompt ("transcribe", NULL, NULL, TRUE), *text = NULL;
  g_auto (FacetTranscription) result = { NULL };
  g_autoptr (GError) error = NULL;
  gboolean done;

  *status = EXIT_FAILED;
  if (!facet_model_accepts_audio (work->model)) {
    media_report_lack (work->model, TRUE);
    return NULL;
  }
  interrupt_guard (work->cancel);
  done = listening_transcribe (&work->arguments->options, work->model, work->session, file, instruction, FALSE, NULL, journal,
                               work->cancel, &result, &error);
  interrupt_guard (NULL);
  if (!done) {
    report_error (error);
    *status = report_status (error);
    return NULL;
  }
  listening_report (file, &result);
  *status = result.finished ? EXIT_OK : EXIT_INTERRUPTED;
  text = facet_transcript_write (result.transcript, FACET_TRANSCRIPT_TEXT);
  return result.finished && *text != '\0' ? g_steal_pointer (&text) : NULL;
}

static char *
read_source (Work *work, const char *file, gboolean is_text, char **journal, int *status)
{
  g_autofree char *text = NULL;
  gsize length;

  if (!is_text)
    return listen_to (work, file, journal, status);
  *status = options_read_text (&text, file, &length);
  if (*status != EXIT_OK)
    return NULL;
  if (!g_utf8_validate_len (text, length, NULL)) {
    report_sentence (_("%s: %s is neither text in UTF-8 nor a recording\n"), g_get_prgname (), file);
    *status = EXIT_FAILED;
    return NULL;
  }
  if (*g_strstrip (text) == '\0') {
    report_sentence (_("%s: there is no text in %s\n"), g_get_prgname (), file);
    *status = EXIT_FAILED;
    return NULL;
  }
  return g_steal_pointer (&text);
}

static gboolean
ask (Work *work, const char *text, gboolean is_text, FacetSummary *summary, GError **error)
{
  const Arguments *arguments = work->arguments;
  FacetListener listener = facet_listener_for_session (work->session);
  FacetSummariseParams params = { .sampling = options_sampling (&arguments->options, work->model),
                                  .max_tokens = arguments->max_tokens,
                                  .context = facet_session_context (work->session),
                                  .on_text = arguments->options.json ? NULL : print_text,
                                  .on_progress = report_progress,
                                  .cancel = work->cancel };
  g_autofree char *before = NULL, *after = NULL;
  gboolean done;

  if (is_text) {
    g_autofree char *words = NULL;

    mode_words_around ("summarise", arguments->language, &words, &after);
    before = g_strconcat (arguments->words != NULL ? arguments->words : "", arguments->words != NULL ? "\n\n" : "", words, NULL);
  } else {
    g_autofree char *words = mode_prompt ("summarise", arguments->language, arguments->words, TRUE);

    before = g_strconcat (words, "\n\n", NULL);
    after = g_strdup ("");
  }
  params.before = before;
  params.after = after;
  interrupt_guard (work->cancel);
  done = facet_summarise (&listener, text, &params, summary, error);
  interrupt_guard (NULL);
  report_progress_end ();
  return done;
}

static void
print_json (const char *file, const FacetSummary *summary)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_string (json, "file", file, -1);
  json_string (json, "text", summary->text, -1);
  json_integer (json, "parts", summary->parts);
  json_string (json, "stop_reason", facet_stop_reason_name (summary->stop_reason), -1);
  json_close (json, '}');
  json_print (json);
}

static int
do_file (Work *work, const char *file)
{
  gboolean is_text = holds_text (file);
  g_auto (FacetSummary) summary = { NULL };
  g_autofree char *text = NULL, *journal = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (work->arguments->named && !work->arguments->options.json) {
    g_autofree char *shown = report_one_line (file);

    printf ("%s:\n", shown);
  }
  text = read_source (work, file, is_text, &journal, &status);
  if (text == NULL)
    return status;
  if (!ask (work, text, is_text, &summary, &error)) {
    report_error (error);
    return report_status (error);
  }
  if (work->arguments->options.json) {
    print_json (file, &summary);
  } else {
    print_end (summary.text);
    print_why_stopped (summary.stop_reason);
  }
  if (summary.stop_reason == FACET_STOP_CANCELLED)
    return EXIT_INTERRUPTED;
  if (journal != NULL)
    facet_journal_forget (journal);
  return EXIT_OK;
}

static gboolean
parse_arguments (Arguments *arguments, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "in", 0, 0, G_OPTION_ARG_STRING, &arguments->language, N_("Language of the summary; default: your own"), N_("LANGUAGE") },
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &arguments->words, N_("What matters in particular"), N_("TEXT") },
    { "max-tokens", 'n', 0, G_OPTION_ARG_INT, &arguments->max_tokens, N_("Longest summary in tokens; 0: until the context is full"), N_("N") },
    G_OPTION_ENTRY_NULL
  };

  options_init (&arguments->options);
  if (!options_parse (&arguments->options, OPTIONS_MODEL | OPTIONS_SAMPLING | OPTIONS_JSON, N_("[FILE…]"),
                      N_("Summarises texts and recordings of any length; without a file or with “-”, standard input. With --json one object a line."),
                      entries, argc, argv))
    return FALSE;
  arguments->named = *argc > 2;
  if (arguments->max_tokens >= 0)
    return TRUE;
  options_complain (g_get_prgname (), "%s", _("-n must not be negative"));
  return FALSE;
}

int
command_summarise (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .words = NULL };
  FacetCancel cancel = { 0 };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (FacetSession) session = NULL;
  Work work = { .arguments = &arguments, .cancel = &cancel };
  int status;

  if (!parse_arguments (&arguments, &argc, &argv))
    return EXIT_USAGE;
  status = options_open_model (&arguments.options, &cancel, &model);
  if (status != EXIT_OK)
    return status;
  session = options_new_session (&arguments.options, model);
  if (session == NULL)
    return EXIT_FAILED;
  work.model = model;
  work.session = session;
  if (argc < 2)
    return do_file (&work, "-");
  for (int i = 1; i < argc && status != EXIT_INTERRUPTED; i++) {
    int one = do_file (&work, argv[i]);

    status = one != EXIT_OK ? one : status;
  }
  return status;
}
