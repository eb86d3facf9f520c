#include "whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <glib/gi18n.h>
#include <glib/gstdio.h>

struct WholeFile {
  char *path;
  char *temporary; /* NULL: nothing stands between @path and the file */
  FILE *stream;
};

static gboolean
fail (const char *path, int reason, GError **error)
{
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (reason), _("%s cannot be written: %s"), path, g_strerror (reason));
  return FALSE;
}

static char *
temporary_for (const char *path)
{
  GStatBuf info;

  return g_lstat (path, &info) == 0 && !S_ISREG (info.st_mode) ? NULL : g_strconcat (path, ".XXXXXX", NULL);
}

WholeFile *
whole_file_open (const char *path, GError **error)
{
  g_autofree char *temporary = temporary_for (path);
  int fd = temporary != NULL ? g_mkstemp_full (temporary, O_WRONLY, 0666) : g_open (path, O_WRONLY | O_TRUNC, 0666);
  WholeFile *file;

  if (fd < 0) {
    fail (path, errno, error);
    return NULL;
  }
  file = g_new0 (WholeFile, 1);
  file->path = g_strdup (path);
  file->temporary = g_steal_pointer (&temporary);
  file->stream = fdopen (fd, "wb");
  return file;
}

gboolean
whole_file_put (WholeFile *file, const void *data, gsize n, GError **error)
{
  return fwrite (data, 1, n, file->stream) == n || fail (file->path, errno, error);
}

/* The name must not be there before the contents are. */
gboolean
whole_file_finish (WholeFile *file, GError **error)
{
  FILE *stream = g_steal_pointer (&file->stream);
  gboolean whole = fflush (stream) == 0 && (file->temporary == NULL || fsync (fileno (stream)) == 0);
  int reason = errno;

  if (fclose (stream) != 0 && whole) {
    whole = FALSE;
    reason = errno;
  }
  if (whole && file->temporary != NULL && g_rename (file->temporary, file->path) != 0) {
    whole = FALSE;
    reason = errno;
  }
  if (!whole)
    return fail (file->path, reason, error);
  g_clear_pointer (&file->temporary, g_free);
  return TRUE;
}

void
whole_file_free (WholeFile *file)
{
  if (file->stream != NULL)
    fclose (file->stream);
  if (file->temporary != NULL)
    g_unlink (file->temporary);
  g_free (file->temporary);
  g_free (file->path);
  g_free (file);
}

gboolean
whole_file_write (const char *path, const WholePart *parts, guint n, GError **error)
{
  g_autoptr (WholeFile) file = whole_file_open (path, error);

  for (guint i = 0; file != NULL && i < n; i++)
    if (!whole_file_put (file, parts[i].data, parts[i].bytes, error))
      return FALSE;
  return file != NULL && whole_file_finish (file, error);
}
