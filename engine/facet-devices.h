/* facet-devices.h - what the backend of a model does that a person should know
 *
 * Part of facet.h, which includes it.
 */
#pragma once

#include <glib.h>
#include "facet.h"

G_BEGIN_DECLS

typedef enum {
  FACET_NOTICE_NONE,
  FACET_NOTICE_CPU_INSTEAD, /* the graphics device cannot run this model */
  FACET_NOTICE_DEVICE_LOST, /* it failed for good; the processor went on from there */
  FACET_NOTICE_SPLIT,       /* it has no room for all layers: see facet_model_split() */
} FacetNotice;

/* What happened since the last call, told once. For the model's own thread. */
FacetNotice facet_model_take_notice (FacetModel *model);

/* Of @layers layers, how many the processor computes beside a graphics device,
 * in the session made last; 0: none, or there is no such device. */
int         facet_model_split (FacetModel *model, int *layers);

G_END_DECLS
