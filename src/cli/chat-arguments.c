#include "chat-arguments.h"

#include <glib/gi18n.h>

void
chat_arguments_clear (ChatArguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->text);
  g_free (arguments->file);
  g_free (arguments->system);
  g_strfreev (arguments->stop_strings);
  g_strfreev (arguments->images);
  g_strfreev (arguments->sounds);
  g_strfreev (arguments->attached);
  g_strfreev (arguments->tools);
}

gboolean
chat_arguments_ask_once (const ChatArguments *arguments)
{
  return arguments->text != NULL || arguments->file != NULL;
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
check_tools (ChatArguments *arguments, const char *choice, const char *form)
{
  int choice_index = choose (choice, tool_choices), form_index = choose (form, call_forms);

  if (choice_index < 0)
    options_complain (g_get_prgname (), "%s", _("--tool-choice takes auto or required"));
  else if (form_index < 0)
    options_complain (g_get_prgname (), "%s", _("--call-form takes family, json or lines"));
  else if (arguments->tools == NULL && (choice != NULL || form != NULL))
    options_complain (g_get_prgname (), "%s", _("--tool-choice and --call-form need --tools"));
  else if (arguments->tools != NULL && arguments->raw)
    options_complain (g_get_prgname (), "%s", _("--tools needs a chat template; it does not go with --raw"));
  else {
    arguments->tool_choice = choice_index;
    arguments->call_form = form_index;
    return TRUE;
  }
  return FALSE;
}

gboolean
chat_arguments_parse (ChatArguments *arguments, int argc, char **argv)
{
  g_autofree char *choice = NULL, *form = NULL;
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
    { "tool-choice", 0, 0, G_OPTION_ARG_STRING, &choice, N_("auto: the model decides, required: it must call a tool first"), N_("CHOICE") },
    { "call-form", 0, 0, G_OPTION_ARG_STRING, &form, N_("How calls are written: family, json or lines"), N_("FORM") },
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
  if (arguments->options.json && !chat_arguments_ask_once (arguments)) {
    options_complain (g_get_prgname (), "%s", _("--json needs -p or -f"));
    return FALSE;
  }
  return check_tools (arguments, choice, form);
}
