/* facet-catalog.h - models that can be fetched (data/models.json)
 *
 * Sizes and checksums are given only where they are known for sure; where
 * they are not, a download is checked by its length and its GGUF header and
 * the person is told so.
 *
 * Thread-safety: main thread only; everything is immutable.
 */
#pragma once

#include <gio/gio.h>

#include "facet-local-model.h"

G_BEGIN_DECLS

typedef struct {
  char     *name;         /* of the file here */
  char     *url;          /* NULL: not offered for download */
  char     *sha256;       /* NULL: unknown */
  guint64   size;         /* 0: unknown */
  gboolean  is_projector;
  int       precision;    /* FacetPrecision; of models */
} FacetCatalogFile;

#define FACET_TYPE_CATALOG_MODEL (facet_catalog_model_get_type ())
G_DECLARE_FINAL_TYPE (FacetCatalogModel, facet_catalog_model, FACET, CATALOG_MODEL, GObject)

const char  *facet_catalog_model_get_id        (FacetCatalogModel *self);
const char  *facet_catalog_model_get_name      (FacetCatalogModel *self);
const char  *facet_catalog_model_get_licence   (FacetCatalogModel *self);
const char  *facet_catalog_model_get_terms     (FacetCatalogModel *self); /* address */
FacetSenses  facet_catalog_model_get_senses    (FacetCatalogModel *self);
guint        facet_catalog_model_get_memory    (FacetCatalogModel *self); /* GiB that the machine should have */
gboolean     facet_catalog_model_needs_gpu     (FacetCatalogModel *self); /* slow without */

/* Returns: (transfer none) (element-type FacetCatalogFile). */
GPtrArray   *facet_catalog_model_get_files     (FacetCatalogModel *self);

/* The files to fetch for a precision: one model, then its projector if it has
 * one. Empty if nothing is offered. Returns: (transfer container). */
GPtrArray   *facet_catalog_model_pick          (FacetCatalogModel *self, int precision);

/* Returns: (transfer full): a list of FacetCatalogModel, least capable first. */
GListModel  *facet_catalog_parse               (const char *json, gssize length, GError **error);
GListModel  *facet_catalog_load                (GError **error);

/* The most capable that suits this machine and has these senses; NULL if none
 * does. @memory: bytes of the machine. Returns: (transfer none). */
FacetCatalogModel *facet_catalog_recommend     (GListModel *catalog, guint64 memory, gboolean gpu, FacetSenses senses);

/* Bytes of memory of this machine, 0 if unknown. */
guint64      facet_catalog_machine_memory      (void);

G_END_DECLS
