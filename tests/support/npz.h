/* npz.h - reading NumPy's .npz and .npy files in tests
 *
 * Enough for reference values: zip members stored or deflated, either
 * order (handed out in C order), types float16/32/64, signed and unsigned
 * integers and bool. Any fault aborts the test with g_error(): these files
 * belong to the test.
 */
#pragma once

#include <glib.h>

#define NPY_MAX_DIMS 6

typedef struct {
  char    kind;   /* 'f', 'i', 'u' or 'b' */
  int     item;   /* bytes an element, little endian */
  int     n_dims;
  gsize   shape[NPY_MAX_DIMS];
  gsize   n;      /* elements */
  GBytes *bytes;  /* n * item, C order */
} NpyArray;

typedef struct Npz Npz;

Npz            *npz_open  (const char *path);
void            npz_close (Npz *npz);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Npz, npz_close)

/* NULL if there is no such array. Owned by @npz, as is all that it holds. */
const NpyArray *npz_find  (Npz *npz, const char *name);
/* The same, aborting. */
const NpyArray *npz_get   (Npz *npz, const char *name);

/* A single .npy file; free with npy_free(). */
NpyArray       *npy_open  (const char *path);
void            npy_free  (NpyArray *array);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NpyArray, npy_free)

/* Elements converted one by one. Returns: (transfer full): [array->n]. */
float          *npy_floats (const NpyArray *array);
gint32         *npy_ints   (const NpyArray *array);
