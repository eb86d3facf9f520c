/* facet-local-model.h - one model file on this machine
 *
 * Thread-safety: main thread only; immutable but for the memory plan.
 */
#pragma once

#include <glib-object.h>

#include "facet.h"

G_BEGIN_DECLS

#define FACET_TYPE_LOCAL_MODEL (facet_local_model_get_type ())
G_DECLARE_FINAL_TYPE (FacetLocalModel, facet_local_model, FACET, LOCAL_MODEL, GObject)

typedef enum {
  FACET_SENSE_TEXT = 1 << 0,
  FACET_SENSE_IMAGES = 1 << 1,
  FACET_SENSE_SOUND = 1 << 2,
} FacetSenses;

const char            *facet_local_model_get_path         (FacetLocalModel *self);
const char            *facet_local_model_get_title        (FacetLocalModel *self); /* never empty */
const char            *facet_local_model_get_projector    (FacetLocalModel *self); /* path or NULL */
FacetSenses            facet_local_model_get_senses       (FacetLocalModel *self); /* with its projector */

/* What the file says of itself; NULL if it cannot be used, then
 * facet_local_model_get_problem() is a translated sentence. */
const FacetModelInfo  *facet_local_model_get_info         (FacetLocalModel *self);
const char            *facet_local_model_get_problem      (FacetLocalModel *self); /* NULL: none */

/* At the context and precision of the settings when the library was last
 * scanned; NULL if unknown. */
const FacetMemoryPlan *facet_local_model_get_memory       (FacetLocalModel *self);

/* "Gemma 3 4b It · Q8_0": tells files of one model apart. */
char                  *facet_local_model_name_file        (FacetLocalModel *self);

/* "Gemma 3 · 1B · Q4_K_M", for one line below the title. */
char                  *facet_local_model_describe         (FacetLocalModel *self);

G_END_DECLS
