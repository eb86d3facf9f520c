#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "call-runner.h"
#include "commands.h"
#include "conversation.h"
#include "interrupt.h"
#include "json.h"
#include "line-reader.h"
#include "pictures.h"
#include "print.h"
#include "report.h"
#include "sounds.h"
#include "texts.h"

#define SMALL_MODEL G_GUINT64_CONSTANT (1000000000) /* parameters */

typedef struct {
  Options  options;
  char    *text;
  char    *file;
  char    *system;
  char   **stop_strings;
  char   **images;
  char   **sounds;
  char   **attached;
  char   **tools;
  char    *tool_choice;
  char    *call_form;
  int      max_tokens;
  gboolean think;
  gboolean raw;
  gboolean stats;
  gboolean quiet;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->text);
  g_free (arguments->file);
  g_free (arguments->system);
  g_strfreev (arguments->tools);
  g_free (arguments->tool_choice);
  g_free (arguments->call_form);
  g_strfreev (arguments->stop_strings);
  g_strfreev (arguments->images);
  g_strfreev (arguments->sounds);
  g_strfreev (arguments->attached);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static double
rate (int tokens, double seconds)
{
  return tokens > 0 && seconds > 0 ? tokens / seconds : 0;
}

static double
prefill_rate (const FacetStats *stats)
{
  return rate (stats->prompt_tokens - stats->cached_tokens, stats->prefill_seconds);
}

/* decode_seconds runs from the first token to the last. */
static double
decode_rate (const FacetStats *stats)
{
  return rate (stats->generated_tokens - 1, stats->decode_seconds);
}

static void
print_json (FacetModel *model, Conversation *conversation, const FacetReply *reply)
{
  const GPtrArray *steps = conversation_steps (conversation);
  const FacetStats *stats = &reply->stats;
  g_autoptr (GString) json = g_string_new ("{");

  json_string (json, "text", reply->text, -1);
  json_string (json, "thoughts", reply->thoughts, -1);
  json_open (json, "calls", '[');
  for (guint i = 0; i < steps->len; i++) {
    const ConversationStep *step = g_ptr_array_index (steps, i);

    json_open (json, NULL, '{');
    json_string (json, "name", step->name, -1);
    json_value (json, "arguments", step->arguments);
    json_string (json, "result", step->result, -1);
    json_close (json, '}');
  }
  json_close (json, ']');
  json_open (json, "ids", '[');
  for (guint i = 0; i < reply->ids->len; i++)
    json_integer (json, NULL, g_array_index (reply->ids, gint32, i));
  json_close (json, ']');
  json_string (json, "stop_reason", facet_stop_reason_name (reply->stop_reason), -1);
  json_open (json, "stats", '{');
  json_integer (json, "prompt_tokens", stats->prompt_tokens);
  json_integer (json, "cached_tokens", stats->cached_tokens);
  json_integer (json, "crops", stats->crops);
  json_integer (json, "crop_tokens", stats->crop_tokens);
  json_number (json, "prefill_tokens_per_s", prefill_rate (stats));
  json_integer (json, "generated_tokens", stats->generated_tokens);
  json_number (json, "decode_tokens_per_s", decode_rate (stats));
  json_number (json, "time_to_first_token_ms", stats->first_token_seconds * 1000);
  json_string (json, "backend", facet_model_backend_name (model), -1);
  json_close (json, '}');
  json_close (json, '}');
  json_print (json);
}

static void
print_stats (FacetModel *model, const FacetStats *stats)
{
  fprintf (stderr, _("prompt: %d tokens (%d known already), %.1f tokens/s · answer: %d tokens, %.1f tokens/s · first token after %.0f ms · %s\n"),
           stats->prompt_tokens, stats->cached_tokens, prefill_rate (stats), stats->generated_tokens, decode_rate (stats),
           stats->first_token_seconds * 1000, facet_model_backend_name (model));
  if (stats->crops > 0)
    fprintf (stderr, _("pictures shown in parts, too: %d parts, %d tokens (--pan-and-scan off: none)\n"), stats->crops, stats->crop_tokens);
}

