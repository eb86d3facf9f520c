#include "call-runner.h"

#include "facet-toolbox.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "input.h"
#include "report.h"

struct CallRunner {
  FacetToolbox *toolbox;
  FacetCancel  *cancel;
  gboolean      quiet;
};

static FacetToolbox *
load (const char *name, GError **error)
{
  return g_str_equal (name, "builtin") ? facet_toolbox_new_builtin () : facet_toolbox_new_from_file (name, error);
}

static FacetToolbox *
load_all (const char *const *names, GError **error)
{
  FacetToolbox *all = load (*names, error);

  while (all != NULL && *++names != NULL) {
    g_autoptr (FacetToolbox) before = all;
    g_autoptr (FacetToolbox) more = load (*names, error);

    all = more != NULL ? facet_toolbox_new_joined (before, more, error) : NULL;
  }
  return all;
}

CallRunner *
call_runner_new (const char *const *names, FacetCancel *cancel, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  FacetToolbox *toolbox = load_all (names, &error);
  CallRunner *runner;

  if (toolbox == NULL) {
    report_sentence (_("%s: the tools cannot be used: %s\n"), g_get_prgname (), error->message);
    return NULL;
  }
  runner = g_new (CallRunner, 1);
  *runner = (CallRunner){ toolbox, cancel, quiet };
  return runner;
}

void
call_runner_free (CallRunner *runner)
{
  facet_toolbox_unref (runner->toolbox);
  g_free (runner);
}

GPtrArray *
call_runner_tools (CallRunner *runner)
{
  return facet_toolbox_tools (runner->toolbox);
}

static void
print_safe (const char *text)
{
  g_autoptr (GString) safe = g_string_new (NULL);

  report_append_safe (safe, text, strlen (text));
  fputs (safe->str, stderr);
}

/* Only a typed yes is one. */
static gboolean
ask (const char *question)
{
  g_autoptr (GString) line = g_string_new (NULL);

  if (!isatty (STDIN_FILENO) || !isatty (STDERR_FILENO)) {
    print_safe (question);
    fprintf (stderr, " %s\n", _("Refused, since there is no terminal to ask at."));
    return FALSE;
  }
  print_safe (question);
  fprintf (stderr, " %s ", _("Allow it? [y/N]"));
  if (input_line (line) != INPUT_READ) {
    fputc ('\n', stderr);
    return FALSE;
  }
  g_strstrip (line->str);
  /* Translators: what a person types for yes, as in “[y/N]”. */
  return g_ascii_strcasecmp (line->str, "y") == 0 || g_ascii_strcasecmp (line->str, "yes") == 0
         || g_utf8_collate (line->str, C_("answer", "y")) == 0;
}

char *
call_runner_run (const FacetCall *call, gpointer data)
{
  CallRunner *runner = data;
  g_autofree char *question = facet_toolbox_question (runner->toolbox, call);
  g_autoptr (GError) error = NULL;
  char *result;

  report_progress_end ();
  fflush (stdout);
  if (!runner->quiet) {
    g_autofree char *shown = g_strdup_printf ("[%s %s]\n", call->name, call->arguments);

    print_safe (shown);
  }
  if (question != NULL && !ask (question))
    return g_strdup (FACET_TOOLBOX_DENIED);
  result = facet_toolbox_run (runner->toolbox, call, runner->cancel, &error);
  return result != NULL ? result : g_strdup_printf ("Error: %s", error->message);
}
