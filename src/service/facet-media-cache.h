/* facet-media-cache.h - decoded pictures and sounds of a conversation, kept while they are asked about
 *
 * A chat's pictures and sounds are part of each prompt and of each count of
 * its tokens; decoding a photo takes longer than counting it, and a recording
 * is read to its end and searched for speech. The least recently used are
 * dropped when the budget is full.
 *
 * Thread-safety: belongs to one thread.
 */
#pragma once

#include "facet-request.h"

G_BEGIN_DECLS

typedef struct FacetMediaCache FacetMediaCache;

/* @budget: bytes that are kept at most. A picture takes its pixels; a sound
 * takes its samples, and no less than FACET_MEDIA_CACHE_SOUND, since its file
 * stays open. */
#define FACET_MEDIA_CACHE_SOUND ((gsize) 4 << 20)
FacetMediaCache *facet_media_cache_new     (gsize budget);
void             facet_media_cache_free    (FacetMediaCache *self);

/* A file is told by place, size and time, bytes by their hash.
 * Returns: (transfer full). */
FacetImage      *facet_media_cache_picture (FacetMediaCache *self, const FacetPart *part, GError **error);

/* As facet_audio_clips() gives them.
 * Returns: (transfer full): of FacetAudio, not to be changed. */
GPtrArray       *facet_media_cache_sound   (FacetMediaCache *self, const FacetPart *part, FacetCancel *cancel, GError **error);

/* How often something was decoded. */
guint            facet_media_cache_decoded (FacetMediaCache *self);

G_END_DECLS
