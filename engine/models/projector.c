#include "models/projector.h"

#include "backend/choose.h"
#include "backend/race.h"
#include "media/audio.h"
#include "media/mel.h"
#include "media/picture-layout.h"
#include "models/encoder.h"
#include "models/hard-tokens.h"

#define DEFAULT_BUDGET (64 * 1024 * 1024)

/* Soft tokens of one picture or sound, in the queue from the latest use to the oldest. */
typedef struct {
  char   *key;
  GBytes *soft;
} Kept;

struct FacetProjector {
  FacetGguf    *gguf;
  FacetEncoder *images, *sounds; /* either may be NULL, not both */
  FacetHardTokens hard[2];       /* of pictures, of sound */
  FacetBackend *backend;
  FacetBackend *cpu;             /* for what the backend cannot do; NULL until then */
  gboolean      owns_backend;
  GQueue        kept;
  gsize         kept_bytes, budget;
  guint         runs;
};

static void
kept_free (gpointer data)
{
  Kept *kept = data;

  g_free (kept->key);
  g_bytes_unref (kept->soft);
  g_free (kept);
}

/* NULL without an error if the file has no encoder of a known type for this;
 * one that is there but broken is an error. */
static FacetEncoder *
load_encoder (FacetGguf *gguf, gboolean audio, GError **unknown, GError **error)
{
  g_autoptr (GError) local = NULL;
  FacetEncoder *encoder = facet_encoder_load (gguf, audio, &local);

  if (g_error_matches (local, FACET_ERROR, FACET_ERROR_UNSUPPORTED))
    g_propagate_error (unknown, g_steal_pointer (&local));
  else if (!encoder)
    g_propagate_error (error, g_steal_pointer (&local));
  return encoder;
}

static gboolean
load_encoders (FacetProjector *projector, GError **error)
{
  g_autoptr (GError) no_images = NULL, no_sounds = NULL, broken = NULL;

  projector->images = load_encoder (projector->gguf, FALSE, &no_images, &broken);
  if (!broken)
    projector->sounds = load_encoder (projector->gguf, TRUE, &no_sounds, &broken);
  if (!broken && !projector->images && !projector->sounds)
    g_propagate_error (&broken, g_steal_pointer (&no_images));
  if (!broken)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&broken));
  return FALSE;
}

static gboolean
set_detail (FacetProjector *projector, int detail, GError **error)
{
  FacetEncoder *images = projector->images;
  g_autoptr (GString) known = NULL;

  if (detail == 0)
    return TRUE;
  known = g_string_new (NULL);
  for (const int *d = images ? images->details : NULL; d && *d; d++) {
    if (*d == detail) {
      images->detail = detail;
      return TRUE;
    }
    g_string_append_printf (known, "%s%d", known->len ? ", " : "", *d);
  }
  if (known->len == 0)
    g_string_printf (known, "only %d", images ? images->detail : 0);
  g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%s: picture detail of %d tokens; the encoder knows %s",
               facet_gguf_path (projector->gguf), detail, known->str);
  return FALSE;
}

FacetProjector *
facet_projector_new (const char *path, FacetBackend *backend, int detail, GError **error)
{
  g_autoptr (FacetProjector) projector = g_new0 (FacetProjector, 1);

  projector->gguf = facet_gguf_open (path, error);
  if (!projector->gguf || !facet_gguf_confirm (projector->gguf, load_encoders (projector, error), error)
      || !set_detail (projector, detail, error))
    return NULL;
  projector->backend = backend;
  projector->budget = DEFAULT_BUDGET;
  g_queue_init (&projector->kept);
  return g_steal_pointer (&projector);
}

FacetProjector *
facet_projector_load (const char *path, const FacetModelParams *params, GError **error)
{
  FacetBackend *backend = facet_backend_choose (params, error);
  FacetProjector *projector = backend ? facet_projector_new (path, backend, params ? params->image_detail : 0, error) : NULL;

  if (projector)
    projector->owns_backend = TRUE;
  else if (backend)
    backend->klass->free (backend);
  return projector;
}

