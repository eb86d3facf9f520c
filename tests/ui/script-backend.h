/* script-backend.h - a stand-in for the engine that follows a script
 *
 * For tests of the window only; never part of a program that people get. Its
 * words are "tokens": counting counts blanks.
 */
#pragma once

#include "service/facet-engine-backend.h"

typedef struct {
  const char *tool;
  const char *arguments;
} ScriptCall;

/* Written before the service starts or while it is idle. */
typedef struct {
  const char *answer;     /* streamed word by word */
  const char *thoughts;   /* before it, where a request wants them; NULL: none */
  const ScriptCall *calls; /* one in each round that offers tools, before the answer */
  guint       n_calls;
  guint       n_called;
  gboolean    thinks;
  gboolean    at_limit;   /* the context is all that the model was made for */
  guint       delay_usec; /* before each word */
  gboolean    sees;
  gboolean    hears;
  gboolean    judges;     /* pictures, by policies: verdicts are the script's answer all the same */
  int         file_tokens; /* of each picture and sound; 0: 1 */
  FacetStopReason end;    /* how answers end that nobody stops */
  gint        fail;       /* a FacetErrorCode + 1: replies fail with it */
  gint        fail_load;  /* likewise */
  FacetNotice notice;     /* told once, after the next job */
  FacetLoadSpec *spec;    /* what was loaded last; owned, read while the service is idle */
  gboolean    own_sampling; /* of the last request */
  FacetSampling sampling;
  GString    *asked;      /* last request: its instruction and choices, if any, then one line per turn */
} Script;

extern const FacetEngineBackend script_backend;
