/* facet-toolbox-private.h - what the sources of toolboxes share */
#pragma once

#include <json-glib/json-glib.h>

#include "facet-toolbox.h"

#define FACET_TOOLBOX_MAX_RESULT 65536

/* @arguments fit the tool's schema. */
typedef char *(*FacetToolRun) (JsonObject *arguments, GError **error);
typedef char *(*FacetToolQuestion) (JsonObject *arguments);

typedef struct {
  const char       *name, *description, *parameters;
  const char       *title;    /* N_(), for people */
  const char       *file;     /* the argument that names a file to be read; NULL: none */
  FacetToolRun      run;
  FacetToolQuestion question; /* NULL: harmless */
} FacetBuiltinTool;

extern const FacetBuiltinTool facet_builtin_tools[];
extern const guint            facet_n_builtin_tools;

/* The command line that a call becomes. Returns: (transfer full): NULL-terminated. */
GStrv    facet_command_fill (const char *const *command, JsonObject *arguments, GError **error);
/* Writes @input to its standard input and returns what it writes. */
char    *facet_command_run  (const char *const *command, const char *input, FacetCancel *cancel, GError **error);

/* Sets a CALL error. */
void     facet_toolbox_fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
