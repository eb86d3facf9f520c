#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "facet.h"
#include "facet-download-private.h"

/* Left free on the disk, for the rest of the system. */
#define SPARE_BYTES (G_GUINT64_CONSTANT (64) << 20)

#define GROUP "download"

static char *
state_path (FacetDownload *self)
{
  return g_strconcat (self->target, ".part.state", NULL);
}

char *
facet_download_part_path (FacetDownload *self)
{
  return g_strconcat (self->target, ".part", NULL);
}

gboolean
facet_download_has_part (const char *target)
{
  g_autofree char *path = g_strconcat (target, ".part", NULL);
  g_autofree char *state = g_strconcat (path, ".state", NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR) && g_file_test (state, G_FILE_TEST_IS_REGULAR);
}

void
facet_download_part_load (FacetDownload *self)
{
  g_autofree char *path = facet_download_part_path (self);
  g_autofree char *state = state_path (self);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autofree char *address = NULL;
  GStatBuf info;

  self->received = 0;
  self->total = self->size;
  g_clear_pointer (&self->validator, g_free);
  if (g_stat (path, &info) != 0 || !S_ISREG (info.st_mode)
      || !g_key_file_load_from_file (keys, state, G_KEY_FILE_NONE, NULL))
    return;
  address = g_key_file_get_string (keys, GROUP, "address", NULL);
  self->validator = g_key_file_get_string (keys, GROUP, "validator", NULL);
  if (g_strcmp0 (address, self->address) != 0 || self->validator == NULL) {
    g_clear_pointer (&self->validator, g_free);
    return;
  }
  self->total = g_key_file_get_uint64 (keys, GROUP, "total", NULL);
  self->received = info.st_size;
  if (self->total != 0 && self->received > self->total)
    self->received = 0;
}

static gboolean
set_disk_error (GError **error, const char *path, int code)
{
  g_message ("%s: %s", path, g_strerror (code));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       code == ENOSPC || code == EDQUOT
                         ? _("The disk is full. Free some space and try again; what has arrived is kept.")
                         : _("The file cannot be written to the folder of the models."));
  return FALSE;
}

gboolean
facet_download_part_save (FacetDownload *self, GError **error)
{
  g_autofree char *state = state_path (self);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) local = NULL;

  g_key_file_set_string (keys, GROUP, "address", self->address);
  g_key_file_set_uint64 (keys, GROUP, "total", self->total);
  if (self->validator != NULL)
    g_key_file_set_string (keys, GROUP, "validator", self->validator);
  if (g_key_file_save_to_file (keys, state, &local))
    return TRUE;
  g_message ("%s", local->message);
  return set_disk_error (error, state, g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? ENOSPC : EIO);
}

gboolean
facet_download_part_open (FacetDownload *self, GError **error)
{
  g_autofree char *path = facet_download_part_path (self);

  if (self->received == 0 && g_unlink (path) != 0 && errno != ENOENT)
    return set_disk_error (error, path, errno);
  self->fd = g_open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (self->fd < 0 || ftruncate (self->fd, self->received) != 0)
    return set_disk_error (error, path, errno);
  return TRUE;
}

void
facet_download_part_close (FacetDownload *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

typedef struct {
  int     fd;
  goffset offset;
  GBytes *bytes;
} Write;

static void
write_free (gpointer data)
{
  Write *wanted = data;

  close (wanted->fd);
  g_bytes_unref (wanted->bytes);
  g_free (wanted);
}

static void
write_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Write *wanted = data;
  gsize length;
  const char *bytes = g_bytes_get_data (wanted->bytes, &length);
  GError *error = NULL;

  for (gsize done = 0; done < length;) {
    gssize n = pwrite (wanted->fd, bytes + done, length - done, wanted->offset + done);

    if (n < 0 && errno != EINTR) {
      set_disk_error (&error, "pwrite", errno);
      g_task_return_error (task, error);
      return;
    }
    done += MAX (n, 0);
  }
  g_task_return_boolean (task, TRUE);
}

void
facet_download_part_write (FacetDownload *self, GBytes *bytes, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, data);
  Write *wanted = g_new0 (Write, 1);

  wanted->fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 0);
  wanted->offset = self->received;
  wanted->bytes = g_bytes_ref (bytes);
  g_task_set_task_data (task, wanted, write_free);
  g_task_run_in_thread (task, write_thread);
}

