/* facet-tools.h - the part of the public interface that is about tools
 *
 * A tool is a function that the model may ask for: a name, a description and
 * a JSON schema of its arguments. The engine tells the model about it in the
 * family's own way, keeps every call well formed while it is being written
 * (only tokens that lead to a valid call can be drawn), hands it over parsed,
 * and shows the model the result. It runs nothing: that is the program's
 * part, and the person's decision.
 *
 * Included by facet.h, which is what programs include.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

/* Thread-safety: immutable, reference counted, may be shared. */
typedef struct FacetTool FacetTool;

/* @parameters: a JSON schema of type object, in the subset that
 * engine/tools/schema.h lists; NULL: the tool takes no arguments. @name has at
 * most 64 letters, digits, "_", "-" and ".". INVALID says what is wrong. */
FacetTool  *facet_tool_new         (const char *name, const char *description, const char *parameters, GError **error);
FacetTool  *facet_tool_ref         (FacetTool *tool);
void        facet_tool_unref       (FacetTool *tool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetTool, facet_tool_unref)

const char *facet_tool_name        (FacetTool *tool);
const char *facet_tool_description (FacetTool *tool);

/* How calls are written. */
typedef enum {
  FACET_CALLS_FAMILY, /* Gemma 4: its own tokens; others: JSON */
  FACET_CALLS_JSON,   /* {"function_name": ..., "parameters": {...}} */
  FACET_CALLS_LINES,  /* FUNCTION_CALL: name(a="b", n=3) */
} FacetCallForm;

typedef enum {
  FACET_TOOLS_OFFERED,  /* the model decides */
  FACET_TOOLS_REQUIRED, /* the answer is a call */
} FacetToolChoice;

/* Offers @tools (of FacetTool) for the answer to @prompt. Tools need a
 * template: AUTO takes the family's or a transcript as without. */
void facet_prompt_set_tools    (FacetPrompt *prompt, GPtrArray *tools, FacetToolChoice choice, FacetCallForm form);

/* Lets models that can think before they answer (Gemma 4); otherwise they
 * are told not to. */
void facet_prompt_set_thinking (FacetPrompt *prompt, gboolean thinking);

/* In a MODEL turn, after the text given so far: a call that the model made,
 * with @arguments a JSON object, and the result of one. The model goes on
 * with the same turn after results. Results are text that cannot act: no part
 * of it becomes a control token. */
gboolean facet_prompt_add_call   (FacetPrompt *prompt, const char *name, const char *arguments, GError **error);
void     facet_prompt_add_result (FacetPrompt *prompt, const char *name, const char *text, gssize length);
/* The same with a JSON object for a result. */
gboolean facet_prompt_add_result_json (FacetPrompt *prompt, const char *name, const char *json, GError **error);

/* A call as the model made it. */
typedef struct {
  char *name;      /* of one of the tools */
  char *arguments; /* a JSON object that fits the tool's schema */
} FacetCall;

void facet_call_free (FacetCall *call);

/* The calls that @text consists of (FacetCall), in @form, which must not be
 * FAMILY, with nothing else but blanks around them. INVALID says which byte
 * is not as the tool's schema wants it. Returns: (transfer full). */
GPtrArray *facet_calls_parse (GPtrArray *tools, FacetCallForm form, const char *text, gssize length, GError **error);

G_END_DECLS
