/* map.h - a file's bytes in memory, while others may change the file
 *
 * Weights are read where they lie in the file. A page that is gone, because
 * the file was made shorter or its disk fails, raises SIGBUS, which would end
 * the program. The handler that the first map installs gives such a read
 * zeros instead, from that page to the end of the map, and marks the map.
 * Whoever computes asks facet_map_is_intact() afterwards and throws the
 * result away if it is not: a marked map stays marked.
 *
 * A SIGBUS anywhere else goes to the handler that was there before, as if
 * there were no maps.
 *
 * Thread-safety: a map may be read and asked from any thread; it is closed
 * when nobody reads it any more. The handler allocates nothing and waits only
 * for a lock that is held for a few instructions and never while a map is read.
 */
#pragma once

#include <glib.h>

typedef struct FacetMap FacetMap;

/* Maps a regular file for reading; anything else is refused with IO. */
FacetMap   *facet_map_open      (const char *path, GError **error);
void        facet_map_close     (FacetMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetMap, facet_map_close)

/* NULL if the file is empty. */
const void *facet_map_data      (FacetMap *map);
gsize       facet_map_size      (FacetMap *map);

/* FALSE for ever once a page was missing, or the file's length or time of
 * change is not what it was when it was opened. A file that was replaced or
 * deleted is intact: the map is of the one that was opened. Costs a system
 * call. */
gboolean    facet_map_is_intact (FacetMap *map);
