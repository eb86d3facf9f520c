/* facet-model-fetch.h - all files of one catalogue model, as one download
 *
 * The files come one after the other into the folder of the library; those
 * that are there already are skipped. Properties (notify): "state" (int,
 * FacetDownloadState), "fraction" (double, 0 to 1, -1 unknown), "message"
 * (string, a sentence or NULL).
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include "facet-catalog.h"
#include "facet-download.h"

G_BEGIN_DECLS

#define FACET_TYPE_MODEL_FETCH (facet_model_fetch_get_type ())
G_DECLARE_FINAL_TYPE (FacetModelFetch, facet_model_fetch, FACET, MODEL_FETCH, GObject)

/* @files: (element-type FacetCatalogFile), which must outlive it. */
FacetModelFetch    *facet_model_fetch_new          (GPtrArray *files, const char *folder);

void                facet_model_fetch_start        (FacetModelFetch *self);
void                facet_model_fetch_pause        (FacetModelFetch *self);
void                facet_model_fetch_discard      (FacetModelFetch *self);

FacetDownloadState  facet_model_fetch_get_state    (FacetModelFetch *self);
double              facet_model_fetch_get_fraction (FacetModelFetch *self);
const char         *facet_model_fetch_get_message  (FacetModelFetch *self);

/* Whether a part of one of its files lies on disk. */
gboolean            facet_model_fetch_has_part     (FacetModelFetch *self);

/* Returns: (transfer full): "1.2 GB of 2.5 GB, 12 MB/s" or as much as is known. */
char               *facet_model_fetch_describe     (FacetModelFetch *self);

G_END_DECLS
