/* threadpool.h - the CPU backend's workers
 *
 * A fixed crew that runs one function on every member and waits for all. The
 * caller is member 0. Between plan segments workers spin for some tens of
 * microseconds, then sleep. Several functions run back to back with a barrier
 * between them, without waking anyone twice.
 */
#pragma once

#include <glib.h>

typedef struct FacetPool FacetPool;

/* Runs in every member; @member 0 .. members - 1. */
typedef void (*FacetPoolFunc) (gpointer data, int member, int members);

FacetPool *facet_pool_new     (int members);
void       facet_pool_free    (FacetPool *pool);
int        facet_pool_members (const FacetPool *pool);

/* Returns when every member has returned. One caller at a time. */
void       facet_pool_run     (FacetPool *pool, FacetPoolFunc func, gpointer data);

/* Inside @func: waits until every member is here. */
void       facet_pool_barrier (FacetPool *pool);

/* Physical cores of this machine that the process may use. */
int        facet_pool_default_members (void);
