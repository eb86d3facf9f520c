#include "config.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "facet-locale.h"
#include "options.h"
#include "print.h"
#include "report.h"

typedef struct {
  const char *name;
  int         (*run) (int argc, char **argv);
  const char *what;
} Command;

static const Command commands[] = {
  { "chat", command_chat, N_("talk with a model, or ask it once") },
  { "transcribe", command_transcribe, N_("write down what is said in recordings, or translate it") },
  { "summarise", command_summarise, N_("summarise texts and recordings of any length") },
  { "translate", command_translate, N_("translate a text") },
  { "describe", command_describe, N_("say what pictures show") },
  { "chats", command_chats, N_("list or export the chats of the window") },
  { "encode", command_encode, N_("turn a picture or a sound into the soft tokens that the model sees") },
  { "tokenize", command_tokenize, N_("show the tokens that a text becomes") },
  { "score", command_score, N_("show how likely a model finds a text") },
  { "score-image", command_score_image, N_("ask a safety model whether a picture violates a policy") },
  { "bench", command_bench, N_("measure how fast a model runs here") },
  { "inspect", command_inspect, N_("show the metadata and the tensors of a GGUF file") },
  { "slice", command_slice, N_("cut a smaller model out of one that holds several") },
  { "devices", command_devices, N_("show what models can run on") },
  { "logits", command_logits, N_("write what a model computes, for checking") },
};

static void
print_help (FILE *to)
{
  fprintf (to, "%s\n\n%s\n", _("Usage: facet-cli COMMAND [OPTION…]"),
           _("A private, local assistant in the terminal. Nothing leaves this machine."));
  fprintf (to, "\n%s\n", _("Commands:"));
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (to, "  %-11s %s\n", commands[i].name, _(commands[i].what));
  fprintf (to, "\n%s\n%s\n", _("“facet-cli COMMAND --help” shows the options of a command."),
           _("Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."));
}

/* Output that was lost is a failure of whatever was done. */
static int
finish (int status)
{
  g_autoptr (GError) error = NULL;

  if (status != EXIT_OK || print_check (&error))
    return status;
  report_error (error);
  return EXIT_FAILED;
}

static int
run (int argc, char *argv[])
{
  if (argc < 2) {
    print_help (stderr);
    return EXIT_USAGE;
  }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "help")) {
    print_help (stdout);
    return EXIT_OK;
  }
  if (g_str_equal (argv[1], "--version")) {
    printf ("facet-cli %s\n", FACET_VERSION);
    return EXIT_OK;
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (argv[1], commands[i].name))
      return commands[i].run (argc - 1, argv + 1);
  options_complain ("facet-cli", _("there is no command “%s”"), argv[1]);
  return EXIT_USAGE;
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "");
  if (!g_str_equal (nl_langinfo (CODESET), "UTF-8"))
    setlocale (LC_CTYPE, "C.UTF-8"); /* models speak UTF-8, and so do today's terminals */
  facet_locale_bind ();
  signal (SIGXFSZ, SIG_IGN); /* writing fails and is reported */
  return finish (run (argc, argv));
}
