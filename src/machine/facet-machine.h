/* facet-machine.h - what this machine computes with
 *
 * Thread-safety: any thread. What looks at the devices itself opens the
 * graphics driver and may take a second.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A graphics device that Facet can use. */
typedef struct {
  char    *id;       /* its name; a number follows where several are called so */
  int      number;   /* as FacetModelParams takes it; may change when devices come and go */
  gboolean software; /* plays one on the processor */
} FacetGraphicsDevice;

/* @devices: from facet_devices_describe().
 * Returns: (transfer full) (element-type FacetGraphicsDevice) */
GPtrArray *facet_machine_graphics_in (const char *devices);
GPtrArray *facet_machine_graphics    (void);

/* The number of the one called @id in @devices (as above), 0 if it is not there. */
int        facet_machine_find_graphics (const GPtrArray *devices, const char *id);

/* Name of the first graphics processor that Facet can use, NULL if there is
 * none; software does not count. Returns: (transfer full) (nullable) */
char      *facet_machine_find_gpu_in (const char *devices);
char      *facet_machine_find_gpu    (void);

G_END_DECLS
