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

/* What one side takes of a model, in bytes. */
typedef struct {
  const char *name;     /* the model's, e.g. "cpu (avx512)"; NULL: there is no such side */
  int         layers;
  guint64     weights;
  guint64     kv_cache;
  guint64     compute;  /* activations and scratch */
} FacetShare;

/* How a model is divided between a graphics device, which takes the last
 * layers and the output, and the processor. */
typedef struct {
  int        layers;    /* of the model */
  FacetShare device, processor;
  guint64    room;      /* bytes that may be used of the device */
  guint64    encoders;  /* of these, kept free for pictures and sound */
} FacetPlacement;

/* What a session of @context tokens (0: the smaller of the model's length and
 * 4096) would be, as far as can be told before it is made. Takes nothing. For
 * the model's own thread. */
void        facet_model_foresee (FacetModel *model, int context, FacetKvType kv_type, FacetPlacement *placement);

G_END_DECLS
