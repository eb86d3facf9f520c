/* facet-foreign-picture.h - pictures of kinds that the engine does not read
 *
 * WebP, AVIF, HEIC, SVG, TIFF and whatever else gdk-pixbuf has a loader for on
 * this machine. Dimensions are checked before anything is decoded;
 * transparency is laid on white; the picture is turned upright.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

/* Errors are translated sentences that name the kind.
 * Returns: (transfer full) */
FacetImage *facet_foreign_picture_load (GBytes *bytes, GError **error);

/* Returns: (transfer full): @image as a PNG file, NULL without memory. */
GBytes     *facet_picture_to_png       (const FacetImage *image);

G_END_DECLS
