/* facet-machine.h - what this machine computes with
 *
 * Thread-safety: facet_machine_find_gpu() any thread; it opens the graphics
 * driver and may take a second.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Name of the first graphics processor that Facet can use, NULL if there is
 * none; software that plays one does not count. @devices: from
 * facet_devices_describe(). Returns: (transfer full) (nullable) */
char *facet_machine_find_gpu_in (const char *devices);
char *facet_machine_find_gpu    (void);

G_END_DECLS
