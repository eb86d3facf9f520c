#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "facet-store-private.h"

#define TEMPORARY ".taking-"
#define MAX_EXTENSION 8

FacetStoreAttachment *
facet_store_attachment_copy (const FacetStoreAttachment *attachment)
{
  FacetStoreAttachment *copy = g_memdup2 (attachment, sizeof *attachment);

  copy->hash = g_strdup (attachment->hash);
  copy->extension = g_strdup (attachment->extension);
  copy->name = g_strdup (attachment->name);
  copy->mime = g_strdup (attachment->mime);
  return copy;
}

void
facet_store_attachment_free (FacetStoreAttachment *attachment)
{
  g_free (attachment->hash);
  g_free (attachment->extension);
  g_free (attachment->name);
  g_free (attachment->mime);
  g_free (attachment);
}

/* Only what is safe as the end of a file name; anything else is left out. */
static char *
extension_of (const char *name)
{
  const char *dot = strrchr (name, '.');
  gsize length = dot ? strlen (dot + 1) : 0;

  if (length == 0 || length > MAX_EXTENSION)
    return g_strdup ("");
  for (const char *p = dot + 1; *p; p++) {
    if (!g_ascii_isalnum (*p))
      return g_strdup ("");
  }
  return g_ascii_strdown (dot + 1, -1);
}

char *
facet_store_file_path (const char *directory, const FacetStoreAttachment *attachment)
{
  g_autofree char *base = g_strconcat (attachment->hash, *attachment->extension ? "." : "", attachment->extension,
                                       NULL);

  return g_build_filename (directory, "attachments", base, NULL);
}

char *
facet_store_attachment_path (FacetStore *self, const FacetStoreAttachment *attachment)
{
  g_return_val_if_fail (FACET_IS_STORE (self), NULL);
  g_return_val_if_fail (attachment != NULL && attachment->hash != NULL && attachment->extension != NULL, NULL);

  return facet_store_file_path (facet_store_get_directory (self), attachment);
}

static void
set_io_error (GError **error, const char *path, int code)
{
  g_message ("%s: %s", path, g_strerror (code));
  if (code == ENOSPC || code == EDQUOT)
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO,
                         _("The file cannot be copied to your chats: the disk is full."));
  else
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO,
                         _("The file cannot be copied to your chats."));
}

static gboolean
write_all (int fd, const guchar *bytes, gsize length)
{
  while (length > 0) {
    gssize n = write (fd, bytes, length);

    if (n < 0 && errno != EINTR)
      return FALSE;
    bytes += MAX (n, 0);
    length -= MAX (n, 0);
  }
  return TRUE;
}

/* Copies @stream to @fd. Returns the SHA-256. */
static char *
pump (GInputStream *stream, int fd, const char *path, guint64 *size, GCancellable *cancellable, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *buffer = g_malloc (1 << 16);
  g_autoptr (GError) local = NULL;
  gssize n;

  *size = 0;
  while ((n = g_input_stream_read (stream, buffer, 1 << 16, cancellable, &local)) > 0) {
    *size += n;
    if (*size > FACET_STORE_MAX_ATTACHMENT) {
      g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_TOO_LARGE,
                           _("The file is larger than 1 GB and was not added."));
      return NULL;
    }
    g_checksum_update (checksum, buffer, n);
    if (!write_all (fd, buffer, n)) {
      set_io_error (error, path, errno);
      return NULL;
    }
  }
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  if (n < 0) {
    g_message ("%s", local->message);
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_IO, _("The file cannot be read."));
    return NULL;
  }
  if (fsync (fd) != 0) {
    set_io_error (error, path, errno);
    return NULL;
  }
  return g_strdup (g_checksum_get_string (checksum));
}

