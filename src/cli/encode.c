#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "npy.h"
#include "options.h"
#include "report.h"

#define MEL_BINS 128

typedef struct {
  Options  options;
  char    *model, *projector, *image, *audio, *output, *pixels, *mel;
  int      crop, threads, repeat, detail;
  gboolean exact;
} Arguments;

/* What an input becomes. */
typedef struct {
  FacetImage *seen; /* or NULL */
  GBytes     *mel;  /* or NULL */
  GBytes     *soft;
  int         tokens, width;
  double      load_ms, read_ms, encode_ms; /* of the fastest run */
} Result;

static void
result_clear (Result *result)
{
  g_clear_pointer (&result->seen, facet_image_unref);
  g_clear_pointer (&result->mel, g_bytes_unref);
  g_clear_pointer (&result->soft, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

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
encode (const Arguments *a, FacetProjector *projector, FacetImage *image, FacetAudio *audio, FacetCancel *cancel, Result *result,
        GError **error)
{
  facet_projector_set_budget (projector, 0);
  for (int i = 0; i < MAX (a->repeat, 1); i++) {
    gint64 start = g_get_monotonic_time ();
    double ms;

    g_clear_pointer (&result->soft, g_bytes_unref);
    result->soft = image != NULL ? facet_projector_encode (projector, image, a->crop, cancel, error)
                                 : facet_projector_encode_audio (projector, audio, cancel, error);
    if (result->soft == NULL)
      return FALSE;
    ms = (g_get_monotonic_time () - start) / 1000.0;
    result->encode_ms = i == 0 ? ms : MIN (result->encode_ms, ms);
  }
  result->width = facet_projector_width (projector);
  result->tokens = (int) (g_bytes_get_size (result->soft) / sizeof (float)) / result->width;
  return TRUE;
}

static gboolean
run (const Arguments *a, FacetCancel *cancel, Result *result, GError **error)
{
  FacetModelParams params = { .threads = a->threads, .exact = a->exact, .image_detail = a->detail };
  gint64 start = g_get_monotonic_time ();
  g_autoptr (FacetProjector) projector = facet_projector_load (a->projector, &params, error);
  g_autoptr (FacetImage) image = NULL;
  g_autoptr (FacetAudio) audio = NULL;

  if (projector == NULL)
    return FALSE;
  result->load_ms = (g_get_monotonic_time () - start) / 1000.0;
  start = g_get_monotonic_time ();
  if (a->image != NULL)
    image = facet_image_load (a->image, error);
  else
    audio = facet_audio_load (a->audio, cancel, error);
  if (image == NULL && audio == NULL)
    return FALSE;
  if (image != NULL && a->pixels != NULL && (result->seen = facet_projector_preprocess (projector, image, a->crop, error)) == NULL)
    return FALSE;
  if (audio != NULL && a->mel != NULL && (result->mel = facet_projector_mel (projector, audio, error)) == NULL)
    return FALSE;
  result->read_ms = (g_get_monotonic_time () - start) / 1000.0;
  return encode (a, projector, image, audio, cancel, result, error);
}

static gboolean
write_result (const Arguments *a, const Result *result, GError **error)
{
  if (result->seen != NULL && !npy_write_planes (a->pixels, facet_image_pixels (result->seen), 3, facet_image_height (result->seen),
                                                 facet_image_width (result->seen), error))
    return FALSE;
  if (result->mel != NULL && !npy_write (a->mel, g_bytes_get_data (result->mel, NULL),
                                         g_bytes_get_size (result->mel) / sizeof (float) / MEL_BINS, MEL_BINS, error))
    return FALSE;
  return a->output == NULL || npy_write (a->output, g_bytes_get_data (result->soft, NULL), result->tokens, result->width, error);
}

/* Files are written when nothing can be stopped any more. */
static gboolean
encode_and_write (const Arguments *a, Result *result, GError **error)
{
  FacetCancel cancel = { 0 };
  gboolean done;

  interrupt_install ();
  interrupt_guard (&cancel);
  done = (a->model == NULL || check_fit (a, error)) && run (a, &cancel, result, error);
  interrupt_guard (NULL);
  return done && write_result (a, result, error);
}

int
command_encode (int argc, char **argv)
{
  g_auto (Arguments) a = { .crop = 0 };
  g_auto (Result) result = { NULL };
  g_autoptr (GError) error = NULL;

  options_init (&a.options);
  if (!parse (&a, &argc, &argv))
    return EXIT_USAGE;
  if (!encode_and_write (&a, &result, &error)) {
    report_error (error);
    return report_status (error);
  }
  if (a.options.json)
    printf ("{\"tokens\": %d, \"width\": %d, \"load_ms\": %.3f, \"read_ms\": %.3f, \"encode_ms\": %.3f}\n",
            result.tokens, result.width, result.load_ms, result.read_ms, result.encode_ms);
  else
    g_printerr (_("%d soft tokens of width %d; read in %.0f ms, encoded in %.0f ms\n"), result.tokens, result.width, result.read_ms,
                result.encode_ms);
  return EXIT_OK;
}
