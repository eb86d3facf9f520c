/* gguf-private.h - what the parts of the GGUF reader share */
#pragma once

#include "gguf/gguf.h"
#include "gguf/map.h"

/* Value types of the specification. */
typedef enum {
  GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL,
  GGUF_STRING, GGUF_ARRAY, GGUF_U64, GGUF_I64, GGUF_F64,
  GGUF_N_TYPES,
} GgufType;

/* A key and where its value lies in the map. */
typedef struct {
  const char   *key;
  GgufType      type;    /* GGUF_ARRAY: see element and n */
  GgufType      element;
  guint64       n;       /* elements of an array, bytes of a string */
  const guint8 *value;   /* first byte of the value, of the first element or of the text */
  const char   *string;  /* terminated copy, of strings only */
} GgufKv;

struct FacetGguf {
  FacetMap     *map;     /* NULL over foreign memory */
  char         *path;
  const guint8 *data;
  gsize         size;
  guint32       version;
  gsize         alignment;
  GStringChunk *strings;
  GArray       *kvs;     /* GgufKv, in file order */
  GHashTable   *by_key;  /* key -> index + 1 */
  GArray       *tensors; /* FacetTensor, in file order */
  GHashTable   *by_name; /* name -> index + 1 */
  guint32       part, n_parts; /* of a split model: 0 is the first file; else 0 of 1 */
  GPtrArray    *further; /* of FacetGguf: the other files, whose tensors are in the table too */
};

/* Bytes a value of the type takes; 0 for strings, arrays and unknown types. */
gsize         gguf_type_bytes (guint32 type);
const GgufKv *gguf_find       (FacetGguf *gguf, const char *key);
/* Element @index of a scalar (0) or numeric array; FALSE if it is no number,
 * or a fraction asked for as an integer. */
gboolean      gguf_read_i64   (const GgufKv *kv, gsize index, gint64 *value);
gboolean      gguf_read_f64   (const GgufKv *kv, gsize index, double *value);

/* One file by itself; @listing as below. */
FacetGguf    *gguf_open_file  (const char *path, gboolean listing, GError **error);
/* Like facet_gguf_open(), for looking at a file only: tensors of types that
 * Facet cannot compute with are listed (without data), and a further part of a
 * split model opens by itself. */
FacetGguf    *gguf_open_for_listing (const char *path, GError **error);
