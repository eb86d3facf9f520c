/* facet-submodel.h - models that are nested in larger ones
 *
 * Gemma 3n is trained so that smaller models lie within it (MatFormer, arXiv
 * 2310.07707): the first columns of each feed-forward layer are one by
 * themselves, and some layers can be left out. Its E2B is E4B without layers
 * 20 to 24 and with a feed-forward width of 8192 instead of 16384.
 *
 * Part of facet.h, which includes it.
 */
#pragma once

#include <glib.h>
#include "facet.h"

G_BEGIN_DECLS

/* Takes the next @n bytes of a file; FALSE and an error end the work. */
typedef gboolean (*FacetWriteFunc) (const void *data, gsize n, gpointer user_data, GError **error);

typedef struct {
  const int     *left_out;       /* layers without which the sub-model is, counted from 0; NULL: none */
  int            n_left_out;
  const int     *feed_forward;   /* widths: one for each layer that stays, or one for all; NULL: as they are */
  int            n_feed_forward;
  FacetCancel   *cancel;
  FacetProgress  progress;       /* FACET_PHASE_WRITE, in bytes */
  gpointer       user_data;
} FacetSubmodel;

/* Cuts a model of Gemma 3n and writes what is left as a GGUF file, from its
 * first byte to its last. Numbers stay as they are, quantised or not: widths
 * must be whole blocks of the type of each `ffn_down`. Tensors go through as
 * they lie in the map; nothing is written before all is known to fit. INVALID:
 * another family, a layer that others read keys and values of, a width that
 * does not fit; CHANGED: the model's file was changed meanwhile, what was
 * written is worth nothing. Unused layers' weights are left behind; a
 * projector of the whole model fits the sub-model. */
gboolean facet_submodel_write (const char          *path,
                               const FacetSubmodel *what,
                               FacetWriteFunc       write,
                               gpointer             write_data,
                               GError             **error);

G_END_DECLS