static void
finish_answer (const Arguments *arguments, FacetModel *model, const FacetReply *reply)
{
  print_end (reply->text);
  if (!arguments->quiet)
    print_why_stopped (reply->stop_reason);
  if (arguments->stats)
    print_stats (model, &reply->stats);
}

static void
introduce_base_model (FacetModel *model)
{
  const FacetModelInfo *info = facet_model_get_info (model);

  if (info->parameters < SMALL_MODEL)
    fprintf (stderr, "%s\n",
             _("Note: this is a small base model for trying things out. It was not taught to follow instructions: short questions work best, and answers are often wrong."));
  else
    fprintf (stderr, "%s\n", _("Note: this is a base model. It was not taught to follow instructions; the “it” variants are."));
}

static void
hint_at_transcripts (const Arguments *arguments, const GError *error)
{
  if (arguments->sounds != NULL && g_error_matches (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL))
    fprintf (stderr, "%s\n",
             _("A long recording takes much of the context. “facet-cli transcribe” writes it down piece by piece; --attach lets you talk about that text."));
}

static int
answer_once (const Arguments *arguments, FacetModel *model, Conversation *conversation, FacetCancel *cancel)
{
  g_auto (FacetReply) reply = { .text = NULL };
  g_autoptr (GError) error = NULL;
  gboolean answered;

  interrupt_guard (cancel);
  answered = conversation_ask (conversation, arguments->text, &reply, &error);
  interrupt_guard (NULL);
  if (!answered) {
    report_error (error);
    hint_at_transcripts (arguments, error);
    return report_status (error);
  }
  if (arguments->options.json)
    print_json (model, conversation, &reply);
  else
    finish_answer (arguments, model, &reply);
  report_notice (model);
  return reply.stop_reason == FACET_STOP_CANCELLED ? EXIT_INTERRUPTED : EXIT_OK;
}

static void
print_commands (void)
{
  fputs (_("/clear  forget the conversation\n"
           "/stats  show figures after each answer, or no longer\n"
           "/help   this list\n"
           "/quit   leave (so does Ctrl-D)\n"
           "Ctrl-C stops an answer. A line that ends in \\ goes on in the next one.\n"),
         stderr);
}

/* Whether to go on. */
static gboolean
obey (const char *line, Arguments *arguments, Conversation *conversation)
{
  if (g_str_equal (line, "/quit") || g_str_equal (line, "/exit"))
    return FALSE;
  if (g_str_equal (line, "/clear")) {
    conversation_clear (conversation);
    fprintf (stderr, "%s\n", _("The conversation starts anew."));
  } else if (g_str_equal (line, "/stats")) {
    arguments->stats = !arguments->stats;
    fprintf (stderr, "%s\n", arguments->stats ? _("Figures will be shown.") : _("Figures will not be shown."));
  } else {
    if (!g_str_equal (line, "/help"))
      fprintf (stderr, _("There is no command %s.\n"), line);
    print_commands ();
  }
  return TRUE;
}

static void
report_turn_error (const Arguments *arguments, const GError *error, Conversation *conversation)
{
  report_error (error);
  hint_at_transcripts (arguments, error);
  if (g_error_matches (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL))
    fprintf (stderr, _("The conversation and this message need more than the %d tokens there is room for; the message was not sent. /clear starts anew.\n"),
             conversation_context (conversation));
}

