#include "npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <glib/gi18n.h>
#include <glib/gstdio.h>

/* Version 1.0 of numpy.lib.format: the header ends in a newline and fills
 * up to a multiple of 64 bytes. */
#define PREFIX     10
#define ALIGNMENT  64

/* Devices, pipes and links are written where they are; anything else comes into
 * being whole, beside its place first. */
static char *
temporary_for (const char *path)
{
  GStatBuf info;

  return g_lstat (path, &info) == 0 && !S_ISREG (info.st_mode) ? NULL : g_strconcat (path, ".XXXXXX", NULL);
}

static gboolean
put_array (FILE *file, const GString *header, const void *data, gsize bytes)
{
  const guchar prefix[PREFIX] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, header->len & 0xff, header->len >> 8 };

  return fwrite (prefix, 1, PREFIX, file) == PREFIX && fwrite (header->str, 1, header->len, file) == header->len
         && fwrite (data, 1, bytes, file) == bytes && fflush (file) == 0;
}

/* FALSE: errno says why. */
static gboolean
write_whole (const char *path, const GString *header, const void *data, gsize bytes)
{
  g_autofree char *temporary = temporary_for (path);
  int fd = temporary != NULL ? g_mkstemp_full (temporary, O_WRONLY, 0666) : g_open (path, O_WRONLY | O_TRUNC, 0666), reason;
  FILE *file = fd >= 0 ? fdopen (fd, "wb") : NULL;
  gboolean whole;

  if (file == NULL)
    return FALSE;
  whole = put_array (file, header, data, bytes);
  reason = errno;
  if (fclose (file) != 0 && whole) {
    whole = FALSE;
    reason = errno;
  }
  if (whole && temporary != NULL && g_rename (temporary, path) != 0) {
    whole = FALSE;
    reason = errno;
  }
  if (!whole && temporary != NULL)
    g_unlink (temporary);
  errno = reason;
  return whole;
}

static gboolean
write_array (const char *path, const char *descr, const char *shape, const void *data, gsize bytes, GError **error)
{
  g_autofree char *text = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  g_autoptr (GString) header = g_string_new (text);
  int reason;

  while ((PREFIX + header->len + 1) % ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  if (write_whole (path, header, data, bytes))
    return TRUE;
  reason = errno;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (reason), _("%s cannot be written: %s"), path, g_strerror (reason));
  return FALSE;
}

gboolean
npy_write (const char *path, const float *data, gsize rows, gsize columns, GError **error)
{
  g_autofree char *shape = g_strdup_printf ("%" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT, rows, columns);

  return write_array (path, "<f4", shape, data, rows * columns * sizeof *data, error);
}

gboolean
npy_write_planes (const char *path, const guint8 *pixels, gsize planes, gsize rows, gsize columns, GError **error)
{
  g_autofree char *shape = g_strdup_printf ("%" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT, planes, rows, columns);
  gsize n = rows * columns;
  g_autofree guint8 *split = g_new (guint8, planes * n);

  for (gsize p = 0; p < planes; p++)
    for (gsize i = 0; i < n; i++)
      split[p * n + i] = pixels[i * planes + p];
  return write_array (path, "|u1", shape, split, planes * n, error);
}
