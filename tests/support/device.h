/* device.h - the same tests on the processor and on a graphics device
 *
 * FACET_TEST_BACKEND=vulkan runs them on device FACET_TEST_DEVICE as "facet-cli
 * devices" numbers them, or on the first that works, software included.
 */
#pragma once

#include "backend/backend.h"

/* What main() returns where device_missing(). */
#define TEST_SKIPPED 0

/* For main(): whether there is no such device, or it lacks the tier that FACET_VULKAN_TIER
 * names; a plan without tests was printed then. */
gboolean      device_missing (void);
gboolean      device_is_gpu  (void);
/* Whether products of many rows round to 16-bit floats unless they are to be exact. */
gboolean      device_rounds_halves (void);
/* Sets the backend and device of @params. */
void          device_params  (FacetModelParams *params);
FacetBackend *device_backend (int threads, gboolean exact);
