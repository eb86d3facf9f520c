#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "conversation.h"
#include "interrupt.h"
#include "json.h"
#include "mode-prompt.h"
#include "print.h"
#include "report.h"

typedef struct {
  Options  options;
  char    *language;
  char    *text;
  char    *file;
  int      max_tokens;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->language);
  g_free (arguments->text);
  g_free (arguments->file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* The translation as it is told. */
typedef struct {
  GString *text;
  gboolean print;
} Output;

static void
put (const char *text, gsize length, gpointer user_data)
{
  Output *output = user_data;

  g_string_append_len (output->text, text, length);
  if (output->print)
    print_text (text, length, NULL);
}

/* The end of the paragraph that begins at @text; empty lines end one. */
static const char *
paragraph_end (const char *text)
{
  const char *at = text;

  while ((at = strchr (at, '\n')) != NULL) {
    const char *next = at + 1;

    while (*next == ' ' || *next == '\t' || *next == '\r')
      next++;
    if (*next == '\n' || *next == '\0')
      return at;
    at++;
  }
  return text + strlen (text);
}

static int
translate_paragraph (const Arguments *arguments, Conversation *conversation, const char *text, gsize length, FacetCancel *cancel)
{
  g_autofree char *words = g_strndup (text, length);
  g_autofree char *prompt = mode_prompt ("translate", arguments->language, words, FALSE);
  g_auto (FacetReply) reply = { .text = NULL };
  g_autoptr (GError) error = NULL;
  gboolean answered;

  conversation_clear (conversation);
  interrupt_guard (cancel);
  answered = conversation_ask (conversation, prompt, &reply, &error);
  interrupt_guard (NULL);
  if (!answered) {
    report_error (error);
    return report_status (error);
  }
  print_why_stopped (reply.stop_reason);
  return reply.stop_reason == FACET_STOP_CANCELLED ? EXIT_INTERRUPTED : EXIT_OK;
}

/* Paragraph by paragraph, so that a text may be longer than the context; what
 * lies between them stays as it is. */
static int
translate (const Arguments *arguments, Conversation *conversation, Output *output, FacetCancel *cancel)
{
  const char *at = arguments->text;
  int status = EXIT_OK;

  while (*at != '\0' && status == EXIT_OK) {
    const char *start = at + strspn (at, " \t\r\n"), *end = paragraph_end (start);

    if (*start == '\0')
      break;
    put (at, start - at, output);
    status = translate_paragraph (arguments, conversation, start, end - start, cancel);
    at = end;
  }
  return status;
}

static void
print_json (const Arguments *arguments, const char *text)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_string (json, "text", text, -1);
  json_string (json, "language", arguments->language, -1);
  json_close (json, '}');
  json_print (json);
}

static gboolean
parse_arguments (Arguments *arguments, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "to", 0, 0, G_OPTION_ARG_STRING, &arguments->language, N_("Language to translate into: “German”, “中文”"), N_("LANGUAGE") },
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &arguments->text, N_("The text"), N_("TEXT") },
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &arguments->file, N_("A file with the text; “-” or nothing at all: standard input"), N_("FILE") },
    { "max-tokens", 'n', 0, G_OPTION_ARG_INT, &arguments->max_tokens, N_("Longest translation of a paragraph in tokens; 0: until the context is full"), N_("N") },
    G_OPTION_ENTRY_NULL
  };

  options_init (&arguments->options);
  if (!options_parse (&arguments->options, OPTIONS_MODEL | OPTIONS_SAMPLING | OPTIONS_JSON, N_("[TEXT…]"),
                      N_("Translates a text, paragraph by paragraph."), entries, argc, argv))
    return FALSE;
  if (*argc > 1 && arguments->text != NULL) {
    options_complain (g_get_prgname (), _("unexpected argument “%s”"), (*argv)[1]);
    return FALSE;
  }
  if (*argc > 1)
    arguments->text = g_strjoinv (" ", *argv + 1);
  if (arguments->text == NULL && arguments->file == NULL)
    arguments->file = g_strdup ("-");
  if (arguments->language == NULL || arguments->language[0] == '\0')
    options_complain (g_get_prgname (), "%s", _("name the language with --to"));
  else if (arguments->max_tokens < 0)
    options_complain (g_get_prgname (), "%s", _("-n must not be negative"));
  else
    return TRUE;
  return FALSE;
}

int
command_translate (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .text = NULL };
  FacetCancel cancel = { 0 };
  g_autoptr (GString) text = g_string_new (NULL);
  Output output = { text, FALSE };
  ConversationParams params = { .cancel = &cancel, .on_text = put, .user_data = &output };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (Conversation) conversation = NULL;
  gsize length;
  int status;

  if (!parse_arguments (&arguments, &argc, &argv))
    return EXIT_USAGE;
  output.print = !arguments.options.json;
  status = options_read_text (&arguments.text, arguments.file, &length);
  if (status != EXIT_OK)
    return status;
  status = options_open_model (&arguments.options, &cancel, &model);
  if (status != EXIT_OK)
    return status;

  params.max_tokens = arguments.max_tokens;
  conversation = conversation_open (&arguments.options, model, &params);
  if (conversation == NULL)
    return EXIT_FAILED;
  status = translate (&arguments, conversation, &output, &cancel);
  if (status == EXIT_FAILED)
    return status;
  if (arguments.options.json)
    print_json (&arguments, text->str);
  else
    print_end (text->str);
  return status;
}
