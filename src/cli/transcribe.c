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
#include "whole-file.h"

typedef struct {
  Options  options;
  char    *translate_to, *language, *words;
  char    *txt, *srt, *vtt;
  gboolean fresh;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->translate_to);
  g_free (arguments->language);
  g_free (arguments->words);
  g_free (arguments->txt);
  g_free (arguments->srt);
  g_free (arguments->vtt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
to_stdout (const char *path)
{
  return path != NULL && g_str_equal (path, "-");
}

/* Whether the text itself is what standard output shows. */
static gboolean
prints_text (const Arguments *arguments)
{
  return !arguments->options.json && !to_stdout (arguments->srt) && !to_stdout (arguments->vtt);
}

static char *
make_instruction (const Arguments *arguments)
{
  g_autoptr (GString) words = g_string_new (NULL);

  /* For the model, hence in English like the templates. */
  if (arguments->language != NULL)
    g_string_append_printf (words, "The language spoken is %s.", arguments->language);
  if (arguments->words != NULL)
    g_string_append_printf (words, "%s%s", words->len > 0 ? "\n" : "", arguments->words);
  return arguments->translate_to != NULL ? mode_prompt ("translate", arguments->translate_to, words->str, TRUE)
                                         : mode_prompt ("transcribe", NULL, words->str, TRUE);
}

/* ---- results ---- */

static gboolean
write_output (FacetTranscript *transcript, FacetTranscriptFormat format, const char *path, GError **error)
{
  g_autofree char *text = NULL;

  if (path == NULL)
    return TRUE;
  text = facet_transcript_write (transcript, format);
  if (to_stdout (path)) {
    print_text (text, strlen (text), NULL);
    return TRUE;
  }
  return whole_file_write (path, &(const WholePart){ text, strlen (text) }, 1, error);
}

/* The engine's object with what is known of the recording put in front. */
static void
print_result_json (const char *file, const FacetTranscription *result)
{
  g_autofree char *transcript = facet_transcript_write (result->transcript, FACET_TRANSCRIPT_JSON);
  g_autoptr (GString) json = g_string_new ("{");

  json_string (json, "file", file, -1);
  json_number (json, "seconds", result->seconds);
  g_string_append_printf (json, ", \"speech\": %s, \"finished\": %s", result->pieces > 0 ? "true" : "false", result->finished ? "true" : "false");
  json_open (json, "doubtful", '[');
  for (guint i = 0; i < result->doubtful->len; i++) {
    json_open (json, NULL, '{');
    json_number (json, "start", g_array_index (result->doubtful, FacetPiece, i).start);
    json_number (json, "end", g_array_index (result->doubtful, FacetPiece, i).end);
    json_close (json, '}');
  }
  json_close (json, ']');
  g_string_append_printf (json, ", %s", g_strchomp (transcript) + 1);
  json_print (json);
}

static gboolean
put_result (const Arguments *arguments, const char *file, const FacetTranscription *result, GError **error)
{
  g_autofree char *text = facet_transcript_write (result->transcript, FACET_TRANSCRIPT_TEXT);

  if (arguments->options.json)
    print_result_json (file, result);
  else if (prints_text (arguments) && *text != '\0')
    print_end (text);
  listening_report (file, result);
  return write_output (result->transcript, FACET_TRANSCRIPT_TEXT, arguments->txt, error)
         && write_output (result->transcript, FACET_TRANSCRIPT_SRT, arguments->srt, error)
         && write_output (result->transcript, FACET_TRANSCRIPT_VTT, arguments->vtt, error) && print_check (error);
}

/* ---- the work ---- */

static int
do_file (const Arguments *arguments, FacetModel *model, FacetSession *session, const char *file, FacetCancel *cancel)
{
  g_auto (FacetTranscription) result = { NULL };
  g_autofree char *instruction = make_instruction (arguments), *journal = NULL;
  g_autoptr (GError) error = NULL;
  gboolean done;

  interrupt_guard (cancel);
  done = listening_transcribe (&arguments->options, model, session, file, instruction, arguments->fresh,
                               prints_text (arguments) ? print_text : NULL, &journal, cancel, &result, &error);
  interrupt_guard (NULL);
  if (!done) {
    report_error (error);
    return report_status (error);
  }
  if (!put_result (arguments, file, &result, &error)) {
    report_error (error);
    if (result.done > 0)
      g_printerr ("%s\n", _("What was written down is kept: the same command gives it again without listening anew."));
    return EXIT_FAILED;
  }
  if (result.finished)
    facet_journal_forget (journal);
  return result.finished ? EXIT_OK : EXIT_INTERRUPTED;
}

static gboolean
parse_arguments (Arguments *arguments, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "translate-to", 0, 0, G_OPTION_ARG_STRING, &arguments->translate_to, N_("Write down a translation into this language"), N_("LANGUAGE") },
    { "language", 0, 0, G_OPTION_ARG_STRING, &arguments->language, N_("The language that is spoken; default: the model finds out"), N_("LANGUAGE") },
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &arguments->words, N_("What helps to understand: names, words, the subject"), N_("TEXT") },
    { "txt", 0, 0, G_OPTION_ARG_FILENAME, &arguments->txt, N_("Write the text to a file"), N_("FILE") },
    { "srt", 0, 0, G_OPTION_ARG_FILENAME, &arguments->srt, N_("Write subtitles (SubRip); “-”: to standard output"), N_("FILE") },
    { "vtt", 0, 0, G_OPTION_ARG_FILENAME, &arguments->vtt, N_("Write subtitles (WebVTT); “-”: to standard output"), N_("FILE") },
    { "fresh", 0, 0, G_OPTION_ARG_NONE, &arguments->fresh, N_("Do not go on from where an earlier run was stopped"), NULL },
    G_OPTION_ENTRY_NULL
  };

  options_init (&arguments->options);
  if (!options_parse (&arguments->options, OPTIONS_MODEL | OPTIONS_SAMPLING | OPTIONS_JSON, N_("FILE…"),
                      N_("Writes down what is said in recordings of any length. With --json one object a line."), entries, argc, argv))
    return FALSE;
  if (*argc < 2)
    options_complain (g_get_prgname (), "%s", _("name at least one recording"));
  else if (*argc > 2 && (arguments->txt != NULL || arguments->srt != NULL || arguments->vtt != NULL))
    options_complain (g_get_prgname (), "%s", _("--txt, --srt and --vtt take one recording"));
  else if (to_stdout (arguments->srt) + to_stdout (arguments->vtt) + arguments->options.json > 1)
    options_complain (g_get_prgname (), "%s", _("only one of --json, --srt - and --vtt - can have standard output"));
  else
    return TRUE;
  return FALSE;
}

int
command_transcribe (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .txt = NULL };
  FacetCancel cancel = { 0 };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (FacetSession) session = NULL;
  int status;

  if (!parse_arguments (&arguments, &argc, &argv))
    return EXIT_USAGE;
  status = options_open_model (&arguments.options, &cancel, &model);
  if (status != EXIT_OK)
    return status;
  if (!facet_model_accepts_audio (model)) {
    media_report_lack (model, TRUE);
    return EXIT_FAILED;
  }
  session = options_new_session (&arguments.options, model);
  if (session == NULL)
    return EXIT_FAILED;
  for (int i = 1; i < argc && status != EXIT_INTERRUPTED; i++) {
    int one;

    if (argc > 2 && prints_text (&arguments))
      printf ("%s:\n", argv[i]);
    one = do_file (&arguments, model, session, argv[i], &cancel);
    status = one != EXIT_OK ? one : status;
  }
  return status;
}
