#define G_LOG_DOMAIN "facet"

#include "config.h"

#include "facet-window-private.h"

#define RETRY_MS 100
#define PATIENCE_USEC (5 * G_USEC_PER_SEC)

typedef struct {
  FacetWindowChange  change;
  gint64             id;
  gpointer           data;
  GDestroyNotify     free_data;
  gint64             end; /* monotonic time at which it is given up */
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  waiting->free_data (waiting->data);
  g_free (waiting);
}

/* Whether that was the end of it: done, or refused with a sentence. @locked
 * may be set also then. */
static gboolean
run (FacetWindow *self, const Waiting *waiting, gboolean *locked)
{
  g_autoptr (GError) error = NULL;

  if (waiting->change (self, waiting->data, &error))
    return TRUE;
  *locked = g_error_matches (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY);
  if (*locked && g_get_monotonic_time () < waiting->end)
    return FALSE;
  facet_window_say (self, error->message);
  return TRUE;
}

/* In the order in which they came. Each try that meets the lock costs time of
 * the main loop: one is enough. */
static void
run_all (FacetWindow *self)
{
  gboolean locked = FALSE;

  while (!locked && !g_queue_is_empty (&self->changes)) {
    Waiting *waiting = g_queue_pop_head (&self->changes);

    if (run (self, waiting, &locked))
      waiting_free (waiting);
    else
      g_queue_push_head (&self->changes, waiting);
  }
}

static gboolean
retry_cb (gpointer data)
{
  FacetWindow *self = data;

  run_all (self);
  if (!g_queue_is_empty (&self->changes))
    return G_SOURCE_CONTINUE;
  self->changes_timer = 0;
  return G_SOURCE_REMOVE;
}

static void
forget_older (FacetWindow *self, const Waiting *newer)
{
  for (GList *link = self->changes.head; link != NULL; link = link->next) {
    Waiting *older = link->data;

    if (older->change == newer->change && older->id == newer->id) {
      g_queue_delete_link (&self->changes, link);
      waiting_free (older);
      return;
    }
  }
}

gboolean
_facet_window_change (FacetWindow *self, FacetWindowChange change, gint64 id, gpointer data, GDestroyNotify free_data)
{
  Waiting *waiting = g_new (Waiting, 1);

  *waiting = (Waiting){ change, id, data, free_data, g_get_monotonic_time () + PATIENCE_USEC };
  forget_older (self, waiting);
  g_queue_push_tail (&self->changes, waiting);
  if (self->changes_timer == 0) {
    run_all (self);
    if (!g_queue_is_empty (&self->changes))
      self->changes_timer = g_timeout_add (RETRY_MS, retry_cb, self);
  }
  return g_queue_is_empty (&self->changes);
}

/* Nobody would try again. */
void
_facet_window_end_changes (FacetWindow *self)
{
  self->closing = TRUE;
  g_clear_handle_id (&self->changes_timer, g_source_remove);
  if (g_queue_is_empty (&self->changes))
    return;
  facet_store_set_patient (self->store, TRUE);
  run_all (self);
  facet_store_set_patient (self->store, FALSE);
  g_queue_clear_full (&self->changes, waiting_free);
}