void
facet_projector_free (FacetProjector *projector)
{
  /* Before the file, whose pages a device may read in place. */
  if (projector->owns_backend)
    projector->backend->klass->free (projector->backend);
  g_clear_pointer (&projector->images, facet_encoder_free);
  g_clear_pointer (&projector->sounds, facet_encoder_free);
  facet_hard_tokens_clear (&projector->hard[0]);
  facet_hard_tokens_clear (&projector->hard[1]);
  g_clear_pointer (&projector->gguf, facet_gguf_close);
  g_queue_clear_full (&projector->kept, kept_free);
  if (projector->cpu)
    projector->cpu->klass->free (projector->cpu);
  g_free (projector);
}

int
facet_projector_width (FacetProjector *projector)
{
  return projector->images ? projector->images->width : projector->sounds->width;
}

gboolean
facet_projector_accepts_images (FacetProjector *projector)
{
  return projector->images != NULL;
}

int
facet_projector_count (FacetProjector *projector, const FacetImage *image)
{
  return projector->images ? projector->images->count (projector->images, facet_image_width (image), facet_image_height (image)) : 0;
}

int
facet_projector_span (FacetProjector *projector)
{
  return projector->images ? projector->images->detail : 0;
}

static int
find_crops (FacetProjector *projector, const FacetImage *image, FacetBox boxes[FACET_MAX_CROPS])
{
  if (!projector->images || !projector->images->pan_and_scan)
    return 0;
  return facet_pan_and_scan (facet_image_width (image), facet_image_height (image), boxes);
}

int
facet_projector_crops (FacetProjector *projector, const FacetImage *image)
{
  FacetBox boxes[FACET_MAX_CROPS];

  return find_crops (projector, image, boxes);
}

static gboolean
prepare (FacetProjector *projector, const FacetImage *image, int crop, FacetEncoderInput *input, GError **error)
{
  FacetBox boxes[FACET_MAX_CROPS];
  int n = find_crops (projector, image, boxes);
  int box[4];

  if (!projector->images) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER, "%s: has no picture encoder that is known",
                 facet_gguf_path (projector->gguf));
    return FALSE;
  }
  if (crop < 0 || crop > n) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "crop %d of a picture that has %d", crop, n);
    return FALSE;
  }
  if (crop > 0) {
    box[0] = boxes[crop - 1].x;
    box[1] = boxes[crop - 1].y;
    box[2] = boxes[crop - 1].width;
    box[3] = boxes[crop - 1].height;
  }
  return projector->images->prepare_image (projector->images, image, crop > 0 ? box : NULL, input, error);
}

FacetImage *
facet_projector_preprocess (FacetProjector *projector, const FacetImage *image, int crop, GError **error)
{
  g_auto (FacetEncoderInput) input = { 0 };

  if (!prepare (projector, image, crop, &input, error))
    return NULL;
  return facet_image_new_from_rgb (input.pixels, input.pixel_width, input.pixel_height, (gsize) input.pixel_width * 3, error);
}

static void
drop_beyond (FacetProjector *projector, gsize budget)
{
  while (projector->kept_bytes > budget) {
    Kept *oldest = g_queue_pop_tail (&projector->kept);

    projector->kept_bytes -= g_bytes_get_size (oldest->soft);
    kept_free (oldest);
  }
}

static GBytes *
find_kept (FacetProjector *projector, const char *key)
{
  for (GList *l = projector->kept.head; l; l = l->next) {
    Kept *kept = l->data;

    if (g_str_equal (kept->key, key)) {
      g_queue_unlink (&projector->kept, l);
      g_queue_push_head_link (&projector->kept, l);
      return g_bytes_ref (kept->soft);
    }
  }
  return NULL;
}

static void
keep (FacetProjector *projector, const char *key, GBytes *soft)
{
  gsize size = g_bytes_get_size (soft);
  Kept *kept;

  if (size > projector->budget)
    return;
  drop_beyond (projector, projector->budget - size);
  kept = g_new (Kept, 1);
  kept->key = g_strdup (key);
  kept->soft = g_bytes_ref (soft);
  g_queue_push_head (&projector->kept, kept);
  projector->kept_bytes += size;
}

