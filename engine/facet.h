/* facet.h - the public interface of the Facet engine
 *
 * Everything that the window (src/) and the terminal program (src/cli/) can do
 * goes through this header; they include no other engine header.
 *
 *   FacetModel    loaded weights, tokenizer and, if given, a projector
 *   FacetPrompt   ordered turns of text, pictures and sound
 *   FacetSession  one timeline: the KV cache and the logits of a model
 *
 * Thread-safety: a FacetModel may be shared, it is immutable after loading. A
 * FacetSession and everything reached through it belong to one thread at a
 * time. A FacetPrompt is a plain value. FacetCancel is the only object that
 * may be touched from another thread while a call runs.
 *
 * Parameter structs are zero-is-default: { 0 } asks for the usual behaviour.
 * Functions that take a GError return FALSE/NULL exactly when it is set.
 * Messages name file, field and value; they are for logs, the program shows
 * its own sentence per code.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* ---- errors ------------------------------------------------------------- */

#define FACET_ERROR (facet_error_quark ())
GQuark facet_error_quark (void);

typedef enum {
  FACET_ERROR_IO,            /* file missing, unreadable or cut short */
  FACET_ERROR_NOT_A_MODEL,   /* not a GGUF file at all */
  FACET_ERROR_CORRUPT,       /* a GGUF file whose contents contradict themselves */
  FACET_ERROR_UNSUPPORTED,   /* a sound file that needs something Facet lacks */
  FACET_ERROR_MISSING,       /* a tensor or key that the family needs is absent */
  FACET_ERROR_NO_MEMORY,     /* does not fit; said before anything was taken */
  FACET_ERROR_CONTEXT_FULL,  /* the prompt does not fit the context */
  FACET_ERROR_CANCELLED,     /* facet_cancel() was called */
  FACET_ERROR_INVALID,       /* the caller's argument makes no sense */
  FACET_ERROR_MEDIA,         /* a picture or sound that cannot be decoded */
  FACET_ERROR_NO_ENCODER,    /* picture or sound, but no fitting projector */
  FACET_ERROR_DEVICE,        /* the GPU failed and could not be brought back */
  FACET_ERROR_NUMERIC,       /* NaN or infinity where numbers should be */
  FACET_ERROR_CHANGED,       /* a model's file is not what it was when it was loaded: load it again */
} FacetErrorCode;

/* ---- cancelling and progress -------------------------------------------- */

/* A flag that any thread may raise. Polled between plan segments and tokens;
 * every call that takes one returns within 200 ms of facet_cancel(). */
typedef struct {
  gint raised;
} FacetCancel;

void     facet_cancel       (FacetCancel *cancel);
void     facet_cancel_reset (FacetCancel *cancel);
gboolean facet_is_cancelled (FacetCancel *cancel); /* NULL: FALSE */

typedef enum {
  FACET_PHASE_LOAD,
  FACET_PHASE_ENCODE_IMAGE,
  FACET_PHASE_ENCODE_AUDIO,
  FACET_PHASE_PREFILL,
  FACET_PHASE_DECODE,
  FACET_PHASE_WRITE,
} FacetPhase;

/* Called in the calling thread; done and total are in the phase's own unit
 * (bytes, blocks, tokens), total 0 when unknown. */
typedef void (*FacetProgress) (FacetPhase phase, guint64 done, guint64 total, gpointer user_data);

/* ---- looking at files without loading them ------------------------------ */

typedef enum {
  FACET_FAMILY_UNKNOWN,
  FACET_FAMILY_GEMMA3,
  FACET_FAMILY_GEMMA3N,
  FACET_FAMILY_GEMMA4,
} FacetFamily;

/* What a GGUF file says of itself. Strings are owned, never NULL. */
typedef struct {
  FacetFamily family;        /* UNKNOWN for projectors and foreign models */
  char       *path;
  char       *architecture;  /* general.architecture */
  char       *name;          /* general.name, "" if absent */
  char       *quantization;  /* dominant tensor type, e.g. "Q4_K_M" or "F16" */
  guint64     file_bytes;    /* of all files */
  guint64     parameters;    /* sum of tensor elements */
  guint32     context_length;
  guint32     width;         /* embedding length; of a projector: projection width */
  guint32     layers;
  gboolean    is_projector;  /* general.architecture = clip */
  gboolean    has_vision;    /* of a projector */
  gboolean    has_audio;     /* of a projector */
  char       *projector_type;
  gboolean    has_chat_template; /* FALSE marks a base model */
  gboolean    is_safety;     /* ShieldGemma: judges by policies, does not chat. Of the GEMMA3 family: pictures */
  char      **files;         /* path, then the further files of a split model */
  guint32     part;          /* 0, or which further file this is: only the first one is a model */
} FacetModelInfo;

