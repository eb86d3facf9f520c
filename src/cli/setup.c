#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "report.h"

/* Longer than any context can hold. */
#define MAX_TEXT (256u << 20)

static gboolean
read_stream (FILE *stream, const char *name, char **text, gsize *length)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char block[65536];
  size_t got;

  while ((got = fread (block, 1, sizeof block, stream)) > 0 && all->len <= MAX_TEXT)
    g_string_append_len (all, block, got);
  if (ferror (stream)) {
    report_sentence (_("%s: %s cannot be read: %s\n"), g_get_prgname (), name, g_strerror (errno));
    return FALSE;
  }
  if (all->len > MAX_TEXT) {
    report_sentence (_("%s: %s is longer than any model can read\n"), g_get_prgname (), name);
    return FALSE;
  }
  *length = all->len;
  *text = g_string_free (g_steal_pointer (&all), FALSE);
  return TRUE;
}

int
options_read_text (char **text, const char *file, gsize *length)
{
  FILE *stream;
  gboolean done;

  if ((*text == NULL) == (file == NULL)) {
    options_complain (g_get_prgname (), "%s", _("give either a text with -p or a file with -f"));
    return EXIT_USAGE;
  }
  if (*text != NULL) {
    *length = strlen (*text);
    return EXIT_OK;
  }
  if (g_str_equal (file, "-"))
    return read_stream (stdin, _("standard input"), text, length) ? EXIT_OK : EXIT_FAILED;
  stream = fopen (file, "rb");
  if (stream == NULL) {
    report_sentence (_("%s: %s cannot be opened: %s\n"), g_get_prgname (), file, g_strerror (errno));
    return EXIT_FAILED;
  }
  done = read_stream (stream, file, text, length);
  fclose (stream);
  return done ? EXIT_OK : EXIT_FAILED;
}

static gboolean
have_model (const Options *options, const char *command)
{
  if (g_file_test (options->model, G_FILE_TEST_EXISTS))
    return TRUE;
  report_sentence (_("%s: there is no model at %s\n"), command, options->model);
  g_printerr (_("Run ./run in the source folder to fetch the default model, or name one with -m FILE.\n"));
  return FALSE;
}

FacetSampling
options_sampling (const Options *options, FacetModel *model)
{
  FacetSampling sampling = facet_model_default_sampling (model);

  if (options->temperature >= 0)
    sampling.temperature = options->temperature;
  if (options->top_k >= 0)
    sampling.top_k = options->top_k;
  if (options->top_p >= 0)
    sampling.top_p = options->top_p;
  if (options->min_p >= 0)
    sampling.min_p = options->min_p;
  if (options->repeat_penalty >= 0)
    sampling.repeat_penalty = options->repeat_penalty;
  if (options->seed >= 0)
    sampling.seed = options->seed;
  return sampling;
}

static gboolean
fits_context (const Options *options, FacetModel *model)
{
  int limit = (int) facet_model_get_info (model)->context_length;

  if (options->context <= limit)
    return TRUE;
  g_printerr (_("%s: this model has a context of at most %d tokens, --ctx asks for %d\n"), g_get_prgname (), limit, options->context);
  return FALSE;
}

FacetModel *
options_load_model (const Options *options, FacetCancel *cancel)
{
  g_autoptr (GError) error = NULL;
  FacetModelParams params = {
    .projector = options->mmproj,
    .backend = options->backend,
    .device = options->device,
    .device_memory = options->device_memory,
    .threads = options->threads,
    .exact = options->exact,
    .image_detail = options->image_detail,
    .cancel = cancel,
    .progress = report_progress,
  };
  FacetModel *model;

  if (!have_model (options, g_get_prgname ()))
    return NULL;
  interrupt_guard (cancel);
  model = facet_model_load (options->model, &params, &error);
  report_progress_end ();
  if (g_error_matches (error, FACET_ERROR, FACET_ERROR_NO_ENCODER)) {
    /* Text needs no projector. */
    report_error (error);
    g_clear_error (&error);
    params.projector = NULL;
    model = facet_model_load (options->model, &params, &error);
    report_progress_end ();
  }
  interrupt_guard (NULL);
  if (model == NULL) {
    report_error (error);
    return NULL;
  }
  report_notice (model);
  if (!fits_context (options, model))
    g_clear_pointer (&model, facet_model_unref);
  return model;
}

int
options_open_model (const Options *options, FacetCancel *cancel, FacetModel **model)
{
  interrupt_install ();
  *model = options_load_model (options, cancel);
  if (*model != NULL)
    return EXIT_OK;
  return facet_is_cancelled (cancel) ? EXIT_INTERRUPTED : EXIT_FAILED;
}

FacetSession *
options_new_session (const Options *options, FacetModel *model)
{
  const FacetSessionParams params = { .context = options->context, .kv_type = options->kv_type };
  g_autoptr (GError) error = NULL;
  FacetSession *session = facet_session_new (model, &params, &error);

  if (session == NULL)
    report_error (error);
  return session;
}
