#include "npy.h"

#include "whole-file.h"

/* Version 1.0 of numpy.lib.format: the header ends in a newline and fills
 * up to a multiple of 64 bytes. */
#define PREFIX     10
#define ALIGNMENT  64

static gboolean
write_array (const char *path, const char *descr, const char *shape, const void *data, gsize bytes, GError **error)
{
  g_autofree char *text = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  g_autoptr (GString) header = g_string_new (text);
  guchar prefix[PREFIX] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0 };

  while ((PREFIX + header->len + 1) % ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  prefix[8] = header->len & 0xff;
  prefix[9] = header->len >> 8;
  return whole_file_write (path, (const WholePart[]){ { prefix, PREFIX }, { header->str, header->len }, { data, bytes } }, 3, error);
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
