#include "session/model.h"

#include <string.h>

#include "backend/choose.h"
#include "backend/pair.h"

static gboolean
load_projector (FacetModel *model, const char *path, int detail, GError **error)
{
  g_autoptr (FacetModelInfo) info = facet_model_info_read (path, error);

  if (!info)
    return FALSE;
  if (!facet_projector_fits (model->info, info)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER,
                 "%s: projector of type \"%s\" and width %u does not fit %s, which needs one for %s models of width %u",
                 path, info->projector_type, info->width, model->info->path, model->info->architecture, model->info->width);
    return FALSE;
  }
  model->projector = facet_projector_new (path, model->backend, detail, error);
  return model->projector != NULL;
}

/* The ids of a table begin with the token that ends its kind of media. */
static gint32
first_hard (FacetModel *model, gboolean audio)
{
  return facet_tokenizer_lookup (model->tokenizer, audio ? "<end_of_audio>" : "<end_of_image>");
}

static int
count_text_vocab (FacetModel *model)
{
  gint32 first = model->info->family == FACET_FAMILY_GEMMA3N ? first_hard (model, FALSE) : -1;

  return first > 0 && first < model->decoder->vocab ? first : model->decoder->vocab;
}

const float *
facet_model_hard_embedding (FacetModel *model, gint32 id, GError **error)
{
  for (int audio = 0; audio < 2 && model->projector; audio++) {
    gint32 row = id - first_hard (model, audio);
    const float *rows;

    if (row < 0 || row >= facet_projector_n_hard (model->projector, audio))
      continue;
    rows = facet_projector_hard (model->projector, audio, error);
    return rows ? rows + (gsize) row * model->decoder->width : NULL;
  }
  g_set_error (error, FACET_ERROR, FACET_ERROR_MISSING, "token %d is none of the %d of text, its embedding belongs to a projector that has it",
               id, model->text_vocab);
  return NULL;
}

static void
backend_free (gpointer data)
{
  FacetBackend *backend = data;

  backend->klass->free (backend);
}

/* Bytes that the encoders need beside the decoder. */
static guint64
encoder_bytes (const FacetModelParams *params)
{
  g_autoptr (FacetModelInfo) info = params->projector ? facet_model_info_read (params->projector, NULL) : NULL;

  return info ? info->file_bytes : 0;
}

/* What the settings ask for, at first and after a failure: a device shares the
 * decoder with the processor; one that cannot run it gives way. */
static FacetBackend *
open_backend (FacetModel *model, GError **error)
{
  g_autoptr (FacetGraph) graph = NULL;
  g_autoptr (GError) unfit = NULL;
  FacetBackend *backend = facet_backend_choose (&model->params, error);
  FacetPairParams pair = { .device = backend, .reserve = model->encoder_bytes, .limit = model->params.device_memory,
                           .threads = model->params.threads, .exact = model->exact };
  gboolean fits;

  if (!backend || facet_backend_is_cpu (backend))
    return backend;
  graph = model->decoder->build (model->decoder, FACET_BUILD_NORMAL);
  facet_backend_watch (backend, &model->params);
  fits = backend->klass->supports (backend, graph, &unfit);
  facet_backend_watch (backend, NULL);
  if (fits) {
    pair.graph = g_steal_pointer (&graph);
    return facet_pair_new (&pair);
  }
  if (g_error_matches (unfit, FACET_ERROR, FACET_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&unfit));
    backend_free (backend);
    return NULL;
  }
  g_message ("%s runs on the processor, not on %s: %s", model->info->path, backend->description, unfit->message);
  backend_free (backend);
  model->notice = FACET_NOTICE_CPU_INSTEAD;
  return facet_cpu_backend_new (model->params.threads, model->exact);
}

static gboolean
choose_backend (FacetModel *model, const FacetModelParams *params, GError **error)
{
  model->params = (FacetModelParams) { .backend = params->backend, .device = params->device, .threads = params->threads,
                                       .exact = params->exact, .device_memory = params->device_memory, .cancel = params->cancel,
                                       .progress = params->progress, .user_data = params->user_data };
  model->encoder_bytes = encoder_bytes (params);
  model->retired = g_ptr_array_new_with_free_func (backend_free);
  model->backend = open_backend (model, error);
  /* Who waits now does not wait for a device that is opened anew. */
  model->params.cancel = NULL;
  model->params.progress = NULL;
  model->params.user_data = NULL;
  return model->backend != NULL;
}

void
facet_model_replace_backend (FacetModel *model, const GError *why)
{
  g_autofree char *name = g_strdup (model->backend->description);
  g_autoptr (GError) error = NULL;
  FacetBackend *next = NULL;

  /* The device's memory is needed again; another session lets go of it later. */
  if (g_atomic_int_get (&model->sessions) <= 1)
    backend_free (model->backend);
  else
    g_ptr_array_add (model->retired, model->backend);
  if (why->code == FACET_ERROR_DEVICE && model->failures++ == 0)
    next = open_backend (model, &error);
  if (!next || facet_backend_is_cpu (next)) {
    model->notice = why->code == FACET_ERROR_DEVICE ? FACET_NOTICE_DEVICE_LOST : FACET_NOTICE_CPU_INSTEAD;
    g_message ("%s failed (%s); the processor goes on", name, error ? error->message : why->message);
  } else {
    g_message ("%s failed (%s) and was opened anew", name, why->message);
  }
  model->backend = next ? next : facet_cpu_backend_new (model->params.threads, model->exact);
  if (model->projector)
    facet_projector_set_backend (model->projector, model->backend);
}

