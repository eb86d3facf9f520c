#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "conversation.h"
#include "interrupt.h"
#include "json.h"
#include "mode-prompt.h"
#include "pictures.h"
#include "print.h"
#include "report.h"

typedef struct {
  Options  options;
  char    *words;
  int      max_tokens;
  gboolean chart;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static void
print_json (const char *file, const FacetReply *reply)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_string (json, "file", file, -1);
  json_string (json, "text", reply->text, -1);
  json_string (json, "stop_reason", facet_stop_reason_name (reply->stop_reason), -1);
  json_close (json, '}');
  json_print (json);
}

static int
describe (const Arguments *arguments, Conversation *conversation, const char *file, FacetImage *image, gboolean named, FacetCancel *cancel)
{
  g_autofree char *prompt = mode_prompt (arguments->chart ? "chart" : "describe", NULL, arguments->words, FALSE);
  g_autoptr (GPtrArray) images = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_image_unref);
  g_autoptr (GPtrArray) sounds = g_ptr_array_new ();
  g_auto (FacetReply) reply = { .text = NULL };
  g_autoptr (GError) error = NULL;
  gboolean answered;

  g_ptr_array_add (images, facet_image_ref (image));
  if (named && !arguments->options.json) {
    g_autofree char *shown = report_one_line (file);

    printf ("%s:\n", shown);
  }
  conversation_clear (conversation);
  conversation_show (conversation, images, sounds);
  interrupt_guard (cancel);
  answered = conversation_ask (conversation, prompt, &reply, &error);
  interrupt_guard (NULL);
  if (!answered) {
    report_error (error);
    return report_status (error);
  }
  if (arguments->options.json) {
    print_json (file, &reply);
  } else {
    print_end (reply.text);
    print_why_stopped (reply.stop_reason);
  }
  return reply.stop_reason == FACET_STOP_CANCELLED ? EXIT_INTERRUPTED : EXIT_OK;
}

static gboolean
parse_arguments (Arguments *arguments, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &arguments->words, N_("What to look at in particular"), N_("TEXT") },
    { "chart", 0, 0, G_OPTION_ARG_NONE, &arguments->chart, N_("The pictures are charts: give their values and trends"), NULL },
    { "max-tokens", 'n', 0, G_OPTION_ARG_INT, &arguments->max_tokens, N_("Longest answer in tokens; 0: until the context is full"), N_("N") },
    G_OPTION_ENTRY_NULL
  };

  options_init (&arguments->options);
  if (!options_parse (&arguments->options, OPTIONS_MODEL | OPTIONS_SAMPLING | OPTIONS_JSON, N_("PICTURE…"),
                      N_("Says what each picture shows. With --json one object a line."), entries, argc, argv))
    return FALSE;
  if (*argc < 2)
    options_complain (g_get_prgname (), "%s", _("name at least one picture"));
  else if (arguments->max_tokens < 0)
    options_complain (g_get_prgname (), "%s", _("-n must not be negative"));
  else
    return TRUE;
  return FALSE;
}

int
command_describe (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .words = NULL };
  FacetCancel cancel = { 0 };
  ConversationParams params = { .cancel = &cancel };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (Conversation) conversation = NULL;
  g_autoptr (GPtrArray) images = NULL;
  int status;

  if (!parse_arguments (&arguments, &argc, &argv))
    return EXIT_USAGE;
  status = options_open_model (&arguments.options, &cancel, &model);
  if (status != EXIT_OK)
    return status;
  images = pictures_load (model, argv + 1);
  if (images == NULL)
    return EXIT_FAILED;

  params.max_tokens = arguments.max_tokens;
  params.on_text = arguments.options.json ? NULL : print_text;
  conversation = conversation_open (&arguments.options, model, &params);
  if (conversation == NULL)
    return EXIT_FAILED;
  for (guint i = 0; i < images->len && status == EXIT_OK; i++)
    status = describe (&arguments, conversation, argv[i + 1], g_ptr_array_index (images, i), images->len > 1, &cancel);
  return status;
}
