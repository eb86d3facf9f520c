#include "options.h"

#include <glib/gi18n.h>

#include "report.h"

static gboolean
have_model (const Options *options, const char *command)
{
  if (g_file_test (options->model, G_FILE_TEST_EXISTS))
    return TRUE;
  g_printerr (_("%s: there is no model at %s\n"), command, options->model);
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

FacetModel *
options_load_model (const Options *options, FacetCancel *cancel)
{
  g_autoptr (GError) error = NULL;
  FacetModelParams params = {
    .projector = options->mmproj,
    .backend = options->backend,
    .device = options->device,
    .threads = options->threads,
    .exact = options->exact,
    .cancel = cancel,
    .progress = report_progress,
  };
  FacetModel *model;

  if (!have_model (options, g_get_prgname ()))
    return NULL;
  model = facet_model_load (options->model, &params, &error);
  report_progress_end ();
  if (model == NULL)
    report_error (error);
  return model;
}
