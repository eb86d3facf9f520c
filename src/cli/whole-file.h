/* whole-file.h - results in files, whole or not at all
 *
 * A file is written beside its place and renamed: what fails or is stopped
 * leaves the former one, or none. Devices, pipes and links are written where
 * they are.
 */
#pragma once

#include <glib.h>

typedef struct {
  const void *data;
  gsize       bytes;
} WholePart;

/* Writes @n parts one after the other. Errors are of G_FILE_ERROR. */
gboolean whole_file_write (const char *path, const WholePart *parts, guint n, GError **error);
