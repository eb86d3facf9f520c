/* vulkan.h - the Vulkan backend as the engine sees it
 *
 * Plans become command buffers that are recorded once and submitted again for
 * every step; what changes lies in a block of host-visible memory. Weights are
 * uploaded when the first plan that needs them is compiled and stay until the
 * backend is freed: their tensors must remain as they are until then.
 *
 * A graph with an operation, type or size that no shader covers is refused by
 * compile() with UNSUPPORTED. Results of a run do not depend on earlier runs
 * nor on timing.
 *
 * The loader is opened at run time. Without it, without a driver, and built
 * without Vulkan (-Dvulkan=disabled), the functions exist and find no device.
 */
#pragma once

#include "backend/backend.h"

typedef enum {
  FACET_DEVICE_DISCRETE,
  FACET_DEVICE_INTEGRATED,
  FACET_DEVICE_VIRTUAL,
  FACET_DEVICE_SOFTWARE, /* never chosen unless named */
  FACET_DEVICE_OTHER,
} FacetDeviceKind;

/* A part of the memory that a device can use. */
typedef struct {
  guint64  size;
  guint64  budget; /* what this program may use of it now; 0: the driver does not tell */
  gboolean own;    /* the device's, else the processor's */
} FacetDeviceHeap;

#define FACET_MAX_HEAPS 16

typedef struct {
  int             number;      /* from 1, as --device takes it */
  char           *name;
  char           *driver;
  char           *api;         /* "1.3.230" */
  FacetDeviceKind kind;
  guint64         memory;      /* of its own heaps, in bytes */
  FacetDeviceHeap heaps[FACET_MAX_HEAPS];
  int             n_heaps;
  char           *features;    /* those that matter, comma-separated */
  char           *unfit;       /* why it cannot be used; NULL: it can */
  char           *self_test;   /* "works", what disagreed, or NULL: it did not run yet */
} FacetDeviceInfo;

void       facet_device_info_free (FacetDeviceInfo *info);
/* "discrete", ... */
const char *facet_device_kind_name (FacetDeviceKind kind);

/* What the loader finds, best first; empty without loader or driver, then
 * @why_none says what is missing. Returns: (transfer full): of FacetDeviceInfo. */
GPtrArray *facet_vulkan_devices (char **why_none);

/* @device: a number from facet_vulkan_devices(), or 0 for the best one that
 * is no software rasteriser. Of @params: whether activations stay 32-bit floats,
 * and who waits, since a driver's first time takes long. DEVICE: there is none,
 * or it failed. */
FacetBackend *facet_vulkan_backend_new (int device, const FacetModelParams *params, GError **error);
