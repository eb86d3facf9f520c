/* gguf.h - reading GGUF v2/v3 files over a memory map
 *
 * The file is hostile: every count, length, type and offset is checked before
 * use, errors name the file, the field and the value, and no allocation is
 * larger than what the file itself backs with bytes. Tensor data stays in the
 * map (map.h), which may be torn while it is read: ask facet_gguf_confirm()
 * then. Specification: ggml's docs/gguf.md.
 *
 * Thread-safety: immutable after opening.
 */
#pragma once

#include <glib.h>
#include "gguf/dtype.h"

#define FACET_MAX_DIMS 4

/* A tensor in the map. ne[0] is the fastest dimension: a linear layer
 * [out, in] has ne = { in, out }; missing dimensions are 1. */
typedef struct {
  const char *name;
  FacetDtype  dtype;
  gint64      ne[FACET_MAX_DIMS];
  const void *data;
  gsize       bytes;
  gboolean    mapped;  /* data lies in a file's map, whose pages are there to both sides of it */
} FacetTensor;

/* A view of rows first .. first + n - 1 of a matrix. */
FacetTensor facet_tensor_rows          (const FacetTensor *matrix, gint64 first, gint64 n);
/* A view of matrix @index of a stack with ne = { ne0, ne1, n }. */
FacetTensor facet_tensor_plane         (const FacetTensor *stack, gint64 index);
/* Asks the system to have the rows @ids of a mapped matrix at hand soon; ids
 * that are no rows are passed over. Returns at once. */
void        facet_tensor_prefetch_rows (const FacetTensor *matrix, const gint32 *ids, gsize n);

typedef struct FacetGguf FacetGguf;

/* The first file of a split model opens all of them, which lie beside it. */
FacetGguf  *facet_gguf_open (const char *path, GError **error);
/* A single file over memory that outlives the reader (fuzzing, tests). */
FacetGguf  *facet_gguf_open_bytes (const void *data, gsize size, const char *label, GError **error);
void        facet_gguf_close (FacetGguf *gguf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetGguf, facet_gguf_close)

const char *facet_gguf_path (FacetGguf *gguf);
guint64     facet_gguf_size (FacetGguf *gguf); /* bytes of all its files */
/* Judges what was read or computed from the files, after it was. Returns @done
 * if they are as they were when they were opened; else FALSE, CHANGED in place
 * of any other @error, and the reader is of no use any more. */
gboolean    facet_gguf_confirm (FacetGguf *gguf, gboolean done, GError **error);

/* ---- metadata ----
 * Typed getters: FALSE if the key is absent or has another kind, the value is
 * then untouched. Integers of every width and sign convert if they fit. */
gboolean facet_gguf_get_u32  (FacetGguf *gguf, const char *key, guint32 *value);
gboolean facet_gguf_get_f32  (FacetGguf *gguf, const char *key, float *value);
gboolean facet_gguf_get_bool (FacetGguf *gguf, const char *key, gboolean *value);
/* Strings need not be terminated or valid UTF-8 in the file; the returned
 * copy is terminated and belongs to the reader. NULL if absent. */
const char *facet_gguf_get_string (FacetGguf *gguf, const char *key);
gboolean    facet_gguf_has_key    (FacetGguf *gguf, const char *key);

/* Arrays: length 0 if absent or of another kind. Numbers of any width convert
 * per element. A string element points into the map, not terminated. */
gsize       facet_gguf_array_length (FacetGguf *gguf, const char *key);
gboolean    facet_gguf_array_f32    (FacetGguf *gguf, const char *key, gsize index, float *value);
gboolean    facet_gguf_array_i64    (FacetGguf *gguf, const char *key, gsize index, gint64 *value);
/* Walks an array of strings in order without an index table; FALSE stops. */
typedef gboolean (*FacetGgufStringFunc) (gsize index, const char *bytes, gsize length, gpointer user_data);
gboolean    facet_gguf_array_strings (FacetGguf *gguf, const char *key, FacetGgufStringFunc func, gpointer user_data);
/* Whole numeric array as it lies in the map, or NULL if the element type is
 * not exactly @gguf_type (a GGUF value type number: 5 = i32, 6 = f32). May be
 * unaligned: read with memcpy. */
const void *facet_gguf_array_data (FacetGguf *gguf, const char *key, guint32 gguf_type, gsize *n);

/* ---- tensors ---- */
gsize              facet_gguf_n_tensors (FacetGguf *gguf);
const FacetTensor *facet_gguf_tensor_at (FacetGguf *gguf, gsize index);
/* NULL if absent. */
const FacetTensor *facet_gguf_tensor    (FacetGguf *gguf, const char *name);
