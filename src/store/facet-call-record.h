/* facet-call-record.h - a call of a tool that a model made on the way to its answer
 *
 * The calls of a message are stored as one JSON array:
 *
 *   [{"tool": "calculator", "arguments": "{\"expression\": \"6*7\"}", "state": "done",
 *     "result": "42", "offset": 0, "round": 0}]
 *
 * The arguments are kept to the letter, since numbers would change when they
 * are read and written.
 *
 * Thread-safety: plain values.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FACET_CALL_OPEN,    /* not answered yet: asked about, or running */
  FACET_CALL_DONE,
  FACET_CALL_FAILED,  /* result says why */
  FACET_CALL_DENIED,  /* by the person */
  FACET_CALL_STOPPED, /* the answer was stopped before */
} FacetCallState;

/* Strings are never NULL. */
typedef struct {
  char          *tool;
  char          *arguments; /* a JSON object */
  char          *result;    /* what came of it; text of a tool, never markup */
  FacetCallState state;
  gsize          offset;    /* bytes of the answer's text that come before it */
  guint          round;     /* calls of one round were made at once */
} FacetCallRecord;

/* OPEN, without a result. */
FacetCallRecord *facet_call_record_new    (const char *tool, const char *arguments, gsize offset, guint round);
void             facet_call_record_free   (FacetCallRecord *record);

/* "" and what is no such array give none; elements that are no calls are left
 * out. An offset beyond or within a letter of @text is moved back to where one begins.
 * Returns: (transfer full) (element-type FacetCallRecord). */
GPtrArray       *facet_call_records_parse (const char *json, const char *text);

/* Returns: (transfer full): "" for none. */
char            *facet_call_records_write (const GPtrArray *records);

G_END_DECLS
