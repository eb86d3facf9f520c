/* schema.h - what the arguments of a tool may be
 *
 * A subset of JSON Schema, compiled for the grammar of calls: type (one or
 * several), properties, required, enum (strings, or numbers), items,
 * additionalProperties. Annotations (description, title, default, examples,
 * $schema, $comment, format) are passed over. Any other keyword is refused, since it
 * could not be kept. Unlike in JSON Schema, an object with properties takes
 * no others unless additionalProperties says so.
 *
 * Bounds: 8 levels, 64 properties and 256 enum values each; names of at most
 * 64 letters, digits, "_", "-" and ".".
 *
 * Thread-safety: immutable after compiling.
 */
#pragma once

#include "core/json.h"

#define FACET_SCHEMA_MAX_DEPTH      8
#define FACET_SCHEMA_MAX_PROPERTIES 64
#define FACET_SCHEMA_MAX_CHOICES    256
#define FACET_SCHEMA_MAX_NAME       64

typedef enum {
  FACET_TYPE_STRING = 1 << 0,
  FACET_TYPE_NUMBER = 1 << 1,
  FACET_TYPE_INTEGER = 1 << 2,
  FACET_TYPE_BOOLEAN = 1 << 3,
  FACET_TYPE_NULL = 1 << 4,
  FACET_TYPE_ARRAY = 1 << 5,
  FACET_TYPE_OBJECT = 1 << 6,
} FacetType;

typedef struct FacetSchema FacetSchema;
struct FacetSchema {
  guint              types;      /* of FacetType, at least one */
  GPtrArray         *choices;    /* enum: char *, sorted by bytes; text of strings, literals of numbers; NULL: free */
  const FacetSchema *items;      /* of arrays; NULL: none */
  GPtrArray         *names;      /* of properties: char *, sorted by bytes */
  GPtrArray         *properties; /* FacetSchema, by the same index */
  guint64            required;   /* a bit per property */
  const FacetSchema *extra;      /* of other properties; NULL: there are none */
};

/* Takes any value. */
extern const FacetSchema facet_schema_any;

/* INVALID names the keyword and where it stands. */
FacetSchema *facet_schema_compile (const FacetJson *json, GError **error);
void         facet_schema_free    (FacetSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetSchema, facet_schema_free)

/* Whether @name could be that of a property or a tool. */
gboolean     facet_schema_name_ok (const char *name);
