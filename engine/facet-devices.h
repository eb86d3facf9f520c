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

/* What a kind of program does in a step on a graphics device, by its design. */
typedef struct {
  char   kernel[32];      /* "matvec", "attention", ... */
  int    dispatches;
  double bytes;           /* moved to and from memory; what a dispatch reads more than once, it finds in caches */
  double loads;           /* the same with what is read again */
  double flops;           /* computed, padding of tiles included */
  double necessary_bytes; /* its weights, inputs and outputs once; 0 for programs that only prepare or merge for others */
  double necessary_flops; /* of wanted results */
} FacetKernelCount;

/* Counts a step of @rows rows from @position on, of which the last row's
 * logits are wanted. UNSUPPORTED if no device computes the model.
 * Returns: (transfer full) (element-type FacetKernelCount). */
GArray     *facet_session_count_work (FacetSession *session, int rows, int position, GError **error);

G_END_DECLS
