/* script-backend.h - a stand-in for the engine that follows a script
 *
 * For tests of the window only; never part of a program that people get. Its
 * words are "tokens": counting counts blanks.
 */
#pragma once

#include "service/facet-engine-backend.h"

/* Written before the service starts or while it is idle. */
typedef struct {
  const char *answer;     /* streamed word by word */
  guint       delay_usec; /* before each word */
  gboolean    sees;
  gboolean    hears;
  int         file_tokens; /* of each picture and sound; 0: 1 */
  gint        fail;       /* a FacetErrorCode + 1: replies fail with it */
  gint        fail_load;  /* likewise */
  GString    *asked;      /* last request: its instruction, if any, then one line per turn */
} Script;

extern const FacetEngineBackend script_backend;
