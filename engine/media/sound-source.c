#include "media/sound-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
refuse_empty (FacetSoundSource *source, GError **error)
{
  if (source->size > 0)
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: the file is empty (0 bytes)", source->name);
  facet_sound_source_clear (source);
  return FALSE;
}

gboolean
facet_sound_source_open_path (FacetSoundSource *source, const char *path, GError **error)
{
  struct stat st;

  *source = (FacetSoundSource) { .fd = -1, .name = g_strdup (path) };
  /* Without O_NONBLOCK opening a FIFO would wait for a writer for ever. */
  source->fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (source->fd < 0 || fstat (source->fd, &st) != 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: %s", path, g_strerror (errno));
    facet_sound_source_clear (source);
    return FALSE;
  }
  if (!S_ISREG (st.st_mode)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: not a regular file", path);
    facet_sound_source_clear (source);
    return FALSE;
  }
  source->size = st.st_size;
  return refuse_empty (source, error);
}

gboolean
facet_sound_source_open_bytes (FacetSoundSource *source, GBytes *bytes, const char *name, GError **error)
{
  *source = (FacetSoundSource) {
    .fd = -1, .bytes = g_bytes_ref (bytes), .name = g_strdup (name), .size = (gint64) g_bytes_get_size (bytes)
  };
  return refuse_empty (source, error);
}

void
facet_sound_source_clear (FacetSoundSource *source)
{
  if (source->fd >= 0)
    close (source->fd);
  source->fd = -1;
  g_clear_pointer (&source->bytes, g_bytes_unref);
  g_clear_pointer (&source->name, g_free);
}

gsize
facet_sound_source_read (const FacetSoundSource *source, gint64 offset, void *data, gsize size)
{
  gsize done = 0;

  if (offset < 0 || offset >= source->size)
    return 0;
  size = MIN (size, (gsize) (source->size - offset));
  if (source->bytes != NULL) {
    memcpy (data, (const char *) g_bytes_get_data (source->bytes, NULL) + offset, size);
    return size;
  }
  while (done < size) {
    ssize_t n = pread (source->fd, (char *) data + done, size - done, offset + (gint64) done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    done += (gsize) n;
  }
  return done;
}