static int
talk (Arguments *arguments, FacetModel *model, Conversation *conversation, FacetCancel *cancel)
{
  g_autoptr (LineReader) reader = line_reader_new ();
  gboolean leaving = FALSE;
  int status = EXIT_OK;

  if (line_reader_is_terminal (reader) && !arguments->quiet)
    fprintf (stderr, _("%s, on %s. /help shows what there is; Ctrl-D leaves.\n"), facet_model_get_info (model)->name,
             facet_model_backend_name (model));
  for (;;) {
    g_autofree char *line = NULL;
    g_auto (FacetReply) reply = { .text = NULL };
    g_autoptr (GError) error = NULL;
    LineResult result = line_reader_read (reader, &line);
    gboolean answered;

    if (result == LINE_END)
      return status;
    if (result == LINE_INTERRUPTED) {
      if (leaving || !line_reader_is_terminal (reader))
        return EXIT_INTERRUPTED;
      leaving = TRUE;
      fprintf (stderr, "%s\n", _("Ctrl-C once more leaves."));
      interrupt_guard (NULL);
      continue;
    }
    leaving = FALSE;
    if (g_strstrip (line)[0] == '\0')
      continue;
    if (line[0] == '/' && line_reader_is_terminal (reader)) {
      if (!obey (line, arguments, conversation))
        return status;
      continue;
    }
    interrupt_guard (cancel);
    answered = conversation_ask (conversation, line, &reply, &error);
    interrupt_guard (NULL);
    if (answered) {
      finish_answer (arguments, model, &reply);
    } else {
      report_turn_error (arguments, error, conversation);
      status = line_reader_is_terminal (reader) ? EXIT_OK : EXIT_FAILED;
    }
    report_notice (model);
  }
}

/* The index of @given among @names, 0 if it was not given, -1 if it is none. */
static int
choose (const char *given, const char *const *names)
{
  for (int i = 0; names[i] != NULL; i++)
    if (given == NULL || g_str_equal (given, names[i]))
      return i;
  return -1;
}

static const char *const tool_choices[] = { "auto", "required", NULL };
static const char *const call_forms[] = { "family", "json", "lines", NULL };

static gboolean
check_tools (const Arguments *arguments)
{
  if (choose (arguments->tool_choice, tool_choices) < 0)
    options_complain (g_get_prgname (), "%s", _("--tool-choice takes auto or required"));
  else if (choose (arguments->call_form, call_forms) < 0)
    options_complain (g_get_prgname (), "%s", _("--call-form takes family, json or lines"));
  else if (arguments->tools == NULL && (arguments->tool_choice != NULL || arguments->call_form != NULL))
    options_complain (g_get_prgname (), "%s", _("--tool-choice and --call-form need --tools"));
  else if (arguments->tools != NULL && arguments->raw)
    options_complain (g_get_prgname (), "%s", _("--tools needs a chat template; it does not go with --raw"));
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse_arguments (Arguments *arguments, int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &arguments->text, N_("Answer this once and leave"), N_("TEXT") },
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &arguments->file, N_("Answer what this file says; “-” reads standard input"), N_("FILE") },
    { "system", 0, 0, OPTIONS_ARG_BYTES, &arguments->system, N_("Instructions that hold for the whole conversation"), N_("TEXT") },
    { "image", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->images, N_("Picture to talk about; may be given several times. “<image>” in the text says where it stands"), N_("FILE") },
    { "audio", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->sounds, N_("Sound to talk about; may be given several times. “<audio>” in the text says where it stands"), N_("FILE") },
    { "attach", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->attached, N_("Text file to talk about, such as a transcript; may be given several times"), N_("FILE") },
    { "max-tokens", 'n', 0, G_OPTION_ARG_INT, &arguments->max_tokens, N_("Longest answer in tokens; 0: until the context is full"), N_("N") },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &arguments->raw, N_("No chat template: the model goes on with the text as it is"), NULL },
    { "stop", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments->stop_strings, N_("End the answer before this text; may be given several times"), N_("TEXT") },
    { "think", 0, 0, G_OPTION_ARG_NONE, &arguments->think, N_("Let the model think before it answers, if it can; thoughts are shown apart"), NULL },
    { "tools", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->tools, N_("Offer tools: “builtin”, or those that a JSON file describes; may be given several times"), N_("FILE") },
    { "tool-choice", 0, 0, G_OPTION_ARG_STRING, &arguments->tool_choice, N_("auto: the model decides, required: it must call a tool first"), N_("CHOICE") },
    { "call-form", 0, 0, G_OPTION_ARG_STRING, &arguments->call_form, N_("How calls are written: family, json or lines"), N_("FORM") },
    { "stats", 0, 0, G_OPTION_ARG_NONE, &arguments->stats, N_("Show figures after each answer"), NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &arguments->quiet, N_("Show nothing but answers and errors"), NULL },
    G_OPTION_ENTRY_NULL
  };

  options_init (&arguments->options);
  if (!options_parse (&arguments->options, OPTIONS_MODEL | OPTIONS_SAMPLING | OPTIONS_JSON, NULL,
                      N_("Talks with the model. Without -p or -f: a conversation, line by line."), entries, &argc, &argv))
    return FALSE;
  if (arguments->max_tokens < 0) {
    options_complain (g_get_prgname (), "%s", _("-n must not be negative"));
    return FALSE;
  }
  if (arguments->options.json && arguments->text == NULL && arguments->file == NULL) {
    options_complain (g_get_prgname (), "%s", _("--json needs -p or -f"));
    return FALSE;
  }
  return check_tools (arguments);
}