void
facet_projector_set_backend (FacetProjector *projector, FacetBackend *backend)
{
  projector->backend = backend;
}

static FacetBackend *
processor (FacetProjector *projector)
{
  if (!projector->cpu)
    projector->cpu = facet_cpu_backend_new (0, FALSE);
  return projector->cpu;
}

/* On the backend, or on the CPU what it cannot do. */
static float *
run_encoder (FacetProjector *projector, FacetEncoder *encoder, const FacetEncoderInput *input, FacetCancel *cancel, GError **error)
{
  FacetBackend *backend = projector->backend;
  g_autoptr (GError) local = NULL;
  float *values = facet_race_is_open (backend) ? facet_encoder_run_faster (encoder, backend, processor (projector), input, cancel, &local)
                                               : facet_encoder_run (encoder, backend, input, NULL, NULL, cancel, &local);

  if (values)
    return values;
  if (facet_backend_is_cpu (backend)
      || !(g_error_matches (local, FACET_ERROR, FACET_ERROR_UNSUPPORTED) || g_error_matches (local, FACET_ERROR, FACET_ERROR_NO_MEMORY)
           || g_error_matches (local, FACET_ERROR, FACET_ERROR_DEVICE))) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  g_message ("%s: the processor encodes instead of %s: %s", facet_gguf_path (projector->gguf), backend->description, local->message);
  return facet_encoder_run (encoder, processor (projector), input, NULL, NULL, cancel, error);
}

/* Returns: (transfer full). */
static GBytes *
run_and_keep (FacetProjector *projector, FacetEncoder *encoder, const FacetEncoderInput *input, const char *key,
              FacetCancel *cancel, GError **error)
{
  float *values = run_encoder (projector, encoder, input, cancel, error);
  GBytes *soft;

  if (!facet_gguf_confirm (projector->gguf, values != NULL, error)) {
    g_free (values);
    return NULL;
  }
  projector->runs++;
  soft = g_bytes_new_take (values, (gsize) input->n_tokens * encoder->width * sizeof (float));
  keep (projector, key, soft);
  return soft;
}

GBytes *
facet_projector_encode (FacetProjector *projector, const FacetImage *image, int crop, FacetCancel *cancel, GError **error)
{
  /* The file's hash alone is not the picture: one made smaller has it, too. */
  g_autofree char *key = g_strdup_printf ("%s %dx%d %d", facet_image_hash (image), facet_image_width (image), facet_image_height (image), crop);
  g_auto (FacetEncoderInput) input = { 0 };
  GBytes *soft = find_kept (projector, key);

  if (soft)
    return soft;
  if (!prepare (projector, image, crop, &input, error))
    return NULL;
  return run_and_keep (projector, projector->images, &input, key, cancel, error);
}

/* ---- ids that the text's table does not have ---- */

int
facet_projector_n_hard (FacetProjector *projector, gboolean audio)
{
  return facet_hard_tokens_count (projector->gguf, audio);
}

const float *
facet_projector_hard (FacetProjector *projector, gboolean audio, GError **error)
{
  FacetHardTokens *hard = &projector->hard[audio ? 1 : 0];
  gboolean done = hard->rows
                  || facet_hard_tokens_load (hard, projector->gguf, audio, facet_projector_width (projector), projector->backend, error);

  return facet_gguf_confirm (projector->gguf, done, error) ? hard->rows : NULL;
}

/* ---- sound ---- */

gboolean
facet_projector_accepts_audio (FacetProjector *projector)
{
  return projector->sounds != NULL;
}

