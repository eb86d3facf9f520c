/* dtype.h - the element types of GGUF tensors
 *
 * Numbers are those of the GGUF specification (ggml's docs/gguf.md). A type is
 * stored in blocks of `block` elements of `bytes` bytes; tensors are rows of
 * whole blocks.
 */
#pragma once

#include <glib.h>

typedef enum {
  FACET_F32 = 0,
  FACET_F16 = 1,
  FACET_Q4_0 = 2,
  FACET_Q4_1 = 3,
  FACET_Q5_0 = 6,
  FACET_Q5_1 = 7,
  FACET_Q8_0 = 8,
  FACET_Q2_K = 10,
  FACET_Q3_K = 11,
  FACET_Q4_K = 12,
  FACET_Q5_K = 13,
  FACET_Q6_K = 14,
  FACET_IQ4_NL = 20,
  FACET_IQ4_XS = 23,
  FACET_BF16 = 30,
  FACET_DTYPE_COUNT = 31,
} FacetDtype;

typedef struct {
  const char *name;  /* NULL: not supported */
  guint32     block; /* elements a block */
  guint32     bytes; /* bytes a block */
} FacetDtypeInfo;

/* Any number may be asked; an unsupported one gives an entry with name NULL. */
const FacetDtypeInfo *facet_dtype_info (guint32 dtype);

/* Name of any ggml type, also of unsupported ones ("type 43" if new, "unknown type" if
 * far off). */
const char *facet_dtype_name (guint32 dtype);

/* Bytes of a row of @n elements; @n must be a multiple of the block size. */
gsize facet_dtype_row_bytes (FacetDtype dtype, gsize n);
