/* whole-file.h - results in files, whole or not at all
 *
 * A file is written beside its place and renamed: what fails or is stopped
 * leaves the former one, or none. Devices, pipes and links are written where
 * they are. Errors are of G_FILE_ERROR.
 */
#pragma once

#include <glib.h>

typedef struct WholeFile WholeFile;

WholeFile *whole_file_open   (const char *path, GError **error);
gboolean   whole_file_put    (WholeFile *file, const void *data, gsize n, GError **error);
/* From here on the file is in its place. */
gboolean   whole_file_finish (WholeFile *file, GError **error);
/* What was not finished is gone. */
void       whole_file_free   (WholeFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WholeFile, whole_file_free)

typedef struct {
  const void *data;
  gsize       bytes;
} WholePart;

/* Writes @n parts one after the other. */
gboolean whole_file_write (const char *path, const WholePart *parts, guint n, GError **error);
