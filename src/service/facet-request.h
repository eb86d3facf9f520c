/* facet-request.h - what the window asks of the engine, as a plain value
 *
 * A request is built on the main thread, handed to the engine thread and not
 * changed any more. It holds copies, paths and GBytes only, never a GObject: those die
 * on the main thread.
 *
 * Thread-safety: the reference count is atomic; everything else is immutable
 * once the request was handed over.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

typedef enum {
  FACET_PART_TEXT,
  FACET_PART_PICTURE,
  FACET_PART_SOUND,
  FACET_PART_CALL,   /* of a tool, in a MODEL turn */
  FACET_PART_RESULT, /* of a call before it */
} FacetPartKind;

typedef struct {
  FacetPartKind kind;
  char         *text;  /* TEXT, RESULT: UTF-8 that never becomes markup or a control token; CALL: a JSON object */
  char         *tool;  /* CALL, RESULT: name of the tool */
  char         *path;  /* PICTURE, SOUND: file that outlives the request */
  GBytes       *bytes; /* or what would be in that file; then path is a name for messages */
} FacetPart;

typedef struct {
  FacetRole  role;
  GPtrArray *parts; /* (element-type FacetPart) */
} FacetTurn;

typedef struct {
  char *title; /* as the answer names it, translated */
  char *text;  /* what a picture shall not contain, as the model is told */
} FacetRequestPolicy;

typedef struct {
  gatomicrefcount refs;
  GPtrArray      *turns; /* (element-type FacetTurn) */
  FacetSampling   sampling;
  gboolean        own_sampling; /* FALSE: the family's recommendation */
  int             max_tokens;   /* 0: until the context is full */
  gboolean        thinking;     /* models that can may think before they answer */
  GPtrArray      *tools;        /* FacetTool, which may be called; NULL: none */
  char           *instruction;  /* set: the sounds of the last turn, of any length, are written down by it
                                 * (facet-transcriber.h), and the rest is not asked */
  char           *before, *after; /* set: that text, or @text where there is no instruction, is summarised with these
                                   * words around it (facet-summariser.h) */
  char           *missing;        /* a file that should be in it and cannot be read: the request fails; NULL: none */
  char           *text;           /* of a summary; only used if the request as a whole does not fit the context */
  GPtrArray      *policies;       /* FacetRequestPolicy: the pictures of the last turn are judged by each (facet-engine-check.h), and
                                   * the rest is not asked; NULL: nothing is judged */
} FacetRequest;

FacetRequest *facet_request_new         (void);
FacetRequest *facet_request_ref         (FacetRequest *request);
void          facet_request_unref       (FacetRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetRequest, facet_request_unref)

/* Starts a turn; the parts that follow belong to it. Ending with a MODEL turn
 * asks the model to continue that text. */
void          facet_request_begin_turn  (FacetRequest *request, FacetRole role);
void          facet_request_add_text    (FacetRequest *request, const char *text);
void          facet_request_add_picture (FacetRequest *request, const char *path);
void          facet_request_add_sound   (FacetRequest *request, const char *path);

void          facet_request_add_call    (FacetRequest *request, const char *tool, const char *arguments);
void          facet_request_add_result  (FacetRequest *request, const char *tool, const char *text);

/* An answer that leaves a file out unasked would be a wrong one. */
void          facet_request_set_missing (FacetRequest *request, const char *path);

/* Makes it a transcription. */
void          facet_request_transcribe  (FacetRequest *request, const char *instruction);

/* Makes it a summary, of what facet_request_transcribe() gives or of @text. */
void          facet_request_summarise   (FacetRequest *request, const char *before, const char *after, const char *text);

/* Makes it a check of pictures, by the policies that follow. */
void          facet_request_check       (FacetRequest *request);
void          facet_request_add_policy  (FacetRequest *request, const char *title, const char *text);

/* PICTURE or SOUND that lies in no file of the store; shares @bytes. */
void          facet_request_add_bytes   (FacetRequest *request, FacetPartKind kind, GBytes *bytes, const char *name);

G_END_DECLS
