#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "npy.h"
#include "options.h"
#include "report.h"

typedef struct {
  Options  options;
  char    *model, *projector, *image, *audio, *output, *pixels, *mel;
  int      crop, threads, repeat, detail;
  gboolean exact;
} Arguments;

typedef struct {
  double load_ms, read_ms, encode_ms; /* of the fastest run */
  int    tokens, width;
} Figures;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->model);
  g_free (arguments->projector);
  g_free (arguments->image);
  g_free (arguments->audio);
  g_free (arguments->mel);
  g_free (arguments->output);
  g_free (arguments->pixels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (Arguments *a, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &a->model, N_("Text model that the projector must fit; default: not checked"), N_("FILE") },
    { "mmproj", 0, 0, G_OPTION_ARG_FILENAME, &a->projector, N_("Projector with the encoder"), N_("FILE") },
    { "image", 0, 0, G_OPTION_ARG_FILENAME, &a->image, N_("Picture to encode"), N_("FILE") },
    { "audio", 0, 0, G_OPTION_ARG_FILENAME, &a->audio, N_("Sound of up to 30 seconds to encode"), N_("FILE") },
    { "mel", 0, 0, G_OPTION_ARG_FILENAME, &a->mel, N_("Write the sound's mel spectrum, float32 [frames, 128]"), N_("FILE.npy") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, N_("Write the soft tokens, float32 [n, width]"), N_("FILE.npy") },
    { "pixels", 0, 0, G_OPTION_ARG_FILENAME, &a->pixels, N_("Write the picture as the encoder sees it, uint8 [3, height, width]"), N_("FILE.npy") },
    { "crop", 0, 0, G_OPTION_ARG_INT, &a->crop, N_("Encode part N of a wide or tall picture; 0: the whole"), N_("N") },
    { "image-detail", 0, 0, G_OPTION_ARG_INT, &a->detail, N_("Most tokens that a picture may take: 70, 140, 280, 560 or 1120; Gemma 4 only"), N_("N") },
    { "threads", 't', 0, G_OPTION_ARG_INT, &a->threads, N_("Processor threads; default: physical cores"), N_("N") },
    { "repeat", 'r', 0, G_OPTION_ARG_INT, &a->repeat, N_("Encode N times and report the fastest"), N_("N") },
    { "exact", 0, 0, G_OPTION_ARG_NONE, &a->exact, N_("Keep activations in floating point: slow, for checking"), NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!options_parse (&a->options, OPTIONS_JSON, NULL, N_("Turns a picture or a sound into the soft tokens that the model sees."), entries, argc, argv))
    return FALSE;
  if (a->projector == NULL || (a->image == NULL) == (a->audio == NULL))
    options_complain (g_get_prgname (), _("name a projector with --mmproj and one of --image and --audio"));
  else if (a->crop < 0 || a->threads < 0 || a->threads > 1024 || a->repeat < 0 || a->detail < 0)
    options_complain (g_get_prgname (), _("--crop, --image-detail, --repeat and --threads must not be negative"));
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_fit (const Arguments *a, GError **error)
{
  g_autoptr (FacetModelInfo) model = facet_model_info_read (a->model, error);
  g_autoptr (FacetModelInfo) projector = model != NULL ? facet_model_info_read (a->projector, error) : NULL;

  if (projector == NULL)
    return FALSE;
  if (facet_projector_fits (model, projector))
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER,
               "%s: projector of type %s and width %u does not fit %s, a %s model of width %u", a->projector,
               projector->projector_type, projector->width, a->model, model->architecture, model->width);
  return FALSE;
}

static gboolean
write_pixels (const Arguments *a, FacetProjector *projector, FacetImage *image, GError **error)
{
  g_autoptr (FacetImage) seen = facet_projector_preprocess (projector, image, a->crop, error);

  return seen != NULL
         && npy_write_planes (a->pixels, facet_image_pixels (seen), 3, facet_image_height (seen), facet_image_width (seen), error);
}

static gboolean
write_mel (const Arguments *a, FacetProjector *projector, FacetAudio *audio, GError **error)
{
  g_autoptr (GBytes) mel = facet_projector_mel (projector, audio, error);

  return mel != NULL
         && npy_write (a->mel, g_bytes_get_data (mel, NULL), g_bytes_get_size (mel) / sizeof (float) / 128, 128, error);
}

static gboolean
encode (const Arguments *a, FacetProjector *projector, FacetImage *image, FacetAudio *audio, Figures *figures, GError **error)
{
  g_autoptr (GBytes) soft = NULL;

  facet_projector_set_budget (projector, 0);
  for (int i = 0; i < MAX (a->repeat, 1); i++) {
    gint64 start = g_get_monotonic_time ();
    double ms;

    g_clear_pointer (&soft, g_bytes_unref);
    soft = image != NULL ? facet_projector_encode (projector, image, a->crop, NULL, error)
                         : facet_projector_encode_audio (projector, audio, NULL, error);
    if (soft == NULL)
      return FALSE;
    ms = (g_get_monotonic_time () - start) / 1000.0;
    figures->encode_ms = i == 0 ? ms : MIN (figures->encode_ms, ms);
  }
  figures->width = facet_projector_width (projector);
  figures->tokens = (int) (g_bytes_get_size (soft) / sizeof (float)) / figures->width;
  return a->output == NULL
         || npy_write (a->output, g_bytes_get_data (soft, NULL), figures->tokens, figures->width, error);
}

static gboolean
run (const Arguments *a, Figures *figures, GError **error)
{
  FacetModelParams params = { .threads = a->threads, .exact = a->exact, .image_detail = a->detail };
  gint64 start = g_get_monotonic_time ();
  g_autoptr (FacetProjector) projector = facet_projector_load (a->projector, &params, error);
  g_autoptr (FacetImage) image = NULL;
  g_autoptr (FacetAudio) audio = NULL;

  if (projector == NULL)
    return FALSE;
  figures->load_ms = (g_get_monotonic_time () - start) / 1000.0;
  start = g_get_monotonic_time ();
  if (a->image != NULL)
    image = facet_image_load (a->image, error);
  else
    audio = facet_audio_load (a->audio, NULL, error);
  if ((image == NULL && audio == NULL) || (image != NULL && a->pixels != NULL && !write_pixels (a, projector, image, error))
      || (audio != NULL && a->mel != NULL && !write_mel (a, projector, audio, error)))
    return FALSE;
  figures->read_ms = (g_get_monotonic_time () - start) / 1000.0;
  return encode (a, projector, image, audio, figures, error);
}

int
command_encode (int argc, char **argv)
{
  g_auto (Arguments) a = { .crop = 0 };
  g_autoptr (GError) error = NULL;
  Figures figures = { 0 };

  options_init (&a.options);
  if (!parse (&a, &argc, &argv))
    return EXIT_USAGE;
  if ((a.model != NULL && !check_fit (&a, &error)) || !run (&a, &figures, &error)) {
    report_error (error);
    return report_status (error);
  }
  if (a.options.json)
    printf ("{\"tokens\": %d, \"width\": %d, \"load_ms\": %.3f, \"read_ms\": %.3f, \"encode_ms\": %.3f}\n",
            figures.tokens, figures.width, figures.load_ms, figures.read_ms, figures.encode_ms);
  else
    g_printerr (_("%d soft tokens of width %d; read in %.0f ms, encoded in %.0f ms\n"), figures.tokens,
                figures.width, figures.read_ms, figures.encode_ms);
  return EXIT_OK;
}
