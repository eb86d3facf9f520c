/* facet-catalog-row.h - one model of the catalogue with its download
 *
 * Signal: "fetched", after all files have arrived. Before the first download
 * the person is shown source and licence and agrees.
 *
 * Accessibility: the row is labelled by the model's name; every button names
 * what it does.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

#include "facet-catalog.h"

G_BEGIN_DECLS

#define FACET_TYPE_CATALOG_ROW (facet_catalog_row_get_type ())
G_DECLARE_FINAL_TYPE (FacetCatalogRow, facet_catalog_row, FACET, CATALOG_ROW, AdwPreferencesRow)

/* @folder: where the files go. @precision: FacetPrecision. */
FacetCatalogRow   *facet_catalog_row_new             (FacetCatalogModel *model, int precision, const char *folder);
FacetCatalogModel *facet_catalog_row_get_model       (FacetCatalogRow *self);
void               facet_catalog_row_set_recommended (FacetCatalogRow *self, gboolean recommended);

/* Whether a download is under way. */
gboolean           facet_catalog_row_is_busy         (FacetCatalogRow *self);

/* Returns: (transfer none): "Text and pictures", translated. */
const char        *facet_senses_describe             (FacetSenses senses);

G_END_DECLS