FacetStoreAttachment *
facet_store_take_stream (const char           *directory,
                         FacetAttachmentKind   kind,
                         GInputStream         *stream,
                         const char           *name,
                         const char           *mime,
                         GCancellable         *cancellable,
                         GError              **error)
{
  g_autoptr (FacetStoreAttachment) attachment = g_new0 (FacetStoreAttachment, 1);
  g_autofree char *folder = g_build_filename (directory, "attachments", NULL);
  g_autofree char *temporary = g_build_filename (folder, TEMPORARY "XXXXXX", NULL);
  g_autofree char *path = NULL;
  int fd;

  attachment->kind = kind;
  attachment->name = g_utf8_make_valid (name ? name : "", -1);
  attachment->mime = g_utf8_make_valid (mime ? mime : "", -1);
  attachment->extension = extension_of (attachment->name);
  fd = g_mkdir_with_parents (folder, 0700) == 0 ? g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600) : -1;
  if (fd < 0) {
    set_io_error (error, temporary, errno);
    return NULL;
  }
  attachment->hash = pump (stream, fd, temporary, &attachment->size, cancellable, error);
  close (fd);
  if (attachment->hash == NULL) {
    g_unlink (temporary);
    return NULL;
  }
  path = facet_store_file_path (directory, attachment);
  if (g_rename (temporary, path) != 0) {
    set_io_error (error, path, errno);
    g_unlink (temporary);
    return NULL;
  }
  return g_steal_pointer (&attachment);
}

FacetStoreAttachment *
facet_store_take_bytes (FacetStore          *self,
                        FacetAttachmentKind  kind,
                        GBytes              *bytes,
                        const char          *name,
                        const char          *mime,
                        GError             **error)
{
  g_autoptr (GInputStream) stream = NULL;

  g_return_val_if_fail (FACET_IS_STORE (self) && bytes != NULL, NULL);

  stream = g_memory_input_stream_new_from_bytes (bytes);
  return facet_store_take_stream (facet_store_get_directory (self), kind, stream, name, mime, NULL, error);
}

typedef struct {
  FacetAttachmentKind kind;
  GFile              *file;
  char               *name;
  char               *mime;
} Taking;

static void
taking_free (Taking *taking)
{
  g_object_unref (taking->file);
  g_free (taking->name);
  g_free (taking->mime);
  g_free (taking);
}

static void
take_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_autoptr (GFileInputStream) stream = NULL;
  FacetStoreAttachment *attachment;
  GError *error = NULL;
  Taking *taking = data;

  stream = g_file_read (taking->file, cancellable, &error);
  if (stream == NULL) {
    g_message ("%s", error->message);
    g_clear_error (&error);
    g_task_return_new_error (task, FACET_STORE_ERROR, FACET_STORE_ERROR_IO, _("The file “%s” cannot be read."),
                             taking->name);
    return;
  }
  attachment = facet_store_take_stream (facet_store_get_directory (source), taking->kind, G_INPUT_STREAM (stream),
                                        taking->name, taking->mime, cancellable, &error);
  if (attachment != NULL)
    g_task_return_pointer (task, attachment, (GDestroyNotify) facet_store_attachment_free);
  else
    g_task_return_error (task, error);
}

void
facet_store_take_file_async (FacetStore          *self,
                             FacetAttachmentKind  kind,
                             GFile               *file,
                             const char          *name,
                             const char          *mime,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;
  Taking *taking;

  g_return_if_fail (FACET_IS_STORE (self) && G_IS_FILE (file) && name != NULL);

  taking = g_new0 (Taking, 1);
  taking->kind = kind;
  taking->file = g_object_ref (file);
  taking->name = g_strdup (name);
  taking->mime = g_strdup (mime);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, facet_store_take_file_async);
  g_task_set_task_data (task, taking, (GDestroyNotify) taking_free);
  g_task_run_in_thread (task, take_thread);
}

FacetStoreAttachment *
facet_store_take_file_finish (FacetStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
is_used (FacetStoreDb *db, const char *base)
{
  g_autofree char *hash = g_strndup (base, 64);

  /* On a failing query the file stays. */
  return facet_store_db_number (db, 1, "SELECT count(*) FROM attachments WHERE hash = ?", "s", hash) > 0;
}

gboolean
facet_store_drop_unused_files (FacetStoreDb *db, int min_age, GError **error)
{
  g_autofree char *folder = g_build_filename (db->directory, "attachments", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const char *base;

  while (dir != NULL && (base = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, base, NULL);
    GStatBuf info;

    if (g_stat (path, &info) != 0 || !S_ISREG (info.st_mode) || now - info.st_mtime < min_age)
      continue;
    if ((g_str_has_prefix (base, TEMPORARY) || !is_used (db, base)) && g_unlink (path) != 0) {
      set_io_error (error, path, errno);
      return FALSE;
    }
  }
  return TRUE;
}
