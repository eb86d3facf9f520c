/* loader.h - reading hyper-parameters and tensors with all faults in one error
 *
 * A family asks for everything it needs, then calls facet_loader_finish() once;
 * what was absent or had the wrong shape is listed there, up to a dozen lines.
 */
#pragma once

#include "facet.h"
#include "gguf/gguf.h"

typedef struct {
  FacetGguf  *gguf;
  const char *prefix;  /* of keys, e.g. "gemma3" */
  GString    *faults;
  int         n_faults;
  GPtrArray  *owned;   /* float copies of half-precision vectors */
} FacetLoader;

void     facet_loader_init   (FacetLoader *loader, FacetGguf *gguf, const char *prefix);
/* FALSE and MISSING with the list if anything was wrong. @owned (may be NULL)
 * receives the converted tensors; free it after the last use of the decoder. */
gboolean facet_loader_finish (FacetLoader *loader, GPtrArray **owned, GError **error);
void     facet_loader_fault  (FacetLoader *loader, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Hyper-parameter "PREFIX.@key", within lo..hi; absent: a fault. */
int      facet_loader_int    (FacetLoader *loader, const char *key, int lo, int hi);
/* The same; absent: @fallback. */
int      facet_loader_int_or (FacetLoader *loader, const char *key, int lo, int hi, int fallback);
/* Of layer @index: an element if the key holds an array, else its one number. */
int      facet_loader_int_at (FacetLoader *loader, const char *key, int index, int lo, int hi);
float    facet_loader_float_or (FacetLoader *loader, const char *key, float fallback);

/* A matrix with ne = { ne0, ne1 } of any supported type; a name is printf-like. */
const FacetTensor *facet_loader_matrix (FacetLoader *loader, gint64 ne0, gint64 ne1, const char *name, ...)
  G_GNUC_PRINTF (4, 5);
/* A stack of @n such matrices, ne = { ne0, ne1, n }. */
const FacetTensor *facet_loader_matrices (FacetLoader *loader, gint64 ne0, gint64 ne1, gint64 n, const char *name, ...)
  G_GNUC_PRINTF (5, 6);
/* Whether the file has such a tensor at all. */
gboolean           facet_loader_has      (FacetLoader *loader, const char *name, ...) G_GNUC_PRINTF (2, 3);
/* A vector [n] as 32-bit floats, converted if the file has F16 or BF16. */
const FacetTensor *facet_loader_vector (FacetLoader *loader, gint64 n, const char *name, ...) G_GNUC_PRINTF (3, 4);
/* The kernel v.patch_embd.weight, ne = { patch, patch, 3, width } of F32, F16 or
 * BF16, seen as the matrix that patches are multiplied with: ne = { 3 patch
 * patch, width }. Writes @matrix, a view. */
void     facet_loader_patches (FacetLoader *loader, int patch, int width, FacetTensor *matrix);
/* Any tensor of @n elements in its own order as floats; NULL and a fault if
 * there is none. Returns: (transfer full). */
float *facet_loader_floats (FacetLoader *loader, gint64 n, const char *name);
