/* What running a model takes, before anything is taken. */
#include "session/model.h"

#include "backend/pair.h"
#include "core/memory.h"

/* The rest of the machine needs memory, too. */
#define MEMORY_SHARE(available) ((available) / 10 * 9)
#define USUAL_CONTEXT 4096
#define USUAL_CHUNK 512

/* About what a step on the processor takes. */
static guint64
compute_bytes (const FacetDecoder *decoder)
{
  return (guint64) USUAL_CHUNK * decoder->width * 4 * 16 + (guint64) decoder->vocab * 8;
}

gboolean
facet_plan_memory (const char      *path,
                   const char      *projector,
                   int              context,
                   FacetKvType      kv_type,
                   FacetMemoryPlan *plan,
                   GError         **error)
{
  g_autoptr (FacetGguf) gguf = facet_gguf_open (path, error);
  g_autoptr (FacetModelInfo) info = NULL;
  const FacetFamilyClass *family;
  FacetDecoder *decoder;

  if (!gguf || !(family = facet_family_for (gguf, error)) || !(decoder = family->load (gguf, error)))
    return FALSE;
  if (projector && !(info = facet_model_info_read (projector, error))) {
    decoder->free (decoder);
    return FALSE;
  }
  if (context <= 0)
    context = decoder->context_length;
  *plan = (FacetMemoryPlan) { .lookup = decoder->lookup ? decoder->lookup->bytes : 0,
                              .weights = facet_gguf_size (gguf) + (info ? info->file_bytes : 0),
                              .kv_cache = facet_kv_bytes (decoder->kv_layers, decoder->n_kv_layers, context, USUAL_CHUNK, kv_type),
                              .compute = compute_bytes (decoder),
                              .available = MEMORY_SHARE (facet_memory_available ()) };
  plan->weights -= plan->lookup;
  plan->total = plan->weights + plan->kv_cache + plan->compute;
  decoder->free (decoder);
  return TRUE;
}

void
facet_model_foresee (FacetModel *model, int context, FacetKvType kv_type, FacetPlacement *placement)
{
  const FacetDecoder *decoder = model->decoder;
  FacetBackend *pair = facet_backend_is_pair (model->backend) ? model->backend : NULL;
  FacetPairShare share = { .blocks = 0 };
  FacetShare *device = &placement->device, *processor = &placement->processor;
  int chunk;

  if (context <= 0)
    context = MIN (decoder->context_length, USUAL_CONTEXT);
  chunk = MIN (context, USUAL_CHUNK);
  if (model->exact)
    kv_type = FACET_KV_F32;
  if (pair)
    share = facet_pair_foresee (pair, decoder->kv_layers, decoder->n_kv_layers, context, chunk, kv_type);
  *placement = (FacetPlacement) { .layers = decoder->n_layers, .room = share.room, .encoders = pair ? model->encoder_bytes : 0 };
  *device = (FacetShare) { .name = pair ? facet_pair_device (pair)->description : NULL, .layers = share.blocks,
                           .weights = share.weights, .kv_cache = share.kv_cache, .compute = share.values };
  *processor = (FacetShare) {
    .name = (pair ? facet_pair_processor (pair) : model->backend)->description,
    .layers = decoder->n_layers - share.blocks,
    .weights = facet_gguf_size (model->gguf) - (decoder->lookup ? decoder->lookup->bytes : 0) - share.weights,
    .kv_cache = facet_kv_bytes (decoder->kv_layers, decoder->n_kv_layers, context, chunk, kv_type) - share.kv_cache,
    .compute = share.blocks < decoder->n_layers ? compute_bytes (decoder) : 0,
  };
}
