/* gguf-writer.h - writing a GGUF file (version 3) from its first byte to its last
 *
 * In this order: start, the keys, the tensors' entries, padding, then each
 * tensor's data followed by padding. Nothing is kept.
 */
#pragma once

#include "facet.h"
#include "gguf/gguf-private.h"

typedef struct {
  FacetWriteFunc write;
  gpointer       write_data;
  gsize          alignment;
  guint64        position;   /* bytes written */
  guint64        total;      /* of the whole file as far as it is known, for progress */
  FacetCancel   *cancel;
  FacetProgress  progress;   /* may be NULL */
  gpointer       user_data;
} GgufWriter;

gboolean gguf_write_start   (GgufWriter *w, guint64 n_tensors, guint64 n_keys, GError **error);
/* Any key, whose value lies at kv->value as in a file: of strings and arrays
 * without the length in front. */
gboolean gguf_write_key     (GgufWriter *w, const GgufKv *kv, GError **error);
/* @offset: from the start of the data on. */
gboolean gguf_write_tensor  (GgufWriter *w, const char *name, FacetDtype dtype, const gint64 ne[FACET_MAX_DIMS], guint64 offset,
                             GError **error);
/* Handed on in parts, so that a raised flag is seen soon. */
gboolean gguf_write_bytes   (GgufWriter *w, const void *data, gsize n, GError **error);
/* Zeros up to a multiple of the alignment. */
gboolean gguf_write_padding (GgufWriter *w, GError **error);
