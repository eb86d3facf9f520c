#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "call-runner.h"
#include "chat-arguments.h"
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
finish_answer (const ChatArguments *arguments, FacetModel *model, const FacetReply *reply)
{
  print_end (reply->text);
  if (!arguments->quiet)
    print_why_stopped (reply->stop_reason);
  if (arguments->stats)
    print_stats (model, &reply->stats);
}

static void
introduce_base_model (const FacetModelInfo *info)
{
  if (info->parameters < SMALL_MODEL)
    fprintf (stderr, "%s\n",
             _("Note: this is a small base model for trying things out. It was not taught to follow instructions: short questions work best, and answers are often wrong."));
  else
    fprintf (stderr, "%s\n", _("Note: this is a base model. It was not taught to follow instructions; the “it” variants are."));
}

static void
hint_at_transcripts (const ChatArguments *arguments, const GError *error)
{
  if (arguments->sounds != NULL && g_error_matches (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL))
    fprintf (stderr, "%s\n",
             _("A long recording takes much of the context. “facet-cli transcribe” writes it down piece by piece; --attach lets you talk about that text."));
}

static int
answer_once (const ChatArguments *arguments, FacetModel *model, Conversation *conversation, FacetCancel *cancel)
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

static void
complain_of (const char *line)
{
  g_autoptr (GString) safe = g_string_new (NULL);

  report_append_safe (safe, line, strlen (line));
  fprintf (stderr, _("There is no command %s.\n"), safe->str);
}

/* Whether to go on. */
static gboolean
obey (const char *line, ChatArguments *arguments, Conversation *conversation)
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
      complain_of (line);
    print_commands ();
  }
  return TRUE;
}

static void
report_turn_error (const ChatArguments *arguments, const GError *error, Conversation *conversation)
{
  report_error (error);
  hint_at_transcripts (arguments, error);
  if (g_error_matches (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL))
    fprintf (stderr, _("The conversation and this message need more than the %d tokens there is room for; the message was not sent. /clear starts anew.\n"),
             conversation_context (conversation));
  if (conversation_has_files (conversation))
    fprintf (stderr, "%s\n", _("What you attached goes with your next message. /clear forgets it."));
}

static void
greet (FacetModel *model)
{
  g_autofree char *name = report_one_line (facet_model_get_info (model)->name), *backend = report_one_line (facet_model_backend_name (model));

  fprintf (stderr, _("%s, on %s. /help shows what there is; Ctrl-D leaves.\n"), name, backend);
}

static int
talk (ChatArguments *arguments, FacetModel *model, Conversation *conversation, FacetCancel *cancel)
{
  g_autoptr (LineReader) reader = line_reader_new ();
  gboolean leaving = FALSE;
  int status = EXIT_OK;

  if (line_reader_is_terminal (reader) && !arguments->quiet)
    greet (model);
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
      if (g_error_matches (error, FACET_ERROR, FACET_ERROR_CHANGED))
        return EXIT_FAILED;
      status = line_reader_is_terminal (reader) ? EXIT_OK : EXIT_FAILED;
    }
    report_notice (model);
  }
}

/* The notes that a person should read before the first answer. */
static void
introduce (const ChatArguments *arguments, FacetModel *model)
{
  const FacetModelInfo *info = facet_model_get_info (model);

  if (arguments->quiet)
    return;
  if (info->is_safety)
    fprintf (stderr, "%s\n", _("Note: this is a safety model. It was taught to judge pictures, which score-image asks it to, and not to chat."));
  else if (!info->has_chat_template && !arguments->raw)
    introduce_base_model (info);
  if (arguments->think && info->family != FACET_FAMILY_GEMMA4)
    fprintf (stderr, "%s\n", _("Note: this model cannot think before it answers; Gemma 4 can."));
}

static Conversation *
begin (const ChatArguments *arguments, FacetModel *model, CallRunner *runner, FacetCancel *cancel)
{
  const Options *options = &arguments->options;
  ConversationParams params = {
    .system = arguments->system,
    .how = arguments->raw ? FACET_TEMPLATE_RAW : FACET_TEMPLATE_AUTO,
    .max_tokens = arguments->max_tokens,
    .stop_strings = (const char *const *) arguments->stop_strings,
    .cancel = cancel,
    .on_text = options->json ? NULL : print_text,
    .on_thought = options->json || arguments->quiet ? NULL : print_thought,
    .thinking = arguments->think,
    .tools = runner != NULL ? call_runner_tools (runner) : NULL,
    .tool_choice = arguments->tool_choice,
    .call_form = arguments->call_form,
    .on_call = call_runner_run,
    .call_data = runner,
  };

  return conversation_open (options, model, &params);
}

/* Puts what goes with the first question into @conversation. */
static gboolean
show_files (const ChatArguments *arguments, FacetModel *model, const char *files, Conversation *conversation, FacetCancel *cancel)
{
  g_autoptr (GPtrArray) images = pictures_load (model, arguments->images), sounds = NULL;

  interrupt_guard (cancel);
  if (images != NULL)
    sounds = sounds_load (model, arguments->sounds, cancel);
  interrupt_guard (NULL);
  if (sounds == NULL)
    return FALSE;
  conversation_show (conversation, images, sounds);
  conversation_attach (conversation, files);
  return TRUE;
}

/* With everything read that needs no model. */
static int
chat (ChatArguments *arguments, const char *files, CallRunner *runner, FacetCancel *cancel)
{
  g_autoptr (FacetModel) model = options_load_model (&arguments->options, cancel);
  g_autoptr (Conversation) conversation = NULL;

  if (model != NULL)
    conversation = begin (arguments, model, runner, cancel);
  if (conversation == NULL || !show_files (arguments, model, files, conversation, cancel))
    return facet_is_cancelled (cancel) ? EXIT_INTERRUPTED : EXIT_FAILED;
  introduce (arguments, model);
  return chat_arguments_ask_once (arguments) ? answer_once (arguments, model, conversation, cancel)
                                             : talk (arguments, model, conversation, cancel);
}

int
command_chat (int argc, char **argv)
{
  g_auto (ChatArguments) arguments = { .text = NULL };
  FacetCancel cancel = { 0 };
  g_autoptr (CallRunner) runner = NULL;
  g_autofree char *files = NULL;

  if (!chat_arguments_parse (&arguments, argc, argv))
    return EXIT_USAGE;
  if (chat_arguments_ask_once (&arguments)) {
    gsize length;
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
  }
  interrupt_install ();
  return chat (&arguments, files, runner, &cancel);
}