int
facet_model_split (FacetModel *model, int *layers)
{
  *layers = model->decoder->n_layers;
  return facet_backend_is_pair (model->backend) ? facet_pair_split (model->backend, layers) : 0;
}

FacetNotice
facet_model_take_notice (FacetModel *model)
{
  FacetNotice notice = model->notice;

  model->notice = FACET_NOTICE_NONE;
  return notice;
}

static gboolean
load_parts (FacetModel *model, const char *path, const FacetModelParams *params, GError **error)
{
  const FacetFamilyClass *family;

  model->info = facet_model_info_read (path, error);
  if (!model->info)
    return FALSE;
  model->gguf = facet_gguf_open (path, error);
  if (!model->gguf)
    return FALSE;
  family = facet_family_for (model->gguf, error);
  if (!family)
    return FALSE;
  model->decoder = family->load (model->gguf, error);
  if (!model->decoder)
    return FALSE;
  model->tokenizer = facet_tokenizer_new (model->gguf, error);
  if (!model->tokenizer)
    return FALSE;
  model->text_vocab = count_text_vocab (model);
  model->exact = params->exact;
  if (!choose_backend (model, params, error))
    return FALSE;
  return !params->projector || load_projector (model, params->projector, params->image_detail, error);
}

FacetModel *
facet_model_load (const char *path, const FacetModelParams *params, GError **error)
{
  static const FacetModelParams usual;
  FacetModel *model = g_new0 (FacetModel, 1);
  gboolean loaded;

  model->refs = 1;
  if (!params)
    params = &usual;
  if (params->progress)
    params->progress (FACET_PHASE_LOAD, 0, 0, params->user_data);
  loaded = load_parts (model, path, params, error);
  if (model->gguf)
    loaded = facet_gguf_confirm (model->gguf, loaded, error);
  if (!loaded) {
    facet_model_unref (model);
    return NULL;
  }
  if (facet_is_cancelled (params->cancel)) {
    facet_model_unref (model);
    g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled");
    return NULL;
  }
  if (params->progress)
    params->progress (FACET_PHASE_LOAD, model->info->file_bytes, model->info->file_bytes, params->user_data);
  return model;
}

FacetModel *
facet_model_ref (FacetModel *model)
{
  g_atomic_int_inc (&model->refs);
  return model;
}

void
facet_model_unref (FacetModel *model)
{
  if (!g_atomic_int_dec_and_test (&model->refs))
    return;
  /* Before the files, whose pages a device may read in place. */
  g_clear_pointer (&model->retired, g_ptr_array_unref);
  if (model->backend)
    backend_free (model->backend);
  g_clear_pointer (&model->projector, facet_projector_free);
  if (model->decoder)
    model->decoder->free (model->decoder);
  g_clear_pointer (&model->tokenizer, facet_tokenizer_free);
  g_clear_pointer (&model->gguf, facet_gguf_close);
  g_clear_pointer (&model->info, facet_model_info_free);
  g_free (model);
}

const FacetModelInfo *
facet_model_get_info (FacetModel *model)
{
  return model->info;
}

const char *
facet_model_backend_name (FacetModel *model)
{
  return model->backend->description;
}

gboolean
facet_model_accepts_images (FacetModel *model)
{
  return model->projector != NULL && facet_projector_accepts_images (model->projector);
}

gboolean
facet_model_accepts_audio (FacetModel *model)
{
  return model->projector != NULL && facet_projector_accepts_audio (model->projector);
}

FacetProjector *
facet_model_get_projector (FacetModel *model)
{
  return model->projector;
}

int
facet_model_vocab_size (FacetModel *model)
{
  return model->decoder->vocab;
}

FacetSampling
facet_model_default_sampling (FacetModel *model)
{
  if (model->info->has_chat_template)
    return (FacetSampling) { .temperature = 1.0f, .top_k = 64, .top_p = 0.95f };
  return (FacetSampling) { .temperature = 0, .repeat_penalty = 1.05f };
}

/* ---- tokens ---- */

void
facet_tokenize (FacetModel *model, const char *text, gssize length, gboolean parse_special, GArray *ids)
{
  facet_tokenizer_encode (model->tokenizer, text, length < 0 ? strlen (text) : (gsize) length,
                          parse_special ? FACET_TOKENIZE_SPECIAL : FACET_TOKENIZE_PLAIN, ids);
}

void
facet_token_bytes (FacetModel *model, gint32 id, GString *bytes)
{
  facet_tokenizer_decode (model->tokenizer, id, bytes);
}

const char *
facet_token_piece (FacetModel *model, gint32 id)
{
  return facet_tokenizer_piece (model->tokenizer, id);
}

gint32
facet_token_bos (FacetModel *model)
{
  return facet_tokenizer_bos (model->tokenizer);
}

/* Gemma 3's id for pictures is the one after all pieces. Files name it, pad
 * the vocabulary from it on, or end before it. */
static gint32
first_unnamed (FacetTokenizer *tokenizer)
{
  gint32 id = facet_tokenizer_size (tokenizer);

  while (id > 0 && g_str_has_prefix (facet_tokenizer_piece (tokenizer, id - 1), "[PAD"))
    id--;
  return id;
}

gint32
facet_token_placeholder (FacetModel *model, gboolean audio)
{
  static const char *const names[2][2] = { { "<image_soft_token>", "<|image|>" }, { "<audio_soft_token>", "<|audio|>" } };

  for (int i = 0; i < 2; i++) {
    gint32 id = facet_tokenizer_lookup (model->tokenizer, names[audio != FALSE][i]);

    if (id >= 0)
      return id;
  }
  return !audio && model->info->family == FACET_FAMILY_GEMMA3 ? first_unnamed (model->tokenizer) : -1;
}