FacetModelInfo *facet_model_info_read (const char *path, GError **error);
void            facet_model_info_free (FacetModelInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetModelInfo, facet_model_info_free)

/* Whether the projector's width and type suit the model. */
gboolean facet_projector_fits (const FacetModelInfo *model, const FacetModelInfo *projector);

/* The whole metadata and tensor list of any GGUF file as text or JSON.
 * Returns: (transfer full): UTF-8. */
char *facet_gguf_describe (const char *path, gboolean json, GError **error);

/* ---- devices ------------------------------------------------------------ */

typedef enum {
  FACET_BACKEND_AUTO,
  FACET_BACKEND_CPU,
  FACET_BACKEND_VULKAN,
} FacetBackendKind;

/* Every device of every backend, as a JSON array: "backend", "device" (its number), "name"; of graphics devices also "kind", "driver",
 * "vulkan", "memory" (bytes of its own), "heaps" ("bytes", "own", "budget": what may be used now, or null), "features", "unfit" (why it cannot be used, or ""), "self_test" ("works", "works without" and kernels, what failed, or "").
 * Without any graphics device one of number 0 and without a name has "unfit": why there is none.
 * Returns: (transfer full). */
char *facet_devices_describe (void);

/* ---- models ------------------------------------------------------------- */

typedef enum {
  FACET_KV_F16,
  FACET_KV_Q8_0,
  FACET_KV_F32, /* what exact models take, whatever is asked for */
} FacetKvType;

typedef struct {
  const char      *projector; /* path of the mmproj file; NULL: none */
  FacetBackendKind backend;
  int              device;    /* number from facet_devices_describe(), 0: the best that is no software */
  int              threads;   /* 0: physical cores, one left free when more than two */
  gboolean         exact;     /* float activations everywhere; slow, for checking */
  int              image_detail; /* most soft tokens of a picture; 0: usual. Gemma 4: 70, 140, 280, 560, 1120 */
  guint64          device_memory; /* bytes to use of a graphics device at most; 0: what it has left */
  FacetCancel     *cancel;
  FacetProgress    progress;
  gpointer         user_data;
} FacetModelParams;

typedef struct FacetModel FacetModel;

FacetModel           *facet_model_load  (const char *path, const FacetModelParams *params, GError **error);
FacetModel           *facet_model_ref   (FacetModel *model);
void                  facet_model_unref (FacetModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetModel, facet_model_unref)

const FacetModelInfo *facet_model_get_info       (FacetModel *model);
const char           *facet_model_backend_name   (FacetModel *model); /* e.g. "cpu (avx512)" */
gboolean              facet_model_accepts_images (FacetModel *model);
gboolean              facet_model_accepts_audio  (FacetModel *model);

/* ---- memory ------------------------------------------------------------- */

typedef struct {
  guint64 weights;   /* bytes of the files that every token passes through */
  guint64 lookup;    /* of tables that stay in the file and are read row by row; not in the total */
  guint64 kv_cache;
  guint64 compute;   /* activations, scratch and logits */
  guint64 total;
  guint64 available; /* on this machine now */
} FacetMemoryPlan;

/* What a session of @context tokens would take, from the files' headers
 * alone. @projector may be NULL; @context 0: the model's own length. */
gboolean facet_plan_memory (const char      *path,
                            const char      *projector,
                            int              context,
                            FacetKvType      kv_type,
                            FacetMemoryPlan *plan,
                            GError         **error);

/* ---- tokens ------------------------------------------------------------- */

/* Appends the ids of @text to @ids (a GArray of gint32). @length -1: until
 * NUL. As the vocabulary reads it, for looking at tokens and for scoring:
 * user-defined pieces match, control pieces only with @parse_special. (The
 * text of prompts is read more strictly.) Invalid UTF-8 becomes byte tokens.
 * No BOS is added. */
void  facet_tokenize    (FacetModel *model, const char *text, gssize length, gboolean parse_special, GArray *ids);

