/* device.h - the same tests on the processor and on a graphics device
 *
 * FACET_TEST_BACKEND=vulkan runs them on device FACET_TEST_DEVICE as "facet-cli
 * devices" numbers them, or on the first that works, software included.
 */
#pragma once

#include "backend/backend.h"

#define TEST_SKIPPED 77

/* For main(): whether there is no such device, so that it returns TEST_SKIPPED. */
gboolean      device_missing (void);
gboolean      device_is_gpu  (void);
/* Sets the backend and device of @params. */
void          device_params  (FacetModelParams *params);
FacetBackend *device_backend (int threads, gboolean exact);
