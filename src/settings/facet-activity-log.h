/* facet-activity-log.h - what this session opened
 *
 * The privacy page shows it: every network address and every file that the
 * program opened since it started. Nothing of it is written to disk. Whoever
 * opens something adds it here, before opening.
 *
 * A GListModel of FacetActivity, newest first; the same target is listed once
 * with a count.
 *
 * Thread-safety: facet_activity_log_add() from any thread (it reaches the list
 * in the main loop), everything else in the main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  FACET_ACTIVITY_NETWORK, /* target: scheme, host and path of an address */
  FACET_ACTIVITY_READ,    /* target: a file */
  FACET_ACTIVITY_WRITE,   /* target: a file */
  FACET_ACTIVITY_RUN,     /* target: a command line, of a tool */
} FacetActivityKind;

#define FACET_TYPE_ACTIVITY (facet_activity_get_type ())
G_DECLARE_FINAL_TYPE (FacetActivity, facet_activity, FACET, ACTIVITY, GObject)

FacetActivityKind facet_activity_get_kind   (FacetActivity *self);
const char       *facet_activity_get_target (FacetActivity *self);
guint             facet_activity_get_count  (FacetActivity *self);
gint64            facet_activity_get_time   (FacetActivity *self); /* of the last one, µs UTC */

#define FACET_TYPE_ACTIVITY_LOG (facet_activity_log_get_type ())
G_DECLARE_FINAL_TYPE (FacetActivityLog, facet_activity_log, FACET, ACTIVITY_LOG, GObject)

/* Returns: (transfer none): the process's log. */
FacetActivityLog *facet_activity_log_get_default (void);

/* Addresses are stripped of user, password, query and fragment. */
void              facet_activity_log_add         (FacetActivityKind kind, const char *target);

G_END_DECLS