int
command_chat (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .text = NULL };
  FacetCancel cancel = { 0 };
  ConversationParams params = { .cancel = &cancel };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (Conversation) conversation = NULL;
  g_autoptr (CallRunner) runner = NULL;
  g_autoptr (GPtrArray) images = NULL, sounds = NULL;
  g_autofree char *files = NULL;
  g_autoptr (GError) error = NULL;
  gboolean once;
  gsize length;

  if (!parse_arguments (&arguments, argc, argv))
    return EXIT_USAGE;
  once = arguments.text != NULL || arguments.file != NULL;
  if (once) {
    int status = options_read_text (&arguments.text, arguments.file, &length);

    if (status != EXIT_OK)
      return status;
  }
  files = texts_load (arguments.attached);
  if (files == NULL)
    return EXIT_FAILED;
  if (arguments.tools != NULL) {
    runner = call_runner_new ((const char *const *) arguments.tools, &cancel, arguments.quiet);
    if (runner == NULL)
      return EXIT_FAILED;
    params.tools = call_runner_tools (runner);
    params.on_call = call_runner_run;
    params.call_data = runner;
  }
  interrupt_install ();
  model = options_load_model (&arguments.options, &cancel);
  if (model == NULL)
    return facet_is_cancelled (&cancel) ? EXIT_INTERRUPTED : EXIT_FAILED;
  images = pictures_load (model, arguments.images);
  interrupt_guard (&cancel);
  sounds = images != NULL ? sounds_load (model, arguments.sounds, &cancel) : NULL;
  interrupt_guard (NULL);
  if (sounds == NULL)
    return facet_is_cancelled (&cancel) ? EXIT_INTERRUPTED : EXIT_FAILED;
  if (!facet_model_get_info (model)->has_chat_template && !arguments.raw && !arguments.quiet)
    introduce_base_model (model);

  if (arguments.think && facet_model_get_info (model)->family != FACET_FAMILY_GEMMA4 && !arguments.quiet)
    fprintf (stderr, "%s\n", _("Note: this model cannot think before it answers; Gemma 4 can."));

  params.system = arguments.system;
  params.thinking = arguments.think;
  params.tool_choice = choose (arguments.tool_choice, tool_choices);
  params.call_form = choose (arguments.call_form, call_forms);
  params.how = arguments.raw ? FACET_TEMPLATE_RAW : FACET_TEMPLATE_AUTO;
  params.pan_and_scan = arguments.options.pan_and_scan;
  params.kv_type = arguments.options.kv_type;
  params.context = arguments.options.context;
  params.max_tokens = arguments.max_tokens;
  params.stop_strings = (const char *const *) arguments.stop_strings;
  params.sampling = options_sampling (&arguments.options, model);
  params.on_text = arguments.options.json ? NULL : print_text;
  params.on_thought = arguments.options.json || arguments.quiet ? NULL : print_thought;
  conversation = conversation_new (model, &params, &error);
  if (conversation == NULL) {
    report_error (error);
    return EXIT_FAILED;
  }
  conversation_show (conversation, images, sounds);
  conversation_attach (conversation, files);
  return once ? answer_once (&arguments, model, conversation, &cancel) : talk (&arguments, model, conversation, &cancel);
}
