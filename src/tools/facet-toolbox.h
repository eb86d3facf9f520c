/* facet-toolbox.h - tools that a model may be offered, and running them
 *
 * The built-in ones compute, tell the time, convert units and read a file.
 * A person's own are described in a JSON file:
 *
 *   { "tools": [ { "name": "weather", "description": "Weather of a city.",
 *                  "parameters": { "type": "object", "properties": { ... } },
 *                  "command": ["weather-now", "--city", "{city}"] } ] }
 *
 * The command is run without a shell. Elements that are an argument's name in
 * braces become its value (strings as they are, the rest as JSON) or, if it
 * was not given, are left out; a value that begins with "-" is refused, since
 * the command might take it for an option. All arguments also go to the
 * command's standard input as a JSON object. Its standard output is the result.
 *
 * Whatever touches the person's files or runs a command is asked about first:
 * facet_toolbox_question() says what, and the program does not run the call
 * without a yes.
 *
 * Thread-safety: immutable, reference counted; facet_toolbox_run() may be called in any thread.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

#define FACET_TOOLBOX_ERROR (facet_toolbox_error_quark ())
GQuark facet_toolbox_error_quark (void);

typedef enum {
  FACET_TOOLBOX_ERROR_FILE,   /* the file of tools is not as it should be */
  FACET_TOOLBOX_ERROR_CALL,   /* the call cannot be answered; the message is for the model */
} FacetToolboxErrorCode;

typedef struct FacetToolbox FacetToolbox;

FacetToolbox *facet_toolbox_new_builtin (void);
FacetToolbox *facet_toolbox_new_from_file (const char *path, GError **error);
/* The tools of both, in order; FILE if they share a name. */
FacetToolbox *facet_toolbox_new_joined  (FacetToolbox *first, FacetToolbox *second, GError **error);
FacetToolbox *facet_toolbox_ref         (FacetToolbox *toolbox);
void          facet_toolbox_unref       (FacetToolbox *toolbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetToolbox, facet_toolbox_unref)

/* How often the model may go on after results before it must answer without tools. */
#define FACET_TOOLBOX_MAX_ROUNDS 8

/* What the model is told of a call that the person did not allow. */
#define FACET_TOOLBOX_DENIED "The person did not allow this."

/* Of FacetTool, for facet_prompt_set_tools(). */
GPtrArray    *facet_toolbox_tools       (FacetToolbox *toolbox);

/* What people call the tool named @name: a translated word for the built-in
 * ones, @name itself for others. */
const char   *facet_toolbox_title       (const char *name);

/* Text of a model with its control and direction characters made visible, so
 * that it cannot pretend to be another one. Returns: (transfer full). */
char         *facet_toolbox_reveal      (const char *text);

/* What the call is about to do, as a question for the person; NULL if it is
 * harmless. Holds text of the model, revealed: show it as plain text.
 * Returns: (transfer full) (nullable). */
char         *facet_toolbox_question    (FacetToolbox *toolbox, const FacetCall *call);

/* What the call opens: a file that it reads, or (@command) the command line
 * that it runs; NULL: nothing. Returns: (transfer full) (nullable). */
char         *facet_toolbox_target      (FacetToolbox *toolbox, const FacetCall *call, gboolean *command);

/* Runs the call and gives its result, at most 64 KiB of UTF-8. Takes at most
 * 30 seconds. An error's message is what the model should be told instead.
 * Returns: (transfer full). */
char         *facet_toolbox_run         (FacetToolbox *toolbox, const FacetCall *call, FacetCancel *cancel, GError **error);

G_END_DECLS
