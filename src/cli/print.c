#include "print.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "report.h"

void
print_text (const char *text, gsize length, gpointer user_data)
{
  report_progress_end ();
  if (isatty (STDOUT_FILENO)) {
    g_autoptr (GString) safe = g_string_new (NULL);

    report_append_safe (safe, text, length);
    fwrite (safe->str, 1, safe->len, stdout);
  } else {
    fwrite (text, 1, length, stdout);
  }
  fflush (stdout);
}

void
print_end (const char *text)
{
  if (!g_str_has_suffix (text, "\n"))
    fputc ('\n', stdout);
  fflush (stdout);
}

gboolean
print_check (GError **error)
{
  int reason;

  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  reason = errno;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (reason), _("%s cannot be written: %s"), _("standard output"), g_strerror (reason));
  return FALSE;
}

void
print_thought (const char *text, gsize length, gpointer user_data)
{
  g_autoptr (GString) safe = g_string_new (NULL);
  gboolean dim = isatty (STDERR_FILENO);

  report_progress_end ();
  fflush (stdout);
  report_append_safe (safe, text, length);
  fprintf (stderr, "%s%s%s", dim ? "\033[2m" : "", safe->str, dim ? "\033[0m" : "");
}

static const char *
why_stopped (FacetStopReason reason)
{
  switch (reason) {
  case FACET_STOP_EOS:
    break;
  case FACET_STOP_LENGTH:
    return _("[the answer reached the length set with -n]");
  case FACET_STOP_CONTEXT:
    return _("[the context is full; --ctx makes it larger]");
  case FACET_STOP_CANCELLED:
    return _("[stopped]");
  case FACET_STOP_LOOP:
    return _("[stopped: the answer was repeating itself]");
  }
  return NULL;
}

void
print_why_stopped (FacetStopReason reason)
{
  const char *why = why_stopped (reason);

  if (why != NULL)
    fprintf (stderr, "%s\n", why);
}