/* Appends the bytes that @id stands for; control tokens stand for nothing. */
void  facet_token_bytes (FacetModel *model, gint32 id, GString *bytes);

/* The vocabulary entry itself, e.g. "<bos>" or "▁the"; NULL if out of range. */
const char *facet_token_piece (FacetModel *model, gint32 id);

gint32 facet_token_bos (FacetModel *model);

/* The id that holds the rows of a picture or, @audio, of a sound where whole
 * prompts are written as ids; it may be one past the vocabulary, and is -1 if
 * the family has none. */
gint32 facet_token_placeholder (FacetModel *model, gboolean audio);

/* ---- encoders ----------------------------------------------------------- */

/* A projector file: what turns pictures (and sound) into soft tokens for a
 * text model of the same width. Models load theirs by themselves; on its own
 * it serves programs that want the soft tokens. What was encoded is kept by
 * content hash within a memory budget. Belongs to one thread at a time. */
typedef struct FacetProjector FacetProjector;

/* Only backend, device, threads, exact and image_detail of @params (NULL:
 * usual) count. */
FacetProjector *facet_projector_load (const char *path, const FacetModelParams *params, GError **error);
void            facet_projector_free (FacetProjector *projector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetProjector, facet_projector_free)

int             facet_projector_width (FacetProjector *projector);
/* How often an encoder has run, that is, was not answered from the store. */
guint           facet_projector_runs (FacetProjector *projector);
/* Bytes of soft tokens kept at most (64 MiB at first); 0 keeps none. */
void            facet_projector_set_budget (FacetProjector *projector, gsize bytes);
/* The model's own, NULL if it was loaded without. */
FacetProjector *facet_model_get_projector (FacetModel *model);

/* ---- prompts ------------------------------------------------------------ */

typedef enum {
  FACET_ROLE_SYSTEM,
  FACET_ROLE_USER,
  FACET_ROLE_MODEL,
} FacetRole;

/* How turns become tokens. */
typedef enum {
  FACET_TEMPLATE_AUTO,       /* FAMILY if the file has a chat template, else TRANSCRIPT */
  FACET_TEMPLATE_FAMILY,     /* the family's own turn markers */
  FACET_TEMPLATE_TRANSCRIPT, /* a few-shot transcript, for base models */
  FACET_TEMPLATE_RAW,        /* BOS and the text as it is */
  FACET_TEMPLATE_POLICY,     /* one turn of a picture and a policy, as ShieldGemma 2 is asked */
} FacetTemplate;

typedef struct FacetPrompt FacetPrompt;

FacetPrompt *facet_prompt_new          (FacetTemplate how);
void         facet_prompt_free         (FacetPrompt *prompt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetPrompt, facet_prompt_free)

/* Starts a turn; the parts that follow belong to it. Ending the prompt with a
 * MODEL turn asks the model to continue that text. */
void         facet_prompt_begin_turn   (FacetPrompt *prompt, FacetRole role);
void         facet_prompt_add_text     (FacetPrompt *prompt, const char *text, gssize length);

/* Only for RAW prompts: token ids as they are, no BOS is put in front, and
 * media stand alone. */
void         facet_prompt_add_tokens   (FacetPrompt *prompt, const gint32 *ids, gsize n);

/* ---- sessions ----------------------------------------------------------- */

typedef struct {
  int         context; /* tokens; 0: the smaller of the model's length and 4096 */
  FacetKvType kv_type;
  int         chunk;   /* prefill rows per step; 0: 512 */
  /* While weights are brought to a graphics device and its programs are built. */
  FacetCancel  *cancel;
  FacetProgress progress; /* FACET_PHASE_LOAD */
  gpointer      user_data;
} FacetSessionParams;

typedef struct FacetSession FacetSession;

/* Refused with NO_MEMORY before anything is taken if it would not fit. */
FacetSession *facet_session_new  (FacetModel *model, const FacetSessionParams *params, GError **error);
void          facet_session_free (FacetSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetSession, facet_session_free)

int           facet_session_context (FacetSession *session);

/* Tokens that @prompt takes in this session, soft tokens included, and how
 * many of them are already in the cache (@cached may be NULL). Returns -1 on
 * error. */
int           facet_session_count (FacetSession *session, FacetPrompt *prompt, int *cached, GError **error);

