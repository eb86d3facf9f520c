#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "commands.h"

#define QUIET_US (400 * 1000)     /* shorter work shows no progress */
#define REFRESH_US (100 * 1000)

static struct {
  FacetPhase phase;
  gint64     since;
  gint64     shown;
  gboolean   visible;
} progress;

static const char *
error_sentence (FacetErrorCode code)
{
  switch (code) {
  case FACET_ERROR_IO:
    return _("The file could not be read.");
  case FACET_ERROR_NOT_A_MODEL:
    return _("This file is not a GGUF model.");
  case FACET_ERROR_CORRUPT:
    return _("This model file is damaged. Fetch it again.");
  case FACET_ERROR_UNSUPPORTED:
    return _("Facet cannot run this model.");
  case FACET_ERROR_MISSING:
    return _("This model file is incomplete.");
  case FACET_ERROR_NO_MEMORY:
    return _("There is not enough memory. A smaller context (--ctx), --kv q8_0 or a smaller model needs less.");
  case FACET_ERROR_CONTEXT_FULL:
    return _("The text does not fit the context. A larger one (--ctx) or a shorter text would do.");
  case FACET_ERROR_CANCELLED:
    return _("Stopped.");
  case FACET_ERROR_INVALID:
    return _("This cannot be done as asked.");
  case FACET_ERROR_MEDIA:
    return _("The picture or sound could not be decoded.");
  case FACET_ERROR_NO_ENCODER:
    return _("This model cannot see or hear without a fitting projector (--mmproj).");
  case FACET_ERROR_DEVICE:
    return _("No graphics device works here. --backend cpu needs none.");
  case FACET_ERROR_NUMERIC:
    return _("The model computed values that are no numbers. The file may be damaged.");
  case FACET_ERROR_CHANGED:
    return _("The model file changed while it was in use. Start again to use it as it is now.");
  }
  return _("Something went wrong.");
}

/* The character itself, or one that shows it. */
static gunichar
visible (gunichar c)
{
  if (c < 0x20)
    return 0x2400 + c;
  if (c == 0x7f)
    return 0x2421;
  return c >= 0x80 && c < 0xa0 ? 0xfffd : c;
}

void
report_append_safe (GString *out, const char *text, gsize length)
{
  for (const char *at = text; at < text + length; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    g_string_append_unichar (out, c == '\n' || c == '\t' ? c : visible (c));
  }
}

#define POP_ISOLATE 0x2069

static gboolean
is_isolate (gunichar c)
{
  return c >= 0x2066 && c <= POP_ISOLATE;
}

/* Translations from right to left keep names apart with these. Where each one
 * that is opened is closed, they turn nothing outside. */
static gboolean
closes_isolates (const char *text)
{
  int open = 0;

  for (const char *at = text; *at != '\0' && open >= 0; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (is_isolate (c))
      open += c == POP_ISOLATE ? -1 : 1;
  }
  return open == 0;
}

/* Embeddings and overrides: a name could make the sentence around it read otherwise. */
static gboolean
turns_direction (gunichar c)
{
  return c >= 0x202a && c <= 0x202e;
}

char *
report_one_line (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  gboolean isolates = closes_isolates (valid);
  GString *out = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    g_string_append_unichar (out, turns_direction (c) || (is_isolate (c) && !isolates) ? 0xfffd : visible (c));
  }
  return g_string_free (out, FALSE);
}

void
report_sentence (const char *format, ...)
{
  g_autofree char *sentence = NULL, *shown = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  if (g_str_has_suffix (sentence, "\n"))
    sentence[strlen (sentence) - 1] = '\0';
  shown = report_one_line (sentence);
  g_printerr ("%s\n", shown);
}

void
report_error (const GError *error)
{
  g_autofree char *message = report_one_line (error->message);

  report_progress_end ();
  if (error->domain == FACET_ERROR)
    g_printerr ("%s: %s\n  %s\n", g_get_prgname (), error_sentence (error->code), message);
  else
    g_printerr ("%s: %s\n", g_get_prgname (), message);
}

void
report_notice (FacetModel *model)
{
  int layers, on_cpu = facet_model_split (model, &layers);

  switch (facet_model_take_notice (model)) {
  case FACET_NOTICE_CPU_INSTEAD:
    g_printerr ("%s\n", _("The graphics device cannot run this model; the processor does."));
    break;
  case FACET_NOTICE_DEVICE_LOST:
    g_printerr ("%s\n", _("The graphics device failed; the processor went on from there."));
    break;
  case FACET_NOTICE_SPLIT:
    g_printerr (_("The graphics device has no room for the whole model: the processor computes %d of %d layers.\n"), on_cpu, layers);
    break;
  case FACET_NOTICE_NONE:
    break;
  }
}

int
report_status (const GError *error)
{
  return g_error_matches (error, FACET_ERROR, FACET_ERROR_CANCELLED) ? EXIT_INTERRUPTED : EXIT_FAILED;
}

static const char *
phase_name (FacetPhase phase)
{
  switch (phase) {
  case FACET_PHASE_LOAD:
    return _("Loading the model");
  case FACET_PHASE_ENCODE_IMAGE:
    return _("Looking at the picture");
  case FACET_PHASE_ENCODE_AUDIO:
    return _("Listening");
  case FACET_PHASE_PREFILL:
    return _("Reading");
  case FACET_PHASE_WRITE:
    return _("Writing the file");
  case FACET_PHASE_DECODE:
    break;
  }
  return NULL;
}

void
report_progress (FacetPhase phase, guint64 done, guint64 total, gpointer user_data)
{
  gint64 now = g_get_monotonic_time ();

  if (progress.since == 0 || phase != progress.phase) {
    report_progress_end ();
    progress.phase = phase;
    progress.since = now;
  }
  if (phase == FACET_PHASE_DECODE || total == 0 || now - progress.since < QUIET_US
      || now - progress.shown < REFRESH_US || !isatty (STDERR_FILENO))
    return;
  progress.shown = now;
  progress.visible = TRUE;
  fprintf (stderr, "\r\033[K%s … %3.0f %%", phase_name (phase), 100.0 * done / total);
  fflush (stderr);
}

void
report_progress_end (void)
{
  if (progress.visible) {
    fputs ("\r\033[K", stderr);
    fflush (stderr);
  }
  progress.visible = FALSE;
  progress.since = 0;
}

char *
report_bytes (guint64 bytes)
{
  return g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
}