void
facet_download_part_remove (FacetDownload *self)
{
  g_autofree char *path = facet_download_part_path (self);
  g_autofree char *state = state_path (self);

  g_unlink (path);
  g_unlink (state);
}

gboolean
facet_download_has_room (FacetDownload *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->target);
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  g_autoptr (GFileInfo) info = NULL;
  g_autofree char *missing = NULL;
  guint64 wanted;
  guint64 available;

  if (g_mkdir_with_parents (folder, 0755) != 0)
    return set_disk_error (error, folder, errno);
  info = g_file_query_filesystem_info (file, G_FILE_ATTRIBUTE_FILESYSTEM_FREE, NULL, NULL);
  if (self->total == 0 || info == NULL || !g_file_info_has_attribute (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE))
    return TRUE;
  available = g_file_info_get_attribute_uint64 (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE);
  if (!g_uint64_checked_add (&wanted, self->total - self->received, SPARE_BYTES))
    wanted = G_MAXUINT64;
  if (available >= wanted)
    return TRUE;
  missing = g_format_size (wanted - available);
  /* Translators: %s is an amount such as “1.2 GB”. */
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, _("There is not enough space on the disk: %s more is needed."),
               missing);
  return FALSE;
}

gboolean
facet_download_check_gguf (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (FacetModelInfo) info = facet_model_info_read (path, &local);

  if (info != NULL)
    return TRUE;
  g_message ("%s", local->message);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("What the server sent is not a model file."));
  return FALSE;
}

/* What the thread needs, copied out of the download. */
typedef struct {
  char               *part;
  char               *target;
  char               *sha256;
  guint64             total;
  FacetDownloadCheck  check;
} Completion;

static void
completion_free (gpointer data)
{
  Completion *completion = data;

  g_free (completion->part);
  g_free (completion->target);
  g_free (completion->sha256);
  g_free (completion);
}

static gboolean
has_hash (int fd, const Completion *completion, GCancellable *cancellable, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *buffer = g_malloc (1 << 18);
  gssize n;

  while ((n = read (fd, buffer, 1 << 18)) > 0) {
    g_checksum_update (checksum, buffer, n);
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
  }
  if (n < 0)
    return set_disk_error (error, completion->part, errno);
  if (g_ascii_strcasecmp (g_checksum_get_string (checksum), completion->sha256) == 0)
    return TRUE;
  g_message ("%s: SHA-256 is %s, not %s", completion->part, g_checksum_get_string (checksum), completion->sha256);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _("The file arrived damaged or is not the one that was expected: its checksum differs."));
  return FALSE;
}

static gboolean
complete (const Completion *completion, int fd, GCancellable *cancellable, GError **error)
{
  GStatBuf info;

  if (fd < 0 || fstat (fd, &info) != 0)
    return set_disk_error (error, completion->part, errno);
  if (completion->total != 0 && (guint64) info.st_size != completion->total) {
    g_message ("%s: %" G_GINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT, completion->part, (gint64) info.st_size,
               completion->total);
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The file did not arrive whole."));
    return FALSE;
  }
  if (completion->sha256 != NULL && !has_hash (fd, completion, cancellable, error))
    return FALSE;
  if (completion->check != NULL && !completion->check (completion->part, error))
    return FALSE;
  if (fsync (fd) != 0)
    return set_disk_error (error, completion->part, errno);
  if (g_file_test (completion->target, G_FILE_TEST_EXISTS)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, _("There is already a file of this name."));
    return FALSE;
  }
  if (g_rename (completion->part, completion->target) != 0)
    return set_disk_error (error, completion->target, errno);
  return TRUE;
}

static void
complete_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Completion *completion = data;
  int fd = g_open (completion->part, O_RDWR | O_CLOEXEC, 0);
  GError *error = NULL;
  gboolean ok = complete (completion, fd, cancellable, &error);

  if (fd >= 0)
    close (fd);
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
facet_download_complete (FacetDownload *self, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) task = g_task_new (self, self->cancellable, callback, NULL);
  Completion *completion = g_new0 (Completion, 1);

  completion->part = facet_download_part_path (self);
  completion->target = g_strdup (self->target);
  completion->sha256 = g_strdup (self->sha256);
  completion->total = self->total;
  completion->check = self->check;
  g_task_set_task_data (task, completion, completion_free);
  g_task_run_in_thread (task, complete_thread);
}
