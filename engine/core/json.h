/* json.h - JSON values (RFC 8259)
 *
 * For schemas, arguments and results of tools, which come from people's files
 * and from models: strict, bounded in size and depth. Numbers keep the text
 * they were written with. Strings hold no NUL.
 *
 * Thread-safety: immutable after parsing.
 */
#pragma once

#include <glib.h>

#define FACET_JSON_MAX_BYTES (1u << 20)
#define FACET_JSON_MAX_DEPTH 32

typedef enum {
  FACET_JSON_NULL,
  FACET_JSON_BOOLEAN,
  FACET_JSON_NUMBER,
  FACET_JSON_STRING,
  FACET_JSON_ARRAY,
  FACET_JSON_OBJECT,
} FacetJsonKind;

typedef struct FacetJson FacetJson;
struct FacetJson {
  FacetJsonKind kind;
  gboolean      boolean;
  char         *text;  /* of numbers and strings */
  GPtrArray    *names; /* of objects: char *, each one once, in the order written */
  GPtrArray    *items; /* of arrays and objects: FacetJson * */
};

/* INVALID says at which byte. @length -1: until NUL. */
FacetJson *facet_json_parse (const char *text, gssize length, GError **error);
/* The same where a member may come again; the last one counts. */
FacetJson *facet_json_parse_last (const char *text, gssize length, GError **error);
void       facet_json_free  (FacetJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetJson, facet_json_free)

/* NULL if @json is no object or has no such member. */
const FacetJson *facet_json_member (const FacetJson *json, const char *name);
/* The text of a member that is a string, else NULL. */
const char      *facet_json_string (const FacetJson *json, const char *name);

/* Appends @json without blanks between. */
void facet_json_write        (GString *out, const FacetJson *json);
/* Appends valid UTF-8 as it stands inside the quotes of a string. */
void facet_json_write_escaped (GString *out, const char *text, gsize length);
