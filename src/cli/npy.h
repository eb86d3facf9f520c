/* npy.h - writing NumPy's .npy files
 *
 * As whole-file.h does it.
 */
#pragma once

#include <glib.h>

/* Writes float32 [rows, columns] in C order. */
gboolean npy_write (const char *path, const float *data, gsize rows, gsize columns, GError **error);
/* Writes uint8 [planes, rows, columns] of interleaved @pixels [rows, columns, planes]. */
gboolean npy_write_planes (const char *path, const guint8 *pixels, gsize planes, gsize rows, gsize columns, GError **error);
