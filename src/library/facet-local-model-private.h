/* facet-local-model-private.h - what a scan finds, and the object made of it */
#pragma once

#include "facet-local-model.h"

G_BEGIN_DECLS

/* One file after a scan. Plain data, made in the scanning thread. */
typedef struct {
  char            *path;
  FacetModelInfo  *info;       /* NULL with a problem */
  char            *problem;
  char            *projector;  /* path or NULL */
  FacetSenses      senses;
  FacetMemoryPlan  memory;
  gboolean         has_memory;
} FacetScanned;

void             facet_scanned_free    (FacetScanned *scanned);

/* Takes @scanned. */
FacetLocalModel *facet_local_model_new (FacetScanned *scanned);

/* What to look at; plain copies for the thread. */
typedef struct {
  char       **folders;
  char       **files;
  int          context;
  FacetKvType  kv_type;
} FacetScan;

void             facet_scan_free       (FacetScan *scan);

/* Returns: (transfer full) (element-type FacetScanned): models, no projectors.
 * Any thread. */
GPtrArray       *facet_scan_run        (const FacetScan *scan);

G_END_DECLS