typedef struct {
  float   temperature;    /* 0: greedy; <0: 1.0 is meant by the caller's own default */
  int     top_k;          /* 0: off */
  float   top_p;          /* 0 or 1: off */
  float   min_p;          /* 0: off */
  float   repeat_penalty; /* 0 or 1: off */
  int     repeat_last;    /* tokens looked back on; 0: 64 */
  guint64 seed;           /* 0: a fresh one */
} FacetSampling;

/* The family's recommendation (Gemma: 1.0, 64, 0.95; transcript: greedy with
 * a mild penalty). */
FacetSampling facet_model_default_sampling (FacetModel *model);

typedef enum {
  FACET_STOP_EOS,       /* the model ended its turn, or a stop string came */
  FACET_STOP_LENGTH,    /* max_tokens reached */
  FACET_STOP_CONTEXT,   /* the context is full */
  FACET_STOP_CANCELLED, /* facet_cancel() */
  FACET_STOP_LOOP,      /* the text repeats itself without end */
} FacetStopReason;

const char *facet_stop_reason_name (FacetStopReason reason); /* "eos", "length", ... */

/* Whole UTF-8, never split inside a character; @id is the last token. */
typedef void (*FacetTextFunc) (const char *text, gsize length, gpointer user_data);

typedef struct {
  FacetSampling      sampling;
  int                max_tokens;   /* 0: until the context is full */
  gboolean           endless;      /* for measuring: go on past end tokens, stop strings and loops */
  const char *const *stop_strings; /* NULL-terminated; added to the template's own */
  FacetTextFunc      on_text;
  FacetTextFunc      on_thought;   /* what the model thinks before it answers */
  FacetProgress      on_progress;
  gpointer           user_data;
  FacetCancel       *cancel;
} FacetReplyParams;

typedef struct {
  int         prompt_tokens;   /* all of the prompt */
  int         cached_tokens;   /* of these, not computed again */
  int         crops;           /* parts of pictures shown beside the whole */
  int         crop_tokens;     /* of prompt_tokens */
  double      prefill_seconds;
  int         generated_tokens;
  double      decode_seconds;  /* from the first token to the last */
  double      driver_seconds;  /* of these, in the driver of a graphics device that computes every layer; else 0 */
  double      first_token_seconds;
} FacetStats;

typedef struct {
  char           *text;     /* whole answer, UTF-8, without thoughts and calls */
  char           *thoughts; /* "": none */
  GPtrArray      *calls;    /* FacetCall (facet-tools.h), of the prompt's tools, in order */
  GArray         *ids;      /* gint32 */
  FacetStopReason stop_reason;
  FacetStats      stats;
} FacetReply;

void facet_reply_clear (FacetReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetReply, facet_reply_clear)

/* Brings the session to @prompt (reusing the longest prefix it already holds)
 * and answers it. Cancelling is no error: the reply keeps the text so far and
 * says CANCELLED. CONTEXT_FULL is reported before any work is done. */
gboolean facet_session_reply (FacetSession           *session,
                              FacetPrompt            *prompt,
                              const FacetReplyParams *params,
                              FacetReply             *reply,
                              GError                **error);

/* ---- logits, for programs that score ------------------------------------ */

/* Brings the session to @prompt and computes logits: of the last row, or of
 * every row if @all. Writes float32 [1 or n, vocab] into @logits (cleared
 * first). Soft tokens count as rows. */
gboolean facet_session_logits (FacetSession  *session,
                               FacetPrompt   *prompt,
                               gboolean       all,
                               GArray        *logits,
                               FacetCancel   *cancel,
                               GError       **error);

/* Log-probability of each of @ids given the ones before it; the first is NaN.
 * Writes n doubles. */
gboolean facet_session_score (FacetSession *session,
                              const gint32 *ids,
                              gsize         n,
                              double       *logprobs,
                              FacetCancel  *cancel,
                              GError      **error);

/* Called with float32 [rows, width] of each layer's output while computing,
 * in order, layer -1 being the input embeddings. For checking; slow. */
typedef void (*FacetLayerFunc) (int layer, const float *data, gsize rows, gsize width, gpointer user_data);
void facet_session_set_layer_func (FacetSession *session, FacetLayerFunc func, gpointer user_data);

int  facet_model_vocab_size (FacetModel *model);

G_END_DECLS

#include "facet-devices.h"
#include "facet-pictures.h"
#include "facet-sound.h"
#include "facet-submodel.h"
#include "facet-tools.h"
