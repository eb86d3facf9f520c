/* exif.h - the orientation of a photo
 *
 * @data is a TIFF structure (Exif 2.32, section 4.5.2): JPEG's APP1 segment
 * after "Exif\0\0", or PNG's eXIf chunk. Hostile input; nothing is trusted.
 *
 * Returns: 1 .. 8 as in tag 0x0112, 1 if absent or broken.
 */
#pragma once

#include <glib.h>

int facet_exif_orientation (const guint8 *data, gsize size);

/* Whether the picture's rows are columns of what is seen. */
#define FACET_EXIF_SWAPS_AXES(orientation) ((orientation) >= 5)
