/* facet-picture-cache.h - decoded pictures of a conversation, kept while they are asked about
 *
 * A chat's pictures are part of each prompt and of each count of its tokens;
 * decoding a photo takes longer than counting it. The least recently used are
 * dropped when the budget is full.
 *
 * Thread-safety: belongs to one thread.
 */
#pragma once

#include "facet-request.h"

G_BEGIN_DECLS

typedef struct FacetPictureCache FacetPictureCache;

/* @budget: bytes of pixels that are kept at most. */
FacetPictureCache *facet_picture_cache_new     (gsize budget);
void               facet_picture_cache_free    (FacetPictureCache *self);

/* A file is told by place, size and time, bytes by their hash.
 * Returns: (transfer full). */
FacetImage        *facet_picture_cache_get     (FacetPictureCache *self, const FacetPart *part, GError **error);

/* How often a picture was decoded. */
guint              facet_picture_cache_decoded (FacetPictureCache *self);

G_END_DECLS