static gboolean
check_audio (FacetProjector *projector, FacetAudio *audio, GError **error)
{
  gint64 length = facet_audio_length (audio);

  if (!projector->sounds) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_ENCODER, "%s: has no sound encoder that is known",
                 facet_gguf_path (projector->gguf));
    return FALSE;
  }
  if (length < 1 || length > FACET_MAX_CLIP_SECONDS * FACET_AUDIO_RATE) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "a sound of %.1f seconds, the encoder takes up to %d",
                 facet_audio_duration (audio), FACET_MAX_CLIP_SECONDS);
    return FALSE;
  }
  return TRUE;
}

int
facet_projector_count_audio (FacetProjector *projector, FacetAudio *audio, GError **error)
{
  if (!check_audio (projector, audio, error))
    return -1;
  return projector->sounds->count_audio (projector->sounds, (gsize) facet_audio_length (audio));
}

int
facet_projector_sound_rows (FacetProjector *projector)
{
  return projector->sounds ? projector->sounds->sound_rows : 0;
}

/* Refuses before anything is decoded, which may be hours. */
static gboolean
prepare_audio (FacetProjector *projector, FacetAudio *audio, FacetEncoderInput *input, GError **error)
{
  g_autoptr (FacetAudioReader) reader = NULL;
  g_autofree float *samples = NULL;
  gint64 length = facet_audio_length (audio);
  gssize n;

  if (!check_audio (projector, audio, error))
    return FALSE;
  reader = facet_audio_reader_new (audio, error);
  samples = g_new (float, length + 1);
  n = reader ? facet_audio_reader_read (reader, samples, (gsize) length, error) : -1;
  return n >= 0 && projector->sounds->prepare_audio (projector->sounds, samples, (gsize) n, input, error);
}

GBytes *
facet_projector_encode_audio (FacetProjector *projector, FacetAudio *audio, FacetCancel *cancel, GError **error)
{
  g_autofree char *key = g_strdup_printf ("%s sound", facet_audio_hash (audio));
  g_auto (FacetEncoderInput) input = { 0 };
  GBytes *soft = find_kept (projector, key);

  if (soft)
    return soft;
  if (!prepare_audio (projector, audio, &input, error))
    return NULL;
  return run_and_keep (projector, projector->sounds, &input, key, cancel, error);
}

GBytes *
facet_projector_mel (FacetProjector *projector, FacetAudio *audio, GError **error)
{
  g_auto (FacetEncoderInput) input = { 0 };
  gsize n;

  if (!prepare_audio (projector, audio, &input, error))
    return NULL;
  n = (gsize) input.shape * FACET_MEL_BINS * sizeof (float);
  return g_bytes_new_take (g_steal_pointer (&input.data[0]), n);
}

guint64
facet_projector_audio_work (FacetProjector *projector, FacetAudio *audio, GError **error)
{
  g_auto (FacetEncoderInput) input = { 0 };
  g_autoptr (FacetGraph) graph = NULL;

  if (!prepare_audio (projector, audio, &input, error))
    return 0;
  graph = projector->sounds->build (projector->sounds, input.shape, FALSE);
  return facet_graph_work (graph);
}

void
facet_projector_set_progress (FacetProjector *projector, FacetProgress progress, gpointer user_data)
{
  FacetEncoder *encoders[] = { projector->images, projector->sounds };

  for (gsize i = 0; i < G_N_ELEMENTS (encoders); i++)
    if (encoders[i]) {
      encoders[i]->progress = progress;
      encoders[i]->progress_data = user_data;
    }
}

guint64
facet_projector_work (FacetProjector *projector, const FacetImage *image, GError **error)
{
  g_auto (FacetEncoderInput) input = { 0 };
  g_autoptr (FacetGraph) graph = NULL;

  if (!prepare (projector, image, 0, &input, error))
    return 0;
  graph = projector->images->build (projector->images, input.shape, FALSE);
  return facet_graph_work (graph);
}

const char *
facet_projector_backend_name (FacetProjector *projector)
{
  return projector->backend->description;
}

guint
facet_projector_runs (FacetProjector *projector)
{
  return projector->runs;
}

void
facet_projector_set_budget (FacetProjector *projector, gsize bytes)
{
  projector->budget = bytes;
  drop_beyond (projector, bytes);
}
