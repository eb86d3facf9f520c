/* encoder.h - what turns pictures and sound into soft tokens
 *
 * An encoder file (siglip.c ...) reads a projector GGUF, prepares host input
 * (resized pixels, mel frames) and describes the network as a graph; running
 * it is the same for all and done here. Soft tokens are float32 [n, width]
 * and enter the decoder unscaled.
 *
 * Thread-safety: an encoder belongs to the engine thread; preparing an input
 * only reads it and may happen anywhere.
 */
#pragma once

#include "backend/backend.h"
#include "facet.h"
#include "media/resize.h"

#define FACET_MAX_ENCODER_INPUTS 4

typedef struct FacetEncoder FacetEncoder;

/* One prepared picture or sound. */
typedef struct {
  int     shape;      /* inputs of the same shape share a plan */
  int     n_tokens;   /* soft tokens it becomes */
  float  *data[FACET_MAX_ENCODER_INPUTS]; /* by INPUT slot; owned */
  guint8 *pixels;     /* what a picture was resized to, [height, width, 3]; owned */
  int     pixel_width, pixel_height;
} FacetEncoderInput;

void facet_encoder_input_clear (FacetEncoderInput *input);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetEncoderInput, facet_encoder_input_clear)

/* Writes the crop @box (NULL: all) of @image in the given size into @input. */
void facet_encoder_input_resize (FacetEncoderInput *input, const FacetImage *image, const int box[4],
                                 int width, int height, FacetResizeFilter filter);

typedef struct {
  const char   *type;  /* clip.projector_type, or clip.vision. / clip.audio. */
  gboolean      audio; /* else pictures */
  FacetEncoder *(*load) (FacetGguf *gguf, GError **error);
} FacetEncoderClass;

struct FacetEncoder {
  const FacetEncoderClass *klass;
  int      width;  /* of soft tokens: the decoder's */
  int      sound_rows; /* that every sound takes in a prompt; 0: as many as it has tokens */
  int      detail; /* most soft tokens that a picture becomes */
  gboolean pan_and_scan; /* crops of wide or tall pictures may be shown, too */
  const int *details; /* values that may be set for it, ended by 0; NULL: it is fixed */
  FacetProgress progress; /* called while it runs, in steps of the network; NULL: not */
  gpointer      progress_data;

  /* Soft tokens of a picture of this size (pictures only). */
  int      (*count)         (FacetEncoder *encoder, int width, int height);
  /* Soft tokens of @n samples at 16 kHz (sounds only). */
  int      (*count_audio)   (FacetEncoder *encoder, gsize n);
  /* Clears @input first. The crop @box of the picture, NULL: all of it. */
  gboolean (*prepare_image) (FacetEncoder *encoder, const FacetImage *image, const int box[4],
                             FacetEncoderInput *input, GError **error);
  /* Float samples at 16 kHz. */
  gboolean (*prepare_audio) (FacetEncoder *encoder, const float *samples, gsize n,
                             FacetEncoderInput *input, GError **error);
  /* The network for inputs of this shape; @mark: layers can be read back.
   * Returns: (transfer full). */
  FacetGraph *(*build)      (FacetEncoder *encoder, int shape, gboolean mark);
  void     (*free)          (FacetEncoder *encoder);
};

/* The encoder of the file for pictures or sound; UNSUPPORTED names the type,
 * MISSING lists what is not there. @gguf must outlive it. */
FacetEncoder *facet_encoder_load (FacetGguf *gguf, gboolean audio, GError **error);
void          facet_encoder_free (FacetEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetEncoder, facet_encoder_free)

/* Called with each marked layer after a run. */
typedef void (*FacetEncoderLayerFunc) (int layer, const float *data, int rows, int cols, gpointer user_data);

/* Runs the network. NO_MEMORY before anything is taken, NUMERIC if a value is
 * not finite.
 * Returns: (transfer full): float32 [input->n_tokens, width]. */
float *facet_encoder_run (FacetEncoder            *encoder,
                          FacetBackend            *backend,
                          const FacetEncoderInput *input,
                          FacetEncoderLayerFunc    on_layer,
                          gpointer                 user_data,
                          FacetCancel             *cancel,
                          GError                 **error);

/* The same on whichever of the two is faster, which is found out the first time. */
float *facet_encoder_run_faster (FacetEncoder            *encoder,
                                 FacetBackend            *device,
                                 FacetBackend            *cpu,
                                 const FacetEncoderInput *input,
                                 FacetCancel             *cancel,
                                 GError                 **error);

extern const FacetEncoderClass facet_encoder_siglip;
extern const FacetEncoderClass facet_encoder_mobilenetv5;
extern const FacetEncoderClass facet_encoder_gemma3n_audio;
extern const FacetEncoderClass facet_encoder_gemma4_audio;
extern const FacetEncoderClass facet_encoder_gemma4_vision;
