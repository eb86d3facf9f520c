#include "npy.h"

#include <errno.h>
#include <stdio.h>

#include <glib/gi18n.h>

/* Version 1.0 of numpy.lib.format: the header ends in a newline and fills
 * up to a multiple of 64 bytes. */
#define PREFIX     10
#define ALIGNMENT  64

static gboolean
write_array (const char *path, const char *descr, const char *shape, const void *data, gsize bytes, GError **error)
{
  g_autofree char *text = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  g_autoptr (GString) header = g_string_new (text);
  FILE *file = fopen (path, "wb");
  gboolean whole;

  while ((PREFIX + header->len + 1) % ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  if (file != NULL) {
    const guchar prefix[PREFIX] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, header->len & 0xff, header->len >> 8 };

    whole = fwrite (prefix, 1, PREFIX, file) == PREFIX;
    whole = fwrite (header->str, 1, header->len, file) == header->len && whole;
    whole = fwrite (data, 1, bytes, file) == bytes && whole;
    whole = fclose (file) == 0 && whole;
    if (whole)
      return TRUE;
  }
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), _("%s cannot be written: %s"), path,
               g_strerror (errno));
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
