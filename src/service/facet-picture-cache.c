#define G_LOG_DOMAIN "facet"

#include <glib/gstdio.h>

#include "facet-picture-cache.h"

typedef struct {
  char       *key;
  FacetImage *image;
  gsize       size;
} Entry;

struct FacetPictureCache {
  GQueue entries; /* Entry, the latest first: a chat holds few */
  gsize  used;
  gsize  budget;
  guint  decoded;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->key);
  facet_image_unref (entry->image);
  g_free (entry);
}

FacetPictureCache *
facet_picture_cache_new (gsize budget)
{
  FacetPictureCache *self = g_new0 (FacetPictureCache, 1);

  g_queue_init (&self->entries);
  self->budget = budget;
  return self;
}

void
facet_picture_cache_free (FacetPictureCache *self)
{
  g_queue_clear_full (&self->entries, entry_free);
  g_free (self);
}

/* NULL: there is no such file. */
static char *
key_of (const FacetPart *part)
{
  GStatBuf status;

  if (part->bytes != NULL)
    return g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, part->bytes);
  if (g_stat (part->path, &status) != 0)
    return NULL;
  return g_strdup_printf ("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld", part->path, (gint64) status.st_size,
                          (gint64) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static FacetImage *
find (FacetPictureCache *self, const char *key)
{
  for (GList *link = self->entries.head; link != NULL; link = link->next) {
    Entry *entry = link->data;

    if (g_str_equal (entry->key, key)) {
      g_queue_unlink (&self->entries, link);
      g_queue_push_head_link (&self->entries, link);
      return facet_image_ref (entry->image);
    }
  }
  return NULL;
}

static void
keep (FacetPictureCache *self, const char *key, FacetImage *image)
{
  gsize size = (gsize) facet_image_width (image) * (gsize) facet_image_height (image) * 3;
  Entry *entry;

  if (size > self->budget)
    return;
  while (self->used > self->budget - size) {
    entry = g_queue_pop_tail (&self->entries);
    self->used -= entry->size;
    entry_free (entry);
  }
  entry = g_new (Entry, 1);
  *entry = (Entry){ g_strdup (key), facet_image_ref (image), size };
  g_queue_push_head (&self->entries, entry);
  self->used += size;
}

FacetImage *
facet_picture_cache_get (FacetPictureCache *self, const FacetPart *part, GError **error)
{
  g_autofree char *key = key_of (part);
  FacetImage *image = key != NULL ? find (self, key) : NULL;

  if (image != NULL)
    return image;
  image = part->bytes != NULL ? facet_image_new_from_bytes (part->bytes, part->path, error)
                              : facet_image_load (part->path, error);
  if (image == NULL)
    return NULL;
  self->decoded++;
  if (key != NULL)
    keep (self, key, image);
  return image;
}

guint
facet_picture_cache_decoded (FacetPictureCache *self)
{
  return self->decoded;
}
