#include "whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <glib/gi18n.h>
#include <glib/gstdio.h>

/* NULL: nothing stands between @path and the file. */
static char *
temporary_for (const char *path)
{
  GStatBuf info;

  return g_lstat (path, &info) == 0 && !S_ISREG (info.st_mode) ? NULL : g_strconcat (path, ".XXXXXX", NULL);
}

static gboolean
put_parts (FILE *file, const WholePart *parts, guint n)
{
  for (guint i = 0; i < n; i++)
    if (fwrite (parts[i].data, 1, parts[i].bytes, file) != parts[i].bytes)
      return FALSE;
  return fflush (file) == 0;
}

/* FALSE: errno says why. */
static gboolean
write_parts (const char *path, const WholePart *parts, guint n)
{
  g_autofree char *temporary = temporary_for (path);
  int fd = temporary != NULL ? g_mkstemp_full (temporary, O_WRONLY, 0666) : g_open (path, O_WRONLY | O_TRUNC, 0666), reason;
  FILE *file = fd >= 0 ? fdopen (fd, "wb") : NULL;
  gboolean whole;

  if (file == NULL)
    return FALSE;
  whole = put_parts (file, parts, n);
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

gboolean
whole_file_write (const char *path, const WholePart *parts, guint n, GError **error)
{
  int reason;

  if (write_parts (path, parts, n))
    return TRUE;
  reason = errno;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (reason), _("%s cannot be written: %s"), path, g_strerror (reason));
  return FALSE;
}
