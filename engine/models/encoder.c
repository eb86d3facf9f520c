#include "models/encoder.h"

#include <math.h>

#include "core/memory.h"

static const FacetEncoderClass *const classes[] = {
  &facet_encoder_siglip,
  &facet_encoder_mobilenetv5,
  &facet_encoder_gemma3n_audio,
  &facet_encoder_gemma4_audio,
  &facet_encoder_gemma4_vision,
};

void
facet_encoder_input_clear (FacetEncoderInput *input)
{
  for (int i = 0; i < FACET_MAX_ENCODER_INPUTS; i++)
    g_free (input->data[i]);
  g_free (input->pixels);
  memset (input, 0, sizeof *input);
}

void
facet_encoder_input_resize (FacetEncoderInput *input, const FacetImage *image, const int box[4],
                            int width, int height, FacetResizeFilter filter)
{
  gsize stride = (gsize) facet_image_width (image) * 3;
  const guint8 *pixels = facet_image_pixels (image) + (box ? box[1] * stride + (gsize) box[0] * 3 : 0);

  input->pixel_width = width;
  input->pixel_height = height;
  input->pixels = facet_resize (pixels, box ? box[2] : facet_image_width (image), box ? box[3] : facet_image_height (image),
                                stride, width, height, filter);
}

FacetEncoder *
facet_encoder_load (FacetGguf *gguf, gboolean audio, GError **error)
{
  const char *type = facet_gguf_get_string (gguf, "clip.projector_type");

  if (!type)
    type = facet_gguf_get_string (gguf, audio ? "clip.audio.projector_type" : "clip.vision.projector_type");
  for (gsize i = 0; type && i < G_N_ELEMENTS (classes); i++)
    if (classes[i]->audio == audio && g_str_equal (classes[i]->type, type))
      return classes[i]->load (gguf, error);
  g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: no %s encoder of type \"%s\" is known",
               facet_gguf_path (gguf), audio ? "sound" : "picture", type ? type : "");
  return NULL;
}

void
facet_encoder_free (FacetEncoder *encoder)
{
  encoder->free (encoder);
}

static gboolean
all_finite (const float *data, gsize n)
{
  /* Zero times anything finite is zero; the sum stays zero only then. */
  float sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += data[i] * 0.f;
  return sum == 0.f;
}

static void
report_layers (FacetBackend *backend, FacetPlan *plan, const FacetGraph *graph, FacetEncoderLayerFunc on_layer, gpointer user_data)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);

    if (node->layer != FACET_NOT_A_LAYER)
      on_layer (node->layer, backend->klass->value (plan, i), node->rows, node->cols, user_data);
  }
}

static void
report_progress (int done, int total, gpointer data)
{
  FacetEncoder *encoder = data;

  encoder->progress (encoder->klass->audio ? FACET_PHASE_ENCODE_AUDIO : FACET_PHASE_ENCODE_IMAGE, (guint64) done, (guint64) total,
                     encoder->progress_data);
}

float *
facet_encoder_run (FacetEncoder            *encoder,
                   FacetBackend            *backend,
                   const FacetEncoderInput *input,
                   FacetEncoderLayerFunc    on_layer,
                   gpointer                 user_data,
                   FacetCancel             *cancel,
                   GError                 **error)
{
  g_autoptr (FacetGraph) graph = encoder->build (encoder, input->shape, on_layer != NULL);
  FacetStep step = { .n = 1, .inputs = (const float *const *) input->data,
                     .progress = encoder->progress ? report_progress : NULL, .progress_data = encoder };
  gsize n = (gsize) input->n_tokens * encoder->width;
  FacetPlan *plan;
  float *soft = NULL;

  /* Programs of a device may have to be built and tested first. */
  backend->cancel = cancel;
  plan = backend->klass->compile (backend, graph, NULL, 1, 1, error);
  backend->cancel = NULL;
  /* The plan is not kept: its activations take hundreds of megabytes, its
   * making a thousandth of a run. Its memory is only reserved up to here. */
  if (!plan)
    return NULL;
  if (facet_memory_check (backend->klass->plan_bytes (plan), error, "encoder \"%s\" for %d soft tokens", encoder->klass->type, input->n_tokens)
      && backend->klass->run (plan, &step, cancel, error)) {
    const float *result = backend->klass->value (plan, facet_graph_result (graph));

    if (on_layer)
      report_layers (backend, plan, graph, on_layer, user_data);
    if (all_finite (result, n))
      soft = g_memdup2 (result, n * sizeof (float));
    else
      g_set_error (error, FACET_ERROR, FACET_ERROR_NUMERIC, "encoder \"%s\" computed values that are no numbers", encoder->klass->type);
  }
  backend->klass->plan_free (plan);
  return soft;
}
