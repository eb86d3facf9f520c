#define G_LOG_DOMAIN "facet"

#include <glib/gstdio.h>

#include "facet-media-cache.h"

#include "facet-engine-transcribe.h"

typedef struct {
  char       *key;
  FacetImage *image; /* or */
  GPtrArray  *clips;
  gsize       size;
} Entry;

struct FacetMediaCache {
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
  g_clear_pointer (&entry->image, facet_image_unref);
  g_clear_pointer (&entry->clips, g_ptr_array_unref);
  g_free (entry);
}

FacetMediaCache *
facet_media_cache_new (gsize budget)
{
  FacetMediaCache *self = g_new0 (FacetMediaCache, 1);

  g_queue_init (&self->entries);
  self->budget = budget;
  return self;
}

void
facet_media_cache_free (FacetMediaCache *self)
{
  g_queue_clear_full (&self->entries, entry_free);
  g_free (self);
}

/* NULL: there is no such file. */
static char *
key_of (const FacetPart *part)
{
  g_autofree char *hash = NULL;
  GStatBuf status;

  if (part->bytes != NULL) {
    hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, part->bytes);
    return g_strdup_printf ("%d %s", (int) part->kind, hash);
  }
  if (g_stat (part->path, &status) != 0)
    return NULL;
  return g_strdup_printf ("%d %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld", (int) part->kind, part->path,
                          (gint64) status.st_size, (gint64) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static Entry *
find (FacetMediaCache *self, const char *key)
{
  for (GList *link = self->entries.head; key != NULL && link != NULL; link = link->next) {
    Entry *entry = link->data;

    if (g_str_equal (entry->key, key)) {
      g_queue_unlink (&self->entries, link);
      g_queue_push_head_link (&self->entries, link);
      return entry;
    }
  }
  return NULL;
}

/* Without a key, what was decoded is not kept. */
static void
keep (FacetMediaCache *self, const char *key, FacetImage *image, GPtrArray *clips, gsize size)
{
  Entry *entry;

  self->decoded++;
  if (key == NULL || size > self->budget)
    return;
  while (self->used > self->budget - size) {
    entry = g_queue_pop_tail (&self->entries);
    self->used -= entry->size;
    entry_free (entry);
  }
  entry = g_new0 (Entry, 1);
  entry->key = g_strdup (key);
  entry->image = image != NULL ? facet_image_ref (image) : NULL;
  entry->clips = clips != NULL ? g_ptr_array_ref (clips) : NULL;
  entry->size = size;
  g_queue_push_head (&self->entries, entry);
  self->used += size;
}

FacetImage *
facet_media_cache_picture (FacetMediaCache *self, const FacetPart *part, GError **error)
{
  g_autofree char *key = key_of (part);
  Entry *entry = find (self, key);
  FacetImage *image;

  if (entry != NULL)
    return facet_image_ref (entry->image);
  image = part->bytes != NULL ? facet_image_new_from_bytes (part->bytes, part->path, error)
                              : facet_image_load (part->path, error);
  if (image != NULL)
    keep (self, key, image, NULL, (gsize) facet_image_width (image) * (gsize) facet_image_height (image) * 3);
  return image;
}

static gsize
size_of_clips (GPtrArray *clips)
{
  gsize size = 0;

  for (guint i = 0; i < clips->len; i++)
    size += (gsize) (facet_audio_duration (clips->pdata[i]) * 16000) * sizeof (float);
  return MAX (size, FACET_MEDIA_CACHE_SOUND);
}

GPtrArray *
facet_media_cache_sound (FacetMediaCache *self, const FacetPart *part, FacetCancel *cancel, GError **error)
{
  g_autofree char *key = key_of (part);
  Entry *entry = find (self, key);
  g_autoptr (FacetAudio) audio = NULL;
  GPtrArray *clips;

  if (entry != NULL)
    return g_ptr_array_ref (entry->clips);
  audio = facet_engine_load_sound (part, cancel, error);
  clips = audio != NULL ? facet_audio_clips (audio, cancel, error) : NULL;
  if (clips != NULL)
    keep (self, key, NULL, clips, size_of_clips (clips));
  return clips;
}

guint
facet_media_cache_decoded (FacetMediaCache *self)
{
  return self->decoded;
}
