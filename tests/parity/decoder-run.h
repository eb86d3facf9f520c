/* decoder-run.h - a decoder on given rows, without tokenizer and encoders
 *
 * Soft rows are the reference's own embeddings, so that an error of the
 * decoder stays apart from one of an encoder. Any fault aborts the test.
 */
#pragma once

#include "backend/backend.h"
#include "compare.h"
#include "models/family.h"
#include "npz.h"

/* A prompt of the reference kit. */
typedef struct {
  Npz    *npz;
  int     n;         /* rows */
  gint32 *ids;       /* [n], soft rows as FacetStep has them */
  float  *soft;      /* [n_soft, width] */
  int     n_soft;
  gint32 *visible;   /* [n] */
  gint32 *pos;       /* [n_pos] rows of which values are stored */
  int     n_pos;
} KitPrompt;

/* @image_id: placeholder of picture rows, whose spans see each other. Ids from
 * @text_vocab on are soft rows, too. */
KitPrompt *kit_prompt_open (const char *folder, const char *name, int width, gint32 image_id, gint32 text_vocab);
void       kit_prompt_free (KitPrompt *prompt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KitPrompt, kit_prompt_free)

typedef struct {
  FacetGguf    *gguf;
  FacetDecoder *decoder;
  FacetBackend *backend;
  FacetKvType   cache;   /* of the next prompt: F32 where exact, else F16, until changed */
  FacetKv      *kv;      /* of the last prompt */
} DecoderRun;

/* A file of the kit, unpacked if its name ends in .gz. Returns: (transfer full). */
char       *kit_model_bytes (const char *folder, const char *file, gsize *size);
DecoderRun *decoder_run_new  (const char *folder, const char *file, gboolean exact, int threads);
/* The same of a file that is open; takes it over. */
DecoderRun *decoder_run_open (FacetGguf *gguf, gboolean exact, int threads);
void        decoder_run_free (DecoderRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecoderRun, decoder_run_free)

/* Float32 [rows, width] of a layer's output (-1: the embeddings) for one step. */
typedef void (*DecoderLayerFunc) (int layer, const float *data, int rows, int width, gpointer user_data);

/* Computes the prompt from its first row in steps of @chunk rows (0: one) with
 * the graph @what. Returns: (transfer full): [n_outputs, vocab] of the rows
 * @outputs, ascending. @func may be NULL; it needs FACET_BUILD_MARK_LAYERS. */
float *decoder_run_prompt (DecoderRun *run, const KitPrompt *prompt, int chunk, FacetBuild what,
                           const gint32 *outputs, int n_outputs, DecoderLayerFunc func, gpointer user_data);
/* Nodes of the usual graph that store keys and values, and attentions of token rows and of output rows. */
typedef struct {
  int stores, of_tokens, of_outputs;
} DecoderNodes;
DecoderNodes decoder_run_count (const DecoderRun *run);
/* One row after the last prompt. Returns: (transfer full): [vocab]. */
float *decoder_run_token (DecoderRun *run, gint32 id, int position);
